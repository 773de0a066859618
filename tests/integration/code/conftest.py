"""A dbt project that is really built, in process, on DuckDB, and whose code is compared with what was recorded."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from afresh.core.node import NodeId, ResourceType
from afresh.core.relation import TraceKey
from afresh.core.trace import Trace
from afresh.dbt.code_memo import CodeMemo
from afresh.dbt.code_service import CodeService
from afresh.dbt.compat import jinja_recording
from afresh.dbt.recording import RECORDER
from afresh.orchestration.code_types import CodeComparison, CodeRecord

_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
_PROJECT = """
name: shop
version: "1.0"
profile: shop
model-paths: ["models"]
macro-paths: ["macros"]
flags:
  send_anonymous_usage_stats: false
"""
_PROFILE = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('LAB_DB') }}", threads: 1}
    prod: {type: duckdb, path: "{{ env_var('LAB_DB') }}", threads: 1}
"""


class Lab:
    """One project in a folder. ``build`` runs dbt and records; ``compare`` parses again and compares, and runs nothing."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._patch = monkeypatch
        self.records: dict[str, CodeRecord] = {}
        self.sent: dict[str, bool] = {}
        self.stdout = ""
        self.write("dbt_project.yml", _PROJECT)
        self.write("profiles.yml", _PROFILE)
        monkeypatch.setenv("LAB_DB", str(root / "lab.duckdb"))
        monkeypatch.setenv("DBT_PROFILES_DIR", str(root))

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text).lstrip("\n"))

    def model(self, name: str, sql: str) -> None:
        self.write(f"models/{name}.sql", sql)

    def macro(self, name: str, text: str) -> None:
        self.write(f"macros/{name}.sql", text)

    def project(self, more: str) -> None:
        self.write("dbt_project.yml", _PROJECT + textwrap.dedent(more))

    # --- running ------------------------------------------------------------------------------------------------------

    def build(self, *args: str, check: bool = True) -> dict[str, CodeRecord]:
        """Run ``dbt build`` and record every node that was built."""
        self._invoke("build", *args, execute_nodes=None, check=check)
        return self.records

    def compile(self) -> None:
        """Record every node as if it had been built, where the engine cannot build it."""

        def compile_all(task: Any) -> list[Any]:
            for node in (*task.manifest.nodes.values(), *getattr(task.manifest, "functions", {}).values()):
                with RECORDER.recording(node.unique_id) as recording:
                    task.compiler.compile_node(node, task.manifest, {}, write=False)
                self.records[node.unique_id] = self.service(task).record(node, recording)
            return []

        self._invoke("build", execute_nodes=compile_all, check=False)

    def text_of_form(self, record: CodeRecord, form: str) -> str:
        """The SQL that the record keeps of one form."""
        memo = CodeMemo.from_bytes(record.depfile)
        assert memo is not None
        return memo.text(form, record.compiled) or ""

    def compare(self, *args: str) -> dict[str, CodeComparison]:
        """Compare every recorded node, as a run would."""
        found: dict[str, CodeComparison] = {}

        def compare(task: Any) -> list[Any]:
            service = self.service(task)
            for node in [
                *task.manifest.nodes.values(),
                *task.manifest.unit_tests.values(),
                *getattr(task.manifest, "functions", {}).values(),
            ]:
                record = self.records.get(node.unique_id)
                if record is not None:
                    found[node.unique_id] = service.compare(node, _trace(node, record), record.depfile, record.compiled)
            return []

        self._invoke("build", *args, execute_nodes=compare, check=False)
        return {unique_id.split(".")[2]: one for unique_id, one in found.items()}

    def with_task(self, ask: Any, *args: str) -> Any:
        """What ``ask`` says of a task of ``dbt build`` that is about to run its nodes."""
        answers: list[Any] = []

        def once(task: Any) -> list[Any]:
            answers.append(ask(task))
            return []

        self._invoke("build", *args, execute_nodes=once, check=False)
        return answers[0]

    def changes(self, name: str, *args: str) -> list[str]:
        """The names of the parts that differ, and the reason why the node cannot be compared, if there is one."""
        one = self.compare(*args)[name]
        return [change.name for change in one.changes] + ([f"! {one.not_reusable}"] if one.not_reusable else [])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        import duckdb

        with duckdb.connect(os.environ["LAB_DB"]) as connection:
            return connection.execute(sql).fetchall()

    def trace(self, node: Any, record: CodeRecord) -> Trace:
        return _trace(node, record)

    def record(self, name: str) -> CodeRecord:
        return next(record for unique_id, record in self.records.items() if unique_id.split(".")[2] == name)

    def service(self, task: Any) -> CodeService:
        from dbt.adapters.factory import get_adapter

        return CodeService(task.manifest, task.config, get_adapter(task.config), secrets_key=b"key", project_dir=self.root)

    def _invoke(self, *args: str, execute_nodes: Any, check: bool) -> None:
        from dbt.cli.main import dbtRunner
        from dbt.task.runnable import GraphRunnableTask

        jinja_recording.install(RECORDER)
        original = GraphRunnableTask.get_runner
        with self._patch.context() as patch, _chdir(self.root):
            patch.setattr(GraphRunnableTask, "get_runner", lambda task, node: self._recorded(task, original(task, node)))
            if execute_nodes is not None:
                patch.setattr(GraphRunnableTask, "execute_nodes", execute_nodes)
            result = dbtRunner().invoke([*args, "--quiet", "--no-use-colors"])
        if check:
            assert result.success, result.exception or [
                (one.node.name, one.message) for one in result.result if one.status not in ("success", "pass")
            ]

    def _recorded(self, task: Any, runner: Any) -> Any:
        original = runner.run_with_hooks

        def run_with_hooks(manifest: Any) -> Any:
            with RECORDER.recording(runner.node.unique_id) as recording:
                result = original(manifest)
            self.sent[runner.node.name] = recording.execution_sent
            if result.status in ("success", "pass", "fail", "warn") and not runner.node.is_ephemeral_model:
                self.records[runner.node.unique_id] = self.service(task).record(runner.node, recording)
            return result

        runner.run_with_hooks = run_with_hooks
        return runner


@contextlib.contextmanager
def _chdir(path: Path) -> Any:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


def _trace(node: Any, record: CodeRecord) -> Trace:
    return Trace(
        key=TraceKey("k"),
        node=NodeId(node.unique_id),
        resource_type=ResourceType(str(getattr(node.resource_type, "value", node.resource_type))),
        project="shop",
        build_id="b",
        run_id="r",
        code=record.code,
        inputs=(),
        output_version="b",
        started_at=_NOW,
        finished_at=_NOW,
        scheduled_at=_NOW,
    )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(tmp_path, monkeypatch)
