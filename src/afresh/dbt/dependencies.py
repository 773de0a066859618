"""The entries of a node's depfile: which keys a recording gives, and what each key's value is now.

One key spells where the value is looked up: ``var:<package>/<name>``, ``env:<NAME>``, ``config:<node>/<key>``,
``ctx:<node>/<path>``, ``macro:<name>``. A ``!`` before the name marks what was read in execution only, where no rendering
can show that it made no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from afresh.core.version import PartChange, PartGroup
from afresh.dbt.compat.reads_now import MISSING, ReadsNow
from afresh.dbt.jinja_members import context_reads
from afresh.fingerprint.config_parts import NEVER_COUNTED
from afresh.fingerprint.depfile import ReadKind, entry_key, split_key
from afresh.fingerprint.digest import digest_of, spelled
from afresh.fingerprint.env_vars import env_digest, is_volatile_env_var
from afresh.fingerprint.macros import candidates, macro_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.dbt.recording import Reached

IN_EXECUTION = "!"
DISPATCH = "dispatch"
_SAYS_WHERE = frozenset({"enabled", "full_refresh", "alias", "schema", "database", "target_schema", "target_database", "state"})
"""Configs that say where and whether, not what; dbt's own macros read them everywhere."""
_COMPILED = ("model.compiled", "model.compiled_code", "model.compiled_sql", "model.compiled_path", "model.build_path")
_WELL_KNOWN = frozenset({"is_incremental", "should_full_refresh", "statement", "run_query"})
"""Macros of dbt's own whose reads are known: the first two are answered both ways; the others pass ``model`` on to Python jobs only."""


