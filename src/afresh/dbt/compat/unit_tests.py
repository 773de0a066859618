"""Unit tests ride on their model in ``dbt build``: they are no nodes of its queue."""

from __future__ import annotations

from typing import Any


def unit_tests_of_models(task: Any) -> dict[str, list[str]]:
    """Which selected unit tests run just before which model, where the command is ``build``."""
    found = getattr(task, "model_to_unit_test_map", None) or {}
    return {str(model): [str(test) for test in tests] for model, tests in found.items()}


def unit_tests_have_run(task: Any, model: str) -> None:
    """The model comes back without its unit tests."""
    (getattr(task, "model_to_unit_test_map", None) or {}).pop(model, None)


def drop_unit_tests(task: Any, reused: set[str]) -> None:
    """Take unit tests out of the run."""
    mapping = getattr(task, "model_to_unit_test_map", None)
    if mapping is None:
        return
    for model in list(mapping):
        mapping[model] = [test for test in mapping[model] if test not in reused]
        if not mapping[model]:
            del mapping[model]
    task.selected_unit_tests = {test for test in task.selected_unit_tests if test not in reused}
