"""The values that things read while rendering have now: vars, env vars, config keys, context members, macros.

Each is found the way dbt's own context finds it, without building that context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt import flags as dbt_flags
from dbt import selected_resources
from dbt.adapters.factory import get_adapter_package_names, get_adapter_type_names
from dbt.context.providers import RuntimeVar
from dbt.utils import args_to_dict
from dbt.version import __version__ as dbt_version
from dbt_common.context import get_invocation_context
from dbt_common.events.functions import get_metadata_vars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MISSING = object()
"""Stands for a value that is not there."""

_MODEL_BY_RUN = frozenset(
    {
        "build_path", "checksum", "compiled", "compiled_code", "compiled_path", "compiled_sql", "created_at", "defer_relation",
        "depends_on",
        "extra_ctes", "extra_ctes_injected", "relation_name", "batch", "metrics",
    }
)  # fmt: skip
"""Fields of ``model`` that the run itself fills in, or that stand beside the text they are made from."""


class _Owner:
    """All that dbt's ``var`` asks of the node it works for."""

    def __init__(self, package_name: str) -> None:
        self.package_name = package_name
        self.name = package_name
        self.fqn = [package_name]


class ReadsNow:
    """Looks values up for the nodes of one run."""

    def __init__(self, manifest: Any, config: Any) -> None:
        self._manifest = manifest
        self._config = config
        self._vars: dict[str, Mapping[str, Any]] = {}
        self._target: dict[str, Any] | None = None
        self._macros: dict[str, list[Any]] | None = None
        self.adapter_types: Sequence[str] = get_adapter_type_names(config.credentials.type)
        self.engine_packages = frozenset(get_adapter_package_names(config.credentials.type))

    def var(self, package: str, name: str) -> Any:
        """The value of a var as code of a package sees it, before any Jinja in it is rendered; MISSING if it has none."""
        if package not in self._vars:
            self._vars[package] = RuntimeVar({}, self._config, _Owner(package))._merged
        return self._vars[package].get(name, MISSING)

    def env(self, name: str) -> str | None:
        """The value of an environment variable as dbt sees it."""
        return get_invocation_context().env.get(name)

    def config_key(self, node: Any, key: str) -> Any:
        """The value of a key of the node's config."""
        config = getattr(node, "config", None)
        if config is None:
            return MISSING
        if key.startswith("meta."):
            return (getattr(config, "meta", None) or {}).get(key[len("meta.") :], MISSING)
        return config.get(key, MISSING)

    # --- macros -------------------------------------------------------------------------------------------------------

    def macros_named(self, name: str) -> Sequence[Any]:
        """Every macro of this name in any package."""
        if self._macros is None:
            self._macros = {}
            for macro in self._manifest.macros.values():
                self._macros.setdefault(macro.name, []).append(macro)
        return self._macros.get(name, ())

    @property
    def project_name(self) -> str:
        """The name of the root project."""
        return str(self._config.project_name)

    @property
    def macros(self) -> Mapping[str, Any]:
        """Every macro of the project, its packages, dbt and the adapter, by id."""
        found: Mapping[str, Any] = self._manifest.macros
        return found

    def macro(self, unique_id: str) -> Any:
        """A macro by its id; ``None`` where the project has none."""
        return self._manifest.macros.get(unique_id)

    def is_engine_macro(self, macro: Any) -> bool:
        """Whether a macro is owned by dbt or the adapter."""
        return macro.package_name in self.engine_packages

    @property
    def dispatch(self) -> Any:
        """The project's ``dispatch`` setting, which says whose macros win."""
        return [dict(entry) for entry in getattr(self._config, "dispatch", None) or ()]

    # --- members of the context ---------------------------------------------------------------------------------------

    def member(self, node: Any, path: str) -> Any:
        """The value at a dotted path of a context member; MISSING where there is none or nobody can tell."""
        root, *steps = path.split(".")
        if root == "model":
            return _walk(self._model(node, steps), steps)
        if root == "config":
            return _walk(self._model(node, ["config"]), ["config", *steps[1:]]) if steps[:1] == ["model"] else MISSING
        return _walk(self._root(node, root), steps)

    def _root(self, node: Any, root: str) -> Any:
        match root:
            case "target" | "env":
                if self._target is None:
                    self._target = dict(self._config.to_target_dict())
                return self._target
            case "flags":
                return dbt_flags.get_flag_obj()
            case "invocation_args_dict":
                return args_to_dict(self._config.args)
            case "selected_resources":
                return sorted(selected_resources.SELECTED_RESOURCES)
            case "dbt_version":
                return dbt_version
            case "dbt_metadata_envs":
                return get_metadata_vars()
            case "database" | "schema":
                return getattr(node, root, getattr(self._config.credentials, root, None))
            case "project_name":
                return self._config.project_name
            case _:
                return MISSING

    def _model(self, node: Any, steps: Sequence[str]) -> dict[str, Any]:
        fields = node.to_dict(omit_none=True)
        return {key: value for key, value in fields.items() if key not in _MODEL_BY_RUN or key in steps[:1]}


def _walk(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if value is MISSING or value is None:
            return value
        value = value.get(step, MISSING) if isinstance(value, dict) else getattr(value, step, MISSING)
    return value
