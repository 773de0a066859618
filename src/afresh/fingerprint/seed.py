"""Seeds: the file's bytes, at any size. How they are read (delimiter, column types, quoting) are configs like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.version import Part

if TYPE_CHECKING:
    from afresh.fingerprint.node_code import NodeCode


def seed_parts(code: NodeCode) -> dict[str, Part]:
    """``file``: the digest of the file. A seed whose file nobody could read has no such part: its caller must not call it comparable."""
    return {"file": Part(code.seed_digest)} if code.seed_digest else {}
