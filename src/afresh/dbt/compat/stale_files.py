"""Files that dbt 1.12 takes for unchanged although they are not (dbt-notes 3.1).

It compares checksums of contents in which white space is compacted, inside string literals too; partial parsing then keeps
the old text. Older versions compare the contents as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.clients.yaml_helper import load_yaml_text
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.parser import read_files
from dbt.parser.manifest import ManifestLoader
from dbt_common.exceptions import DbtBaseException

if TYPE_CHECKING:
    from collections.abc import Iterator


def stale_parse_files(manifest: Any, project_dir: str | Path) -> list[str]:
    """Paths of files whose text on disk is not the text that ``manifest`` was parsed from: dbt has to parse them again.

    Costs one ``stat`` per file; only files whose modification time moved are read. Empty on versions that compare contents.
    """
    if not hasattr(read_files, "normalize_file_contents"):
        return []
    return sorted(
        str(path) for file in manifest.files.values() if (path := _moved(file, Path(project_dir))) and _is_stale(manifest, file, path)
    )


def _moved(file: Any, project_dir: Path) -> Path | None:
    """Where the file is, if it was written since it was parsed."""
    parsed_at = getattr(file.path, "modification_time", 0.0)
    if not parsed_at:
        return None
    path = project_dir / file.path.absolute_path
    try:
        return path if path.stat().st_mtime != parsed_at else None
    except OSError:
        return None


def _is_stale(manifest: Any, file: Any, path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return True
    kind = str(getattr(file.parse_file_type, "value", file.parse_file_type))
    if kind == "seed":
        return False  # seeds are hashed as they are
    if kind == "schema":
        return _yaml_differs(file, text)
    return any(part not in text for part in _parsed_texts(manifest, file)) or (kind in _ONE_TEXT and _texts_differ(manifest, file, text))


_ONE_TEXT = ("model", "analysis", "singular_test")


def _texts_differ(manifest: Any, file: Any, text: str) -> bool:
    return any(one != text for one in _parsed_texts(manifest, file))


def _parsed_texts(manifest: Any, file: Any) -> Iterator[str]:
    for names, table, field in (("nodes", manifest.nodes, "raw_code"), ("functions", getattr(manifest, "functions", {}), "raw_code")):
        yield from _texts(getattr(file, names, ()), table, field)
    yield from _texts(getattr(file, "macros", ()), manifest.macros, "macro_sql")
    yield from _texts(getattr(file, "docs", ()), manifest.docs, "block_contents")


def _texts(unique_ids: Any, table: Any, field: str) -> Iterator[str]:
    for unique_id in unique_ids:
        if unique_id in table:
            yield str(getattr(table[unique_id], field)).strip()


def _yaml_differs(file: Any, text: str) -> bool:
    try:
        return bool(load_yaml_text(text) != file.dfy)
    except DbtBaseException:
        return True


def parse_again_if_stale(task: Any) -> bool:
    """Give a task a manifest of what its files say now, where dbt kept the old text of some; says whether it was needed."""
    if task.manifest is None or not stale_parse_files(task.manifest, task.config.project_root):
        return False
    Path(task.config.project_target_path, PARTIAL_PARSE_FILE_NAME).unlink(missing_ok=True)
    task.manifest = ManifestLoader.get_full_manifest(task.config, reset=True)
    return True
