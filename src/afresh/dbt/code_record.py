"""Recording the code of a build that just ended: normally from what dbt compiled itself, without rendering anything again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from afresh.core.version import CodeVersion, Part, PartGroup
from afresh.dbt.adapter_methods import READS_WAREHOUSE, is_pure, may_read
from afresh.dbt.answers import EXECUTE, KEPT
from afresh.dbt.code_memo import FULL, INCREMENTAL, CodeMemo
from afresh.dbt.dependencies import group_of, is_in_execution
from afresh.dbt.forms import WITH_SIDE_EFFECTS, Forms, asks_incremental
from afresh.dbt.own_content import OwnQuestions, kept_answers
from afresh.dbt.recording import RECORDER, Rendered
from afresh.dbt.volatile_marks import MARK
from afresh.dbt.volatile_values import volatile_values
from afresh.fingerprint.depfile import Depfile
from afresh.fingerprint.digest import digest_of
from afresh.fingerprint.env_vars import is_volatile_env_var
from afresh.fingerprint.kept_code import kept_code
from afresh.fingerprint.python_model import python_digest
from afresh.fingerprint.sql import token_digest
from afresh.orchestration.code_types import CodeRecord, DeclaredReads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afresh.dbt.dependencies import Dependencies
    from afresh.dbt.forms import FormRenderer
    from afresh.dbt.node_reading import NodeReader, NodeReading
    from afresh.dbt.read_inputs import ReadInputs
    from afresh.dbt.recording import Reached, Recording

EXECUTED, ENGINE = "executed", "engine_macros"
"""The parts that stand for everything that execution reads, and for the macros of dbt and the adapter in it."""


@dataclass
class Traced:
    """What the renderings of a node and of its inlined parents reached, gathered into the entries of a depfile."""

    keys: set[str] = field(default_factory=set)
    dynamic: bool = False
    volatile: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    queries: bool = False
    kept: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, list[str]] = field(default_factory=dict)
    stopped: str | None = None


class CodeTracer:
    """Turns recordings into depfiles."""

    def __init__(self, reader: NodeReader, dependencies: Dependencies, *, dialect: str | None, volatile_env: tuple[str, ...]) -> None:
        self._reader = reader
        self._dependencies = dependencies
        self._dialect = dialect
        self._volatile_env = volatile_env

    def traced(self, node: Any, found: Mapping[str, Rendered]) -> Traced:
        """Everything that renderings of ``node`` reached; ``found`` holds its own and those of what is inlined into it."""
        traced = Traced()
        is_unit_test = node.unique_id.startswith("unit_test.")
        for holder in (node, *self._reader.facts.ephemerals_above(node)):
            rendered = found.get(holder.unique_id)
            if rendered is not None:
                self._add(traced, holder, rendered, self._text(holder))
                if not is_unit_test:  # a unit test asks the warehouse for the types of columns only
                    self._add_questions(traced, node, rendered)
        return traced

    def _text(self, node: Any) -> str:
        if node.unique_id.startswith("unit_test."):
            return "\n".join(parent.raw_code for parent in self._reader.facts.parents(node) if hasattr(parent, "raw_code"))
        return node.raw_code or ""

    def _add(self, traced: Traced, holder: Any, rendered: Rendered, text: str) -> None:
        reads = self._dependencies.of_rendering(holder, rendered.reached, text)
        traced.keys |= reads.keys
        traced.dynamic = traced.dynamic or reads.dynamic
        traced.volatile |= reads.volatile
        traced.volatile |= {name for name in rendered.reached.env if is_volatile_env_var(name, self._volatile_env)}

    def _add_questions(self, traced: Traced, node: Any, rendered: Rendered) -> None:
        kept, orders, asked_others = kept_answers(rendered.answers.values(), OwnQuestions(node, self._dialect))
        traced.kept.update(kept)
        traced.orders.update(orders)
        names = rendered.reached.adapter
        traced.queries = traced.queries or asked_others or any(name in READS_WAREHOUSE and name not in KEPT for name in names)
        traced.unknown |= {f"adapter.{name}" for name in names if not is_pure(name) and name not in READS_WAREHOUSE}
        traced.stopped = traced.stopped or self._side_effect(rendered)

    def _side_effect(self, rendered: Rendered) -> str | None:
        for name in sorted(rendered.reached.adapter):
            if not may_read(name):
                return f"{WITH_SIDE_EFFECTS}its Jinja calls adapter.{name}()"
        statements = [answer.question for answer in rendered.answers.values() if answer.method == EXECUTE]
        if not statements:
            return None
        from afresh.fingerprint.guard import is_read_only

        writes = not all(is_read_only(statement, self._dialect) for statement in statements)
        return f"{WITH_SIDE_EFFECTS}its Jinja sends SQL that may write" if writes else None

    def executed(self, node: Any, reading: NodeReading, execute: Reached) -> frozenset[str]:
        """The keys of what execution read."""
        return self._dependencies.of_execution(node, execute, reading.hooks)

    def depfile(self, traced: Traced, entries: Mapping[str, str]) -> Depfile:
        """The depfile with these values."""
        return Depfile(
            entries=entries,
            queries=traced.queries,
            dynamic=traced.dynamic,
            volatile_names=frozenset(traced.volatile),
            unknown=tuple(sorted(traced.unknown)),
        )


class CodeRecorder:
    """Makes the record of a build."""

    def __init__(
        self,
        *,
        reader: NodeReader,
        dependencies: Dependencies,
        tracer: CodeTracer,
        forms: FormRenderer,
        inputs: ReadInputs,
        dialect: str | None,
    ) -> None:
        self._reader = reader
        self._dependencies = dependencies
        self._tracer = tracer
        self._forms = forms
        self._inputs = inputs
        self._dialect = dialect

    def record(self, node: Any, recording: Recording) -> CodeRecord:
        """The code of the build that ``recording`` is of."""
        reading = self._reader.read(node)
        compiled = recording.compiled_sql or getattr(node, "compiled_code", None) or ""
        found = self.rendered_of(node, recording)
        traced = self._tracer.traced(node, found)
        forms = self._forms_of(node, reading, compiled, found[node.unique_id], traced)
        if forms.found:
            traced = self._tracer.traced(node, _together(found, forms.found))
        return self._made(node, compiled, forms, traced, self._tracer.executed(node, reading, recording.execute))

    def record_of_other(self, node: Any, compiled: str, execute: Reached) -> CodeRecord:
        """The code of a build that somebody else made, from what they compiled and what rendering reaches now.

        ``execute``: what execution may reach, since nobody saw what it did. It stands for the build only if the code is the same.
        """
        reading = self._reader.read(node)
        forms = self._forms.render(node, reading, CodeMemo(), exists=True) if reading.is_rendered else Forms()
        traced = self._tracer.traced(node, forms.found)
        return self._made(node, compiled, forms, traced, self._tracer.executed(node, reading, execute))

    def _made(self, node: Any, compiled: str, forms: Forms, traced: Traced, executed: frozenset[str]) -> CodeRecord:
        reading = self._reader.read(node)
        entries = self._dependencies.values(traced.keys | executed)
        memo = CodeMemo(
            depfile=self._tracer.depfile(traced, entries),
            raw=reading.raw,
            forms={name: None if text == compiled else text for name, text in forms.texts.items()},
            kept=traced.kept,
            orders=traced.orders,
            stopped=traced.stopped or forms.not_reusable,
            code=kept_code(reading.code),
        )
        return CodeRecord(
            code=CodeVersion({**reading.parts, **form_parts(reading, forms.texts, self._dialect), **_executed_parts(entries)}),
            depfile=memo.to_bytes(),
            compiled=compiled,
            reads=self._reads(node, reading, compiled, forms.texts),
            volatile=volatile_values(
                reading, self._texts(reading, compiled, forms.texts), forms, named=traced.volatile, dialect=self._dialect
            ),
            not_reusable=reading.not_reusable or memo.stopped,
        )

    def rendered_of(self, node: Any, recording: Recording) -> dict[str, Rendered]:
        """What dbt's own renderings reached: of the node, and of what is inlined into it."""
        found = {node.unique_id: recording.compile}
        for above in self._reader.facts.ephemerals_above(node):
            rendered = RECORDER.inlined(above.unique_id)
            if rendered is not None:
                found[above.unique_id] = rendered
        return found

    def _forms_of(self, node: Any, reading: NodeReading, compiled: str, own: Rendered, traced: Traced) -> Forms:
        """The forms that dbt did not compile just now are rendered, each by a rendering of its own."""
        if not reading.is_rendered or traced.stopped is not None:
            return Forms()
        memo = CodeMemo(kept=traced.kept, orders=traced.orders)
        if (traced.volatile and not reading.is_python) or reading.code.is_microbatch:
            return self._forms.render(node, reading, memo, exists=True)
        forms = Forms()
        if not (reading.is_incremental and asks_incremental(own)):
            forms.texts[FULL] = compiled
            return forms
        compiled_as, other = (INCREMENTAL, FULL) if own.incremental else (FULL, INCREMENTAL)
        forms.texts[compiled_as] = compiled
        self._forms.render_form(node, memo, forms, incremental=other == INCREMENTAL)
        return forms

    def _texts(self, reading: NodeReading, compiled: str, texts: Mapping[str, str]) -> list[str]:
        """The SQL texts to look into; a rendering with markers says nothing that the compiled text does not."""
        if reading.is_python or not reading.is_rendered or reading.is_plain_test:
            return []
        return [text for text in dict.fromkeys([compiled, *texts.values()]) if text and (text == compiled or MARK not in text)]

    def _reads(self, node: Any, reading: NodeReading, compiled: str, texts: Mapping[str, str]) -> DeclaredReads:
        if reading.is_python:
            return self._inputs.of_python(reading.code.raw_code)
        return together([self._inputs.of_sql(node, reading, text) for text in self._texts(reading, compiled, texts)])