class Dependencies:
    """Derives keys and their present values for the nodes of one run."""

    def __init__(self, now: ReadsNow, *, key: bytes, volatile_env: tuple[str, ...], find: Callable[[str], Any]) -> None:
        self._now = now
        self._key = key
        self._volatile_env = volatile_env
        self._find = find
        self._macro_digests: dict[tuple[str, bool | None], str] = {}

    # --- keys of a recording ------------------------------------------------------------------------------------------

    def of_rendering(self, node: Any, reached: Reached, text: str) -> Reads:
        """What rendering the text of one node depends on."""
        names = self._names(reached.macros)
        reads = context_reads([text, *self._texts(reached.macros, without=_WELL_KNOWN)])
        keys = [entry_key(ReadKind.MACRO, name) for name in names]
        keys += self._common(node, reached, mark="")
        keys += [entry_key(ReadKind.CTX, f"{node.unique_id}/{path}") for path in reads.paths]
        if any("__" in name for name in names):
            keys.append(entry_key(ReadKind.CTX, f"{node.unique_id}/{DISPATCH}"))
        return Reads(frozenset(keys), reads.dynamic, reads.volatile)

    def of_execution(self, node: Any, reached: Reached, hooks: Iterable[str]) -> frozenset[str]:
        """What executing one node depends on, beside its SQL. What dbt's own macros read of the context is dbt's business."""
        own, engine = self._by_owner(reached.macros)
        reads = context_reads([*hooks, *(macro.macro_sql for macro in own)])
        names = sorted({macro.name for macro in (*own, *engine)})
        keys = [entry_key(ReadKind.EXEC_MACRO, name) for name in names if self._macros(name, engine=False)]
        keys += self._common(node, reached, mark=IN_EXECUTION)
        keys += [entry_key(ReadKind.CTX, f"{IN_EXECUTION}{node.unique_id}/{path}") for path in reads.paths if _tells(path)]
        if names:
            keys.append(entry_key(ReadKind.ENGINE_MACRO, ",".join(names)))
        return frozenset(keys)

    def _common(self, node: Any, reached: Reached, *, mark: str) -> list[str]:
        keys = [entry_key(ReadKind.VAR, f"{mark}{package}/{name}") for package, name in reached.vars]
        keys += [entry_key(ReadKind.ENV, mark + name) for name in reached.env if not is_volatile_env_var(name, self._volatile_env)]
        return [*keys, *(entry_key(ReadKind.CONFIG, f"{mark}{node.unique_id}/{key}") for key in _config_keys(node, reached, mark))]

    def _names(self, unique_ids: Iterable[str]) -> list[str]:
        return sorted({macro.name for unique_id in unique_ids if (macro := self._now.macro(unique_id)) is not None})

    def _texts(self, unique_ids: Iterable[str], without: frozenset[str]) -> Iterator[str]:
        for unique_id in sorted(unique_ids):
            macro = self._now.macro(unique_id)
            if macro is not None and not (macro.name in without and self._now.is_engine_macro(macro)):
                yield macro.macro_sql

    def _by_owner(self, unique_ids: Iterable[str]) -> tuple[list[Any], list[Any]]:
        found = [macro for unique_id in sorted(unique_ids) if (macro := self._now.macro(unique_id)) is not None]
        return [one for one in found if not self._now.is_engine_macro(one)], [one for one in found if self._now.is_engine_macro(one)]

    def variables(self, keys: Iterable[str]) -> set[str]:
        """What people call the vars and environment variables among these keys."""
        return {self.named(key)[0] for key in keys if split_key(key)[0] in (ReadKind.VAR, ReadKind.ENV)}

    # --- values now ---------------------------------------------------------------------------------------------------

    def values(self, keys: Iterable[str]) -> dict[str, str]:
        """The digest that each key has now; keys without a value are left out."""
        return {key: value for key in keys if (value := self.value(key)) is not None}

    def value(self, key: str) -> str | None:
        """The digest of a key's value now."""
        kind, name = split_key(key)
        name = name.removeprefix(IN_EXECUTION)
        match kind:
            case ReadKind.MACRO:
                return self._macros(name, engine=None)
            case ReadKind.EXEC_MACRO:
                return self._macros(name, engine=False)
            case ReadKind.ENGINE_MACRO:
                return digest_of([self._macros(one, engine=True) for one in name.split(",")])
            case ReadKind.VAR:
                package, _, var = name.partition("/")
                return self._secret(key, self._now.var(package, var))
            case ReadKind.ENV:
                return env_digest(name, self._now.env(name), key=self._key)
            case ReadKind.CONFIG | ReadKind.CTX:
                return self._of_node(kind, name)
            case _:
                return None

    def _of_node(self, kind: ReadKind, name: str) -> str | None:
        unique_id, _, path = name.partition("/")
        node = self._find(unique_id)
        if node is None:
            return None
        if kind is ReadKind.CONFIG:
            return self._secret(path, self._now.config_key(node, path))
        if path == DISPATCH:
            return digest_of(self._now.dispatch)
        return self._secret(path, self._now.member(node, path))

    def _secret(self, name: str, value: Any) -> str:
        """A keyed digest: vars, configs and connection settings may hold what nobody should guess."""
        return env_digest(name, spelled(_plain(value)), key=self._key)

    def _macros(self, name: str, *, engine: bool | None) -> str:
        """The digest of every macro that could answer to a name; only those of dbt and the adapter, or only the others, if asked so."""
        asked = (name, engine)
        if asked not in self._macro_digests:
            found = [(macro.unique_id, macro_digest(macro.macro_sql)) for macro in self._answering(name, engine=engine)]
            self._macro_digests[asked] = digest_of(sorted(found)) if found else ""
        return self._macro_digests[asked]

    def _answering(self, name: str, *, engine: bool | None) -> list[Any]:
        return [
            macro
            for candidate in candidates(name, self._now.adapter_types)
            for macro in self._now.macros_named(candidate)
            if engine is None or self._now.is_engine_macro(macro) is engine
        ]

    # --- what changed -------------------------------------------------------------------------------------------------

    def changed(self, recorded: Mapping[str, str]) -> tuple[str, ...]:
        """The keys whose value is not the recorded one now."""
        return tuple(sorted(key for key, value in recorded.items() if self.value(key) != value))

    def in_execution(self, recorded: Mapping[str, str], changed: Iterable[str]) -> tuple[PartChange, ...]:
        """The changes that need no rendering to count: what execution reads, and macros that newly win there."""
        found = {self.named(key) for key in changed if is_in_execution(key)}
        found |= {(self._macro_name(name), PartGroup.CODE) for name in self._newly_own(recorded)}
        return tuple(PartChange(name, group, "", "") for name, group in sorted(found))

    def _newly_own(self, recorded: Mapping[str, str]) -> Iterator[str]:
        """Names to which only dbt and the adapter answered, and to which a macro of the project or a package answers now."""
        for key in recorded:
            kind, names = split_key(key)
            if kind is ReadKind.ENGINE_MACRO:
                for name in names.split(","):
                    if entry_key(ReadKind.EXEC_MACRO, name) not in recorded and self._macros(name, engine=False):
                        yield name

    def named(self, key: str) -> tuple[str, PartGroup]:
        """What people call the part that a key stands for, and what its change means."""
        kind, name = split_key(key)
        if kind in (ReadKind.MACRO, ReadKind.EXEC_MACRO):
            return self._macro_name(name), PartGroup.CODE
        return _named(kind, name.removeprefix(IN_EXECUTION))

    def _macro_name(self, name: str) -> str:
        """The name by which a macro is called, without the prefix of a dispatch."""
        return "macro." + min(candidates(name, self._now.adapter_types), key=len)


