"""The decision table notices every small mistake in the decision: all mutants of ``decide.py`` are killed by it."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from afresh.core import decide
from afresh.core.decision import Build, Undetermined
from unit.core.decision_table import TABLE
from unit.core.mutants import Mutant, mutants_of

MUTANTS = tuple(mutants_of(Path(decide.__file__)))

EQUIVALENT: dict[str, str] = {
    "plan_verdict: return Build((why.NeverBuilt(),)) → return None": "what has no trace has a certain cause, so nothing gets here",
    "_existence: match seen.existence → without case _": "a match that no case takes does nothing, as this case does",
    "_why_unchanged: for part in seen.code_changes if part.group is PartGroup.ENGINE → for part in seen.code_changes": (
        "where other parts differ, it is not called unchanged"
    ),
    "_why_unchanged: upgraded and policy.on_engine_upgrade is EngineUpgrade.KEEP → upgraded": (
        "where an upgrade asks for a build, it is not called unchanged"
    ),
}
"""Mutants that no situation can tell from the original, by name, with the reason."""


def disagreement(module: types.ModuleType) -> str | None:
    """The first row of the table that ``module`` gets wrong; also one where it cannot answer at all."""
    for row in TABLE:
        try:
            verdict = module.plan_verdict(row.seen, row.trace, row.policy)
            decision = module.decide(row.seen, row.trace, row.policy)
        except Exception as error:  # noqa: BLE001 - a mutant may fail in any way
            return f"{row.name} ({error!r})"
        if verdict != row.verdict or decision != _decision_of(row.verdict):
            return row.name
    return None


def _decision_of(verdict):
    if not isinstance(verdict, Undetermined):
        return verdict
    return Build(verdict.reasons or (decide.why.NotReusable("its inputs are not settled yet"),))


def test_the_decision_itself_agrees_with_the_table() -> None:
    assert disagreement(decide) is None


def test_there_are_mutants_of_every_row() -> None:
    functions = {
        name for name, value in vars(decide).items() if isinstance(value, types.FunctionType) and value.__module__ == decide.__name__
    }
    assert {mutant.name.split(":")[0] for mutant in MUTANTS} >= functions
    assert len(MUTANTS) > 150


def test_no_mutant_is_excused_that_does_not_exist() -> None:
    assert EQUIVALENT.keys() <= {mutant.name for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_the_table_kills_every_mutant(mutant: Mutant) -> None:
    killed_by = disagreement(mutant.module())
    if mutant.name in EQUIVALENT:
        assert killed_by is None, f"not equivalent after all: {killed_by}"
    else:
        assert killed_by is not None, "no row of the table notices this mistake"