def together(reads: Iterable[DeclaredReads]) -> DeclaredReads:
    """What several texts read."""
    several = tuple(reads)
    return DeclaredReads(
        tuple(dict.fromkeys(relation for one in several for relation in one.relations)),
        tuple(dict.fromkeys(file for one in several for file in one.files)),
        tuple(dict.fromkeys(why for one in several for why in one.opaque)),
    )


def form_parts(reading: NodeReading, texts: Mapping[str, str], dialect: str | None) -> dict[str, Part]:
    """The digests of rendered forms."""
    return {name: Part(form_digest(reading, text, dialect)) for name, text in texts.items()}


def form_digest(reading: NodeReading, text: str, dialect: str | None) -> str:
    """The digest of one rendered text, without comments."""
    return python_digest(text) if reading.is_python else token_digest(text, dialect)


def _executed_parts(entries: Mapping[str, str]) -> dict[str, Part]:
    by_group: dict[PartGroup, dict[str, str]] = {}
    for key, value in entries.items():
        if is_in_execution(key):
            by_group.setdefault(group_of(key), {})[key] = value
    names = {PartGroup.CODE: EXECUTED, PartGroup.ENGINE: ENGINE}
    return {names[group]: Part(digest_of(read), group) for group, read in by_group.items()}


def _together(one: Mapping[str, Rendered], other: Mapping[str, Rendered]) -> dict[str, Rendered]:
    found: dict[str, Rendered] = {}
    for some in (one, other):
        for unique_id, rendered in some.items():
            found.setdefault(unique_id, Rendered()).add(rendered)
    return found
