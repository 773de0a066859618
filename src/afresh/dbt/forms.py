"""The forms of a node's SQL, rendered for comparison: as a first load, and as a later run of an incremental model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from afresh.dbt.code_memo import FULL, INCREMENTAL
from afresh.dbt.own_content import OwnQuestions
from afresh.dbt.recording import Rendered
from afresh.dbt.render_guard import OwnContent, ReadingGuard
from afresh.dbt.volatile_marks import Marks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.dbt.code_memo import CodeMemo
    from afresh.dbt.compat.rendering import FingerprintRendering, Renderer
    from afresh.dbt.node_reading import NodeReading

WITH_SIDE_EFFECTS = "rendering it has side effects: "
_NOT_RENDERED = "its code cannot be rendered for comparison: "


@dataclass
class Forms:
    """The texts that rendering gave, what it read on the way, and why there is no text, if so."""

    texts: dict[str, str] = field(default_factory=dict)
    found: dict[str, Rendered] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    not_reusable: str | None = None

    def add(self, found: Mapping[str, Rendered]) -> None:
        """Take over what a rendering read, by node."""
        for unique_id, rendered in found.items():
            self.found.setdefault(unique_id, Rendered()).add(rendered)


class FormRenderer:
    """Renders the forms of nodes; every rendering may only read."""

    def __init__(self, renderer: Renderer, *, dialect: str | None, volatile_env: tuple[str, ...]) -> None:
        self._renderer = renderer
        self._dialect = dialect
        self._volatile_env = volatile_env

    def render(self, node: Any, reading: NodeReading, memo: CodeMemo, *, exists: bool) -> Forms:
        """Both forms. There is no incremental one where ``is_incremental()`` is not asked or the relation does not exist."""
        forms = Forms()
        self.render_form(node, memo, forms, incremental=False if reading.code.resource_type.value == "model" else None)
        if reading.is_incremental and exists and forms.not_reusable is None and asks_incremental(forms.found.get(node.unique_id)):
            self.render_form(node, memo, forms, incremental=True)
        return forms

    def render_form(self, node: Any, memo: CodeMemo, forms: Forms, *, incremental: bool | None) -> None:
        """Render one form into ``forms``."""
        done = self._rendered(node, memo, forms.marks, incremental=incremental)
        if done.sql is None and done.stopped is None and not forms.marks.plain:
            plain = Marks(plain=True)  # some code cannot work with a marker in place of a date
            again = self._rendered(node, memo, plain, incremental=incremental)
            if again.sql is not None:
                done, forms.marks = again, plain
        forms.add(done.found)
        if done.stopped is not None:
            forms.not_reusable = WITH_SIDE_EFFECTS + done.stopped
        elif done.sql is None:
            forms.not_reusable = _NOT_RENDERED + (done.failed or "no reason given")
        else:
            forms.texts[INCREMENTAL if incremental else FULL] = done.sql

    def _rendered(self, node: Any, memo: CodeMemo, marks: Marks, *, incremental: bool | None) -> FingerprintRendering:
        own = OwnContent(
            asks_own=OwnQuestions(node, self._dialect).asks_own,
            kept=memo.kept,
            orders=memo.orders,
            make_table=self._renderer.make_table,
            make_column=self._renderer.make_column,
        )
        guard = ReadingGuard(dialect=self._dialect, own=own, volatile_env=self._volatile_env, before_first_read=self._renderer.read_only)
        return self._renderer.render(node, guard=guard, marks=marks, incremental=incremental)


def asks_incremental(rendered: Rendered | None) -> bool:
    """Whether a rendering asked ``is_incremental()``, dbt's or an override of it."""
    return rendered is not None and any(macro.rpartition(".")[2] == "is_incremental" for macro in rendered.reached.macros)