def is_in_execution(key: str) -> bool:
    """Whether a key is about execution, where nothing can be rendered for comparison."""
    kind, name = split_key(key)
    return kind in (ReadKind.EXEC_MACRO, ReadKind.ENGINE_MACRO) or name.startswith(IN_EXECUTION)


def group_of(key: str) -> PartGroup:
    """What a change of a key's value means."""
    return PartGroup.ENGINE if split_key(key)[0] is ReadKind.ENGINE_MACRO else PartGroup.CODE


def _named(kind: ReadKind, name: str) -> tuple[str, PartGroup]:
    if kind is ReadKind.ENGINE_MACRO:
        return "engine_macros", PartGroup.ENGINE
    if kind in (ReadKind.VAR, ReadKind.CONFIG, ReadKind.CTX):
        name = name.partition("/")[2]
    return (name if kind is ReadKind.CTX else f"{kind.value}.{name}"), PartGroup.CODE


class Reads:
    """Keys of one rendering, whether it reads names that are computed, and the names in it that move by themselves."""

    __slots__ = ("dynamic", "keys", "volatile")

    def __init__(self, keys: frozenset[str], dynamic: bool, volatile: frozenset[str]) -> None:  # noqa: FBT001 - a field
        self.keys = keys
        self.dynamic = dynamic
        self.volatile = volatile


def _config_keys(node: Any, reached: Reached, mark: str) -> Iterator[str]:
    """Config keys that were read; of those that execution read, only the ones that are not compared as configs anyway."""
    meta = getattr(getattr(node, "config", None), "meta", None) or {}
    for key in reached.config:
        if not mark or key in meta or key.startswith("meta.") or (key in NEVER_COUNTED and key not in _SAYS_WHERE):
            yield key


def _tells(path: str) -> bool:
    """Whether a path that execution reads says anything of one value: a whole member would say that something changed somewhere.

    What compiling fills in is not there before it, and is compared itself.
    """
    return path not in ("flags", "invocation_args_dict", "selected_resources", "model", "config.model", *_COMPILED)


def _plain(value: Any) -> Any:
    if value is MISSING:
        return {"missing": True}
    to_dict = getattr(value, "to_dict", None)
    return to_dict() if callable(to_dict) else value
