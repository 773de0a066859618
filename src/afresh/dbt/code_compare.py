"""Comparing a node's code with the record of its last build, in two stages (semantics §1, "Code version").

Stage 1 renders nothing: text and configs are equal, and everything that the last rendering and execution read still has
its value. Stage 2 renders, and compares what rendering decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from afresh.core.version import CodeVersion, PartChange, PartGroup, changed_parts
from afresh.dbt.code_memo import FULL, INCREMENTAL, CodeMemo
from afresh.dbt.code_record import ENGINE, EXECUTED, form_digest
from afresh.dbt.dependencies import is_in_execution
from afresh.dbt.forms import asks_incremental
from afresh.fingerprint.kept_code import kept_code
from afresh.fingerprint.sql import Equality, same_sql
from afresh.orchestration.code_types import CodeComparison

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from afresh.dbt.code_record import CodeTracer
    from afresh.dbt.dependencies import Dependencies
    from afresh.dbt.forms import FormRenderer, Forms
    from afresh.dbt.node_reading import NodeReader, NodeReading

_NOT_ALONE = frozenset({FULL, INCREMENTAL, EXECUTED, ENGINE})
NO_RECORD = "the record of its last build cannot be read"
OTHER_ALGORITHM = "its last build was recorded by another version of Afresh, and not enough is kept to compare its code with it"


class CodeComparer:
    """Answers how a node's code differs from a trace."""

    def __init__(
        self,
        *,
        reader: NodeReader,
        dependencies: Dependencies,
        tracer: CodeTracer,
        forms: FormRenderer,
        dialect: str | None,
        exists: Callable[[Any], bool],
    ) -> None:
        self._reader = reader
        self._dependencies = dependencies
        self._tracer = tracer
        self._forms = forms
        self._dialect = dialect
        self._exists = exists

    def compare(self, node: Any, built: CodeVersion, memo: CodeMemo | None, compiled: str | None) -> CodeComparison:
        """Every part of the node's code that differs from that of a build."""
        reading = self._reader.read(node)
        unknown = reading.not_reusable or (NO_RECORD if memo is None else None)
        if unknown is not None or memo is None:
            return CodeComparison(not_reusable=unknown)
        recorded = built if built.is_comparable else memo.parts_again()
        if recorded is None:
            return CodeComparison(not_reusable=OTHER_ALGORITHM)
        entries = memo.depfile.entries
        changed = self._dependencies.changed(entries)
        sure = (*_changed_alone(recorded, reading), *self._dependencies.in_execution(entries, changed))
        rendered_from = tuple(key for key in changed if not is_in_execution(key))
        is_text_equal = memo.is_comparable and memo.raw == reading.raw and not rendered_from
        if is_text_equal and memo.stopped is not None:
            return CodeComparison(sure, not_reusable=memo.stopped)
        if is_text_equal and not (memo.depfile.must_render and reading.is_rendered):
            return CodeComparison(sure)
        if not reading.is_rendered:
            return CodeComparison(_once((*sure, *self._blamed(rendered_from))))
        blamed = rendered_from if memo.is_comparable else ()  # by digests of another algorithm nobody can tell which of them changed
        return self._rendered(node, built, memo, compiled, sure=sure, rendered_from=blamed)

    def _rendered(
        self,
        node: Any,
        built: CodeVersion,
        memo: CodeMemo,
        compiled: str | None,
        *,
        sure: tuple[PartChange, ...],
        rendered_from: tuple[str, ...],
    ) -> CodeComparison:
        reading = self._reader.read(node)
        forms = self._forms.render(node, reading, memo, exists=self._exists(node))
        if forms.not_reusable is not None:
            changes = _once((*sure, *self._text_changes(memo, reading, rendered_from))) if sure or memo.raw != reading.raw else ()
            return CodeComparison(changes, not_reusable=forms.not_reusable, rendered=True)
        differs = [
            name for name, text in _to_compare(forms, memo, node) if not self._same(reading, built, memo, compiled, name=name, text=text)
        ]
        if differs:
            return CodeComparison(_once((*sure, *self._text_changes(memo, reading, rendered_from))), rendered=True)
        fresh = None if sure else self._fresh(node, reading, memo, forms)
        return CodeComparison(sure, rendered=True, depfile=fresh)

    def _same(self, reading: NodeReading, built: CodeVersion, memo: CodeMemo, compiled: str | None, *, name: str, text: str) -> bool:
        recorded = built.parts.get(name) or built.parts.get(FULL)
        digest = form_digest(reading, text, self._dialect)
        if built.is_comparable and recorded is not None and recorded.digest == digest:
            return True
        before = memo.text(name, compiled) if name in memo.forms else memo.text(FULL, compiled)
        if before is None or reading.is_python:
            return before is not None and form_digest(reading, before, self._dialect) == digest
        return same_sql(before, text, self._dialect) is not Equality.DIFFERENT

    # --- what to call a difference ------------------------------------------------------------------------------------

    def _text_changes(self, memo: CodeMemo, reading: NodeReading, rendered_from: Iterable[str]) -> tuple[PartChange, ...]:
        """Rendering gave other SQL: because of the text, because of what was read, or because of an answer of the warehouse."""
        blamed = self._blamed(rendered_from)
        if memo.raw != reading.raw:
            return (_change("sql"), *blamed)
        return blamed or (_change("query_results" if memo.depfile.queries else "sql"),)

    def _blamed(self, keys: Iterable[str]) -> tuple[PartChange, ...]:
        return tuple(_change(name) for name in sorted({self._dependencies.named(key)[0] for key in keys}))

    # --- a fresh record -----------------------------------------------------------------------------------------------

    def _fresh(self, node: Any, reading: NodeReading, memo: CodeMemo, forms: Forms) -> bytes:
        """The record of the same build, with what rendering reads now: the next run needs no rendering."""
        traced = self._tracer.traced(node, forms.found)
        executed = {key: value for key, value in memo.depfile.entries.items() if is_in_execution(key)}
        depfile = self._tracer.depfile(traced, {**executed, **self._dependencies.values(traced.keys)})
        kept = {**traced.kept, **memo.kept}
        orders = {**traced.orders, **memo.orders}
        now = replace(memo, depfile=depfile, raw=reading.raw, kept=kept, orders=orders)
        return replace(now, code=kept_code(reading.code), algorithm=CodeVersion().algorithm).to_bytes()


def _to_compare(forms: Forms, memo: CodeMemo, node: Any) -> Iterator[tuple[str, str]]:
    """The forms of now with the names of the forms they are to be compared with.

    Code that does not ask ``is_incremental()`` has one form, which stands for both.
    """
    full = forms.texts[FULL]
    yield FULL, full
    if INCREMENTAL in forms.texts:
        yield INCREMENTAL, forms.texts[INCREMENTAL]
    elif INCREMENTAL in memo.forms and not asks_incremental(forms.found.get(node.unique_id)):
        yield INCREMENTAL, full


def _changed_alone(recorded: CodeVersion, reading: NodeReading) -> tuple[PartChange, ...]:
    """Parts that compare by themselves: configs, columns, names, a seed's file, a test's arguments."""
    before = {name: part for name, part in recorded.parts.items() if name not in _NOT_ALONE}
    return changed_parts(CodeVersion(before), CodeVersion(reading.parts))


def _once(changes: Iterable[PartChange]) -> tuple[PartChange, ...]:
    """Each part once: a macro may be reached in rendering and in execution."""
    return tuple({(change.name, change.group): change for change in changes}.values())


def _change(name: str) -> PartChange:
    return PartChange(name, PartGroup.CODE, "", "")
