"""What is known of a node's code without rendering it: its named parts, the text it is made from, whether it can be reasoned about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from afresh.core.node import ResourceType
from afresh.dbt.plain_tests import is_plain_test
from afresh.dbt.seed_files import SEED_FILES
from afresh.fingerprint.digest import digest_of, digest_of_text
from afresh.fingerprint.kept_code import parts_alone
from afresh.fingerprint.macros import candidates, macro_digest
from afresh.fingerprint.sql import token_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.core.version import Part
    from afresh.dbt.compat.node_facts import NodeFacts
    from afresh.dbt.compat.reads_now import ReadsNow
    from afresh.fingerprint.node_code import NodeCode

_HOOKS = ("pre-hook", "post-hook", "pre_hook", "post_hook")
_JINJA_IN_COMMENT = re.compile(r"--[^\n]*[{%#]|/\*(?:(?!\*/).)*[{%#]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NodeReading:
    """Everything about one node that needs no rendering.

    ``parts`` are those that compare by themselves. ``raw`` stands for the text that would be rendered, with that of every ephemeral
    model that is inlined into it. ``hooks`` are rendered in execution only.
    """

    code: NodeCode
    parts: Mapping[str, Part]
    raw: str
    hooks: tuple[str, ...]
    not_reusable: str | None
    is_plain_test: bool = False
    """Its SQL reads what the graph lists and nothing that moves; nobody needs to look."""

    @property
    def is_rendered(self) -> bool:
        """Whether dbt renders a text for it that can be rendered for comparison."""
        return self.code.resource_type not in (ResourceType.SEED, ResourceType.UNIT_TEST)

    @property
    def is_python(self) -> bool:
        """Whether its text is Python."""
        return self.code.language == "python"

    @property
    def is_incremental(self) -> bool:
        """Whether later runs may render it in another way than the first."""
        return self.code.config.get("materialized") == "incremental"


class NodeReader:
    """Reads nodes of one manifest, once each."""

    def __init__(self, facts: NodeFacts, now: ReadsNow, *, project_root: Path, packages_path: str, dialect: str | None) -> None:
        self.facts = facts
        self._now = now
        self._project_root = project_root
        self._packages_path = packages_path
        self._dialect = dialect
        self._known: dict[str, NodeReading] = {}

    def read(self, node: Any) -> NodeReading:
        """The reading of a node."""
        known = self._known.get(node.unique_id)
        if known is None:
            known = self._known[node.unique_id] = self._read(node)
        return known

    def _read(self, node: Any) -> NodeReading:
        is_unit_test = str(getattr(node.resource_type, "value", node.resource_type)) == ResourceType.UNIT_TEST.value
        tested = self._tested(node) if is_unit_test else None
        code = self.facts.node_code(node, seed_digest=self._seed_digest(node), tested=tested)
        parts = parts_alone(code)
        plain = is_plain_test(code, is_dbts_own=self._is_dbts_own)
        return NodeReading(code, parts, self._raw(node), _hooks(code), self._custom_materialization(code), plain)

    def _is_dbts_own(self, name: str) -> bool:
        """Whether only dbt and the adapter answer to a macro's name."""
        answering = (macro for one in candidates(name, self._now.adapter_types) for macro in self._now.macros_named(one))
        return all(self._now.is_engine_macro(macro) for macro in answering)

    def _raw(self, node: Any) -> str:
        """The digest of all text that a rendering starts from. An inlined model brings its name and what it refers to."""
        inlined = [
            [
                above.unique_id,
                above.identifier,
                above.raw_code,
                sorted((one.unique_id, self.facts.relation_name(one)) for one in self.facts.parents(above)),
            ]
            for above in self.facts.ephemerals_above(node)
        ]
        return digest_of([getattr(node, "raw_code", "") or "", inlined])

    def _seed_digest(self, node: Any) -> str | None:
        if str(getattr(node.resource_type, "value", node.resource_type)) != ResourceType.SEED.value:
            return None
        return SEED_FILES.digest(self.seed_path(node))

    def seed_path(self, node: Any) -> Path:
        """Where dbt reads a seed from (``load_agate_table``)."""
        is_own = node.package_name == self._now.project_name
        base = self._project_root if is_own else self._project_root / self._packages_path / node.package_name
        path = base / node.original_file_path
        return path if path.exists() or not node.root_path else Path(node.root_path) / node.original_file_path

    # --- unit tests ---------------------------------------------------------------------------------------------------

    def _tested(self, node: Any) -> dict[str, str]:
        """The code of the tested model and of what is inlined into it, as far as a comment cannot change it."""
        model = next(iter(self.facts.parents(node)), None)
        if model is None:
            return {}
        reading = self.read(model)
        found = {
            name: part.digest
            for name, part in reading.parts.items()
            if not name.startswith(("relation", "config.")) or name in _UNIT_CONFIGS
        }
        found["text"] = self._text_digest(model)
        found.update({f"text.{above.unique_id}": self._text_digest(above) for above in self.facts.ephemerals_above(model)})
        return found

    def _text_digest(self, model: Any) -> str:
        """The text without comments. Jinja inside a SQL comment runs as any other, so such a text counts as it stands."""
        if _JINJA_IN_COMMENT.search(model.raw_code):
            return digest_of_text(model.raw_code)
        if "{#" in model.raw_code:
            return macro_digest(model.raw_code)
        return token_digest(model.raw_code, self._dialect)

    # --- materializations ---------------------------------------------------------------------------------------------

    def _custom_materialization(self, code: NodeCode) -> str | None:
        """Why a materialization that neither dbt nor the adapter has keeps a node from being reused, unless somebody vouched for it."""
        name = code.config.get("materialized")
        if not name or _is_vouched_for(code.config):
            return None
        names = [f"materialization_{name}_{adapter}" for adapter in (*self._now.adapter_types, "default")]
        owners = [self._now.is_engine_macro(macro) for one in names for macro in self._now.macros_named(one)]
        return None if not owners or any(owners) else f"custom materialization {name}"


_UNIT_CONFIGS = frozenset({"config.materialized", "config.sql_header"})


def _is_vouched_for(config: Mapping[str, Any]) -> bool:
    state = config.get("state")
    if not isinstance(state, dict):
        afresh = (config.get("meta") or {}).get("afresh")
        state = afresh if isinstance(afresh, dict) else {}
    return state.get("enabled") is True


def _hooks(code: NodeCode) -> tuple[str, ...]:
    hooks = [hook for key in _HOOKS for hook in code.config.get(key) or ()]
    return tuple(str(hook.get("sql", "")) if isinstance(hook, dict) else str(hook) for hook in hooks)
