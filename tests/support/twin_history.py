"""Plays a history in both of a pair of twins, and checks the laws of reuse after every run (semantics §8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from support.outcome import NodeResult, Outcome
from support.twin_design import SEED, SNAPSHOT, SOURCES, Design
from support.twin_edits import Edit, EditModel, describe
from support.twin_steps import Change, History, How, Run, Write, WriteSource
from support.twin_warehouse import contents, differences, fresh_copy
from support.twins import DATABASE, PROJECT_FILE, Twins, create_twins, project_file

_SOURCE_ROWS = (
    "create table {0} as select range::bigint as id, chr(97 + (range % 3)::integer) as grp, (range * {1})::bigint as val from range({2})"
)
_SETUP = ("create schema raw", _SOURCE_ROWS.format("raw.s1", 2, 6), _SOURCE_ROWS.format("raw.s2", 3, 4))
_BAD = ("error", "fail", "skipped", "runtime error")


class BrokenLawError(AssertionError):
    """A law was broken; the message tells the whole history up to there."""


@dataclass
class Player:
    """One history as it goes on."""

    twins: Twins
    design: Design
    told: list[str] = field(default_factory=list)
    due: set[str] = field(default_factory=set)
    """Names of nodes that have a reason to be built; what is never built is not here but in no trace either."""
    written: dict[str, str] = field(default_factory=dict)
    ever_run: set[str] = field(default_factory=set)
    ended_well: bool = False
    """Whether no node of the last run failed."""

    # --- steps --------------------------------------------------------------------------------------------------------

    def change(self, step: Change) -> None:
        """Apply a step to the project and both warehouses."""
        applied = step.apply(self.design)
        self.told.append(applied.words)
        self._note_touched(set(applied.touched))
        self._write_files()
        if applied.statements:
            self.twins.execute(*(f"{statement}" for statement in applied.statements if self._can_be_executed(statement)))

    def _can_be_executed(self, statement: str) -> bool:
        """Whether the relation that a statement drops or updates is there and of that kind, in both warehouses."""
        words = statement.split()
        if words[0] not in ("drop", "update") or words[1].startswith("raw."):
            return True
        kind, name = (words[1], words[2]) if words[0] == "drop" else ("table", words[1])
        held = contents(self.twins.ours.root / DATABASE).get(f"main.{name}")
        return held is not None and held.kind == kind

    def _write_files(self) -> None:
        files = {**self.design.files(), PROJECT_FILE: project_file(self.design.settings())}
        changed = {path: text for path, text in files.items() if self.written.get(path) != text}
        self.twins.write(changed)
        self.twins.delete(*(path for path in self.written if path not in files))
        self.written = files
        self.twins.set_env(self.design.environment())

    def _note_touched(self, names: set[str]) -> None:
        self.due |= self._with_all_below(names)

    def _with_all_below(self, names: set[str]) -> set[str]:
        found = names.union(*(self.design.all_below(name) for name in names))
        return found | {_test_of(name) for name in found}

    # --- runs ---------------------------------------------------------------------------------------------------------

    def run(self, step: Run) -> None:
        """Run both and check the laws."""
        arguments = step.arguments(self.design)
        if step.how is How.PLAIN_DBT:
            self.told.append(f"dbt {' '.join(arguments)}")
            self.twins.plain_dbt(*arguments)
            self._note_touched({*self.design.models, SEED, SNAPSHOT})
            return
        ours = (*arguments, *([step.how.value] if step.how is How.FORCE else []))
        planned = self._planned(step, ours)
        self.told.append(f"afresh {' '.join(ours)}")
        outcome = self.twins.afresh(*ours)
        self.told[-1] += f" → {_summary(outcome)}"
        self.ended_well = outcome.exit_code == 0
        self._check_plan(planned, outcome)
        self._check_thrift(outcome, asked=step.how is not How.ORDINARY)
        if step.again:
            self._repeat(arguments, outcome)

    def _planned(self, step: Run, arguments: tuple[str, ...]) -> dict[str, str]:
        return self.twins.plan(*arguments[1:]) if step.plan and step.command == "build" else {}

    def _check_plan(self, planned: dict[str, str], outcome: Outcome) -> None:
        """What a plan is sure of happens, when no node fails."""
        if outcome.exit_code != 0:
            return
        wrong = {
            uid: (said, node.decision)
            for uid, said in planned.items()
            if said != "undetermined" and (node := outcome.nodes.get(uid)) is not None and node.decision != said
        }
        assert not wrong, f"it was planned and done otherwise (planned, done): {wrong}"

    def _check_thrift(self, outcome: Outcome, *, asked: bool) -> None:
        """A change rebuilds only nodes that depend on it (semantics §8, law 2)."""
        built = {node.name for node in outcome.nodes.values() if node.decision == "build"}
        reason = self.due | self._with_all_below(built) - built | {name for name in built if self._has_reason_above(name, built)}
        needless = built & self.ever_run - reason
        assert asked or not needless, f"built without a reason: {self._reasons(outcome, needless)}"
        self._settle(outcome, built)

    def _has_reason_above(self, name: str, built: set[str]) -> bool:
        return any(name in self._with_all_below({other}) for other in built - {name})

    def _settle(self, outcome: Outcome, built: set[str]) -> None:
        """After a run, who has a reason to be built in the next one."""
        nodes = outcome.nodes.values()
        self.due |= self._with_all_below(built) - built
        good = {node.name for node in nodes if node.status not in _BAD and node.status != "warn"}
        self.due -= good
        self.ever_run |= good
        self.due |= self._unsettled(outcome)

    def _unsettled(self, outcome: Outcome) -> set[str]:
        """What failed, what owns a failed test, what is below either, and tests that warn."""
        bad = {node.name for node in outcome.nodes.values() if node.status in _BAD}
        owners = {name.removesuffix(_test_of("")) for name in bad}
        warned = {node.name for node in outcome.nodes.values() if node.status == "warn"}
        return self._with_all_below(bad | owners) | warned if bad else warned

    def _repeat(self, arguments: tuple[str, ...], first: Outcome) -> None:
        """The same command at once builds nothing and runs no test, failures and their consequences apart."""
        command = tuple(word for word in arguments if word != How.FULL_REFRESH.value)
        outcome = self.twins.only_afresh(*command)
        self.told.append(f"afresh {' '.join(command)} → {_summary(outcome)}")
        executed = {node.name for node in outcome.nodes.values() if node.decision != "reuse"}
        needless = executed - self._unsettled(first)
        assert not needless, f"built although nothing changed: {self._reasons(outcome, needless)}"
        self._settle(outcome, {node.name for node in outcome.nodes.values() if node.decision == "build"})

    def _reasons(self, outcome: Outcome, names: set[str]) -> dict[str, tuple[str, ...]]:
        return {node.name: (node.decision or "", *node.reasons) for node in outcome.nodes.values() if node.name in names}

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """A full build; if it fails, everything is repaired and built again. At last one in a fresh database."""
        self.run(Run(plan=True, again=True))
        if not self.ended_well:
            self._repair()
            self.run(Run(plan=True, again=True))
        if self.ended_well and not self.design.has_incremental():
            self._compare_with_fresh_build()

    def _repair(self) -> None:
        for number, name in enumerate(sorted(self.design.models)):
            self.change(EditModel(Edit.REPAIR, number))
            if self.design.models[name].limit is not None:
                self.change(EditModel(Edit.LIMIT, number, to=0))
        for source in (0, 1):
            self.change(WriteSource(Write.REMOVE_LARGE, source))

    def _compare_with_fresh_build(self) -> None:
        """Where no relation depends on what it held before, a build of everything from nothing gives the same."""
        twin = self.twins.twin.root
        (twin / DATABASE).rename(twin / "old.duckdb")
        fresh_copy(twin / "old.duckdb", twin / DATABASE, schema="raw")
        self.told.append("plain dbt build in a fresh database")
        assert self.twins.twin.dbt("build", *self.design.flags(), env=self.twins.env).exit_code == 0, "it fails in a fresh database"
        held, right = contents(self.twins.ours.root / DATABASE), contents(twin / DATABASE)
        wrong = list(differences({name: held[name] for name in right}, right))
        assert not wrong, "not what a fresh build gives: " + "; ".join(wrong)

    def script(self) -> str:
        """The history so far, to be read by people, with the files as they are now."""
        lines = [f"{number}. {line}" for number, line in enumerate(self.told, 1)]
        files = [
            f"--- {path}\n{text}" for path, text in sorted(self.design.files().items()) if path.startswith(("models/", "snap", "tests"))
        ]
        return "\n".join(["", *lines, "", "The files as they are now:", *files])


def play(history: History, root: Path, *, parsed: Path | None = None) -> None:
    """Play a whole history in a new folder; ``parsed`` is what :func:`support.twins.parse_once` gave.

    Raises:
        BrokenLawError: a run left something stale, built something for nothing, or did not do what was planned.
    """
    player = _begin(history, root, parsed)
    try:
        if not history.cold:
            player.run(Run())
        for step in history.steps:
            player.run(step) if isinstance(step, Run) else player.change(step)
        player.end()
    except AssertionError as error:
        raise BrokenLawError(f"{error}\n{player.script()}") from error


def _begin(history: History, root: Path, parsed: Path | None) -> Player:
    design = Design()
    for add in history.models:
        add.apply(design)
    if history.snapshot:
        design.snapshot_of = min(design.models) if design.models else SOURCES[0]
    player = Player(create_twins(root, {}, parsed=parsed), design)
    player.told.append("a project: " + "; ".join(f"{name} = {describe(model)}" for name, model in design.models.items()))
    player.twins.execute(*_SETUP)
    player._write_files()
    return player


def _test_of(name: str) -> str:
    return f"{name}_is_small"


def _summary(outcome: Outcome) -> str:
    def names(which: str) -> str:
        return " ".join(sorted(node.name for node in outcome.nodes.values() if node.decision == which)) or "nothing"

    bad = sorted(f"{node.name} {node.status}" for node in outcome.nodes.values() if _is_bad(node))
    return f"built {names('build')}; reused {names('reuse')}" + (f"; {', '.join(bad)}; failed" if bad else "")


def _is_bad(node: NodeResult) -> bool:
    return node.status in _BAD
