"""The record that the code service keeps of one build, as bytes in the state.

Everything in it is about *how the SQL came to be*: the depfile, the text it was made from (as a digest), the renderings
that differ from what dbt compiled, and the answers about the node's own relation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from afresh.core.version import CodeVersion
from afresh.fingerprint.depfile import Depfile
from afresh.fingerprint.kept_code import code_of_kept, parts_alone

_FORMAT = 1
FULL, INCREMENTAL = "sql", "sql.incremental"
"""The two forms of a node's SQL: as a first load, and as a later run of an incremental model."""


@dataclass(frozen=True)
class CodeMemo:
    """``forms`` holds the text of each rendered form, ``None`` where it is what dbt compiled. ``kept``: answers to be given again."""

    depfile: Depfile = field(default_factory=Depfile)
    raw: str = ""
    forms: Mapping[str, str | None] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    orders: Mapping[str, list[str]] = field(default_factory=dict)
    stopped: str | None = None
    """Why the node cannot be rendered for comparison."""
    code: Mapping[str, Any] | None = None
    """What another algorithm derives the parts from that compare by themselves (:func:`~afresh.fingerprint.kept_code.kept_code`)."""
    algorithm: int = field(default_factory=lambda: CodeVersion().algorithm)
    """By which algorithm the digests in this record were derived."""

    def to_bytes(self) -> bytes:
        """A compact JSON form with one spelling per record."""
        content = {
            "v": _FORMAT,
            "depfile": self.depfile.to_bytes().decode(),
            "raw": self.raw,
            "forms": dict(self.forms),
            "kept": dict(self.kept),
            "orders": dict(self.orders),
            "stopped": self.stopped,
            "code": self.code,
            "algorithm": self.algorithm,
        }
        return json.dumps(content, separators=(",", ":"), sort_keys=True, default=repr).encode()

    @staticmethod
    def from_bytes(data: bytes | None) -> CodeMemo | None:
        """The record that ``data`` holds; ``None`` when there is none, or it is not one of this format."""
        try:
            content = json.loads(data or b"")
            depfile = Depfile.from_bytes(content["depfile"].encode()) if content["v"] == _FORMAT else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        if depfile is None:
            return None
        code, algorithm = content.get("code"), content.get("algorithm", 1)
        return CodeMemo(depfile, content["raw"], content["forms"], content["kept"], content["orders"], content["stopped"], code, algorithm)

    @property
    def is_comparable(self) -> bool:
        """Whether its digests were derived as they are now."""
        return CodeVersion(algorithm=self.algorithm).is_comparable

    def parts_again(self) -> CodeVersion | None:
        """The parts that compare by themselves, derived again from what was kept; ``None`` where it cannot be read."""
        try:
            return None if self.code is None else CodeVersion(parts_alone(code_of_kept(self.code)))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def text(self, form: str, compiled: str | None) -> str | None:
        """The text of a form; ``None`` where the record has no such form."""
        if form not in self.forms:
            return None
        kept = self.forms[form]
        return compiled if kept is None else kept
