"""The config of every node that can have settings of ours, with the places where it can have been written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from afresh.config.node_settings import NodeConfig
from afresh.config.written import ConfigFiles, Written
from afresh.core.node import NodeId
from afresh.dbt.compat import invocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TABLES = ("nodes", "sources", "unit_tests", "functions")


def node_configs(manifest: Any, config: Any) -> Iterator[NodeConfig]:
    """The configs of a manifest's nodes, sources, tests and functions; ``config`` is dbt's of the project that runs."""
    root, project = Path(str(config.project_root)), str(config.project_name)
    files = {project: ConfigFiles(root)}
    for table in _TABLES:
        for raw in getattr(manifest, table, {}).values():
            package = str(raw.package_name)
            if package not in files:
                files[package] = _files_of_package(package, config, root)
            yield _node_config(raw, files[package], over=None if package == project else files[project])


def _files_of_package(package: str, config: Any, root: Path) -> ConfigFiles:
    found: Mapping[str, Any] = getattr(config, "dependencies", None) or {}
    if package not in found:
        return ConfigFiles(None)
    folder = Path(str(found[package].project_root))
    return ConfigFiles(folder, os.path.relpath(folder, root))


def _node_config(raw: Any, files: ConfigFiles, over: ConfigFiles | None) -> NodeConfig:
    kind = str(getattr(raw.resource_type, "value", raw.resource_type))
    written = _written(raw, kind, files, over)
    config = invocation.node_config(raw)
    if kind == "source":
        config = _with_meta_beside_config(raw, config, written)
    return NodeConfig(NodeId(raw.unique_id), str(raw.original_file_path), config, kind, written)


def _written(raw: Any, kind: str, files: ConfigFiles, over: ConfigFiles | None) -> Written:
    file, patch = str(raw.original_file_path), getattr(raw, "patch_path", None)
    properties = str(patch).partition("://")[2] if patch else file if file.endswith((".yml", ".yaml")) else None
    names = (str(raw.source_name), str(raw.name)) if kind == "source" else (str(raw.name),)
    in_file = getattr(raw, "config_call_dict", None) or {}
    version = getattr(raw, "version", None)
    return Written(files, kind, names, tuple(raw.fqn), file, properties, in_file, "" if version is None else str(version), over)


def _with_meta_beside_config(raw: Any, config: dict[str, Any], written: Written) -> dict[str, Any]:
    """A source's config with the ``meta`` that stands beside ``config``, which dbt 1.8 and 1.9 keep apart."""
    meta, beside = config.get("meta") or {}, (getattr(raw, "meta", None) or {}).get("afresh")
    if beside is None:
        return config
    place = written.place_of("meta.afresh")
    stands_in_config = place is not None and place.own and not place.beside_config
    return config if "afresh" in meta and stands_in_config else {**config, "meta": {**meta, "afresh": beside}}
