"""Texts and bytes that traces refer to by digest: compiled SQL and depfiles. Equal content is kept once, compressed."""

from __future__ import annotations

import hashlib
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, text

from afresh.store.engine import chunks
from afresh.store.instants import length
from afresh.store.schema import BLOBS, TRACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.store.engine import Transaction

YOUNG = timedelta(hours=1)
"""Content younger than this is kept even if no trace names it yet: a transaction elsewhere may be about to."""

# Touching the row makes a concurrent collection wait for us, look again and leave it.
_PUT = text(
    """
    INSERT INTO afresh_blobs (digest, content, touched_at) VALUES (:digest, :content, :now)
    ON CONFLICT (digest) DO UPDATE SET touched_at = excluded.touched_at
    """
)


def put(tx: Transaction, content: bytes | str) -> str:
    """Keep ``content`` and return its digest."""
    return put_all(tx, (content,))[0]


def put_all(tx: Transaction, contents: Sequence[bytes | str]) -> list[str]:
    """Keep all ``contents`` and return their digests, in order."""
    raws = [content.encode(errors="surrogatepass") if isinstance(content, str) else content for content in contents]
    digests = [hashlib.sha256(raw).hexdigest()[:32] for raw in raws]
    distinct = dict(zip(digests, raws, strict=True))
    if distinct:
        rows = [{"digest": digest, "content": zlib.compress(raw), "now": tx.now} for digest, raw in distinct.items()]
        tx.conn.execute(_PUT, rows)
    return digests


def get(tx: Transaction, digests: Iterable[str]) -> Mapping[str, bytes]:
    """The contents of ``digests``; what is not there, or damaged, is absent."""
    wanted = [digest for digest in dict.fromkeys(digests) if digest]
    found: dict[str, bytes] = {}
    for some in chunks(wanted):
        for row in tx.conn.execute(select(BLOBS).where(BLOBS.c.digest.in_(some))):
            try:
                found[row.digest] = zlib.decompress(row.content)
            except zlib.error:
                continue
    return found


def collect(tx: Transaction) -> int:
    """Delete what no trace names any more; return how many."""
    named = select(TRACES.c.compiled_digest).union_all(select(TRACES.c.depfile_digest))
    old = delete(BLOBS).where(BLOBS.c.touched_at < tx.now - length(YOUNG), BLOBS.c.digest.not_in(named))
    return tx.conn.execute(old).rowcount
