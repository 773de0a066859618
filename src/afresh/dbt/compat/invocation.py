"""The current invocation of dbt: its flags, its project folder, its versions."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from dbt.flags import get_flags


def project_dir() -> Path:
    """The folder of the project that this invocation of dbt works on."""
    return Path(str(getattr(get_flags(), "PROJECT_DIR", None) or Path.cwd())).resolve()


def command() -> str:
    """The name of this invocation's command."""
    return str(getattr(get_flags(), "WHICH", ""))


def command_line() -> str:
    """The invocation as text, as dbt keeps it."""
    return str(getattr(get_flags(), "INVOCATION_COMMAND", "") or getattr(get_flags(), "WHICH", ""))


def dbt_version() -> str:
    """The version of dbt-core."""
    return metadata.version("dbt-core")


def adapter_version(adapter_type: str) -> str:
    """The version of the adapter's package, as far as it is called like the adapter."""
    try:
        return f"{adapter_type} {metadata.version(f'dbt-{adapter_type}')}"
    except metadata.PackageNotFoundError:
        return adapter_type


def node_config(raw: Any) -> dict[str, Any]:
    """A node's rendered config as plain values, with the ``null``s that the user wrote."""
    from afresh.config.node_settings import effective_config  # dbt asks this module for the project folder in every command

    config = getattr(raw, "config", None)
    if config is None:
        return {}
    rendered: dict[str, Any] = config.to_dict() if hasattr(config, "to_dict") else dict(config)
    unrendered: dict[str, Any] = getattr(raw, "unrendered_config", None) or {}
    in_file = getattr(raw, "config_call_dict", None) or {}
    if "freshness" in in_file and isinstance(unrendered.get("freshness"), str):  # 1.12 keeps what stands in the SQL file as its text
        unrendered = {**unrendered, "freshness": in_file["freshness"]}
    return effective_config(rendered, unrendered)
