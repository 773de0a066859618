"""Seed files, hashed to their last byte at any size: dbt's own checksum stops at one MiB (dbt-notes 3.1)."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

_CHUNK = 1 << 20


class SeedFiles:
    """Digests of files, remembered as long as size and modification time stay."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], str] = {}
        self._lock = threading.Lock()

    def digest(self, path: Path) -> str | None:
        """The digest of a file's bytes; ``None`` if it cannot be read."""
        try:
            stat = path.stat()
            key = (str(path), stat.st_size, stat.st_mtime_ns)
            with self._lock:
                known = self._known.get(key)
            if known is None:
                known = _hash(path)
                with self._lock:
                    self._known[key] = known
        except OSError:
            return None
        return known


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()[:32]


SEED_FILES = SeedFiles()
"""The digests that this process knows."""
