"""Has anybody but our own jobs written to a DuckDB file? One look at each file answers for all relations in it.

DuckDB lets one process write at a time, and every commit moves the size or time of the file or of the log beside it. So
as long as each job finds a file as the last one left it, nothing was changed outside and nothing needs to be read. Once
a job finds it otherwise a new epoch begins, and each relation is compared by content before it belongs to that epoch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from afresh.core.observation import OutsideChange
from afresh.warehouse.asks import AskFiles, FileStats, Rows, ask_one
from afresh.warehouse.duckdb_catalog import DATABASES, Database, folded, read_databases
from afresh.warehouse.duckdb_content import ALGORITHM
from afresh.warehouse.files import RACY_NS, file_guard
from afresh.warehouse.probe import NO_CHAINS, AfterBuild, Built, Chains, FileChain, Held, Outside, Purpose, token_of
from afresh.warehouse.tokens import compare_recorded, token_parts, write_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.warehouse.asks import Answer, Probing
    from afresh.warehouse.probe import ProbeAnswer, Target

_EPOCH = "epoch"


def attached() -> Probing[tuple[dict[str, Database], dict[str, str]]]:
    """The attached databases by folded name, and the real path of the file of each that is a file."""
    answer = yield from ask_one(DATABASES)
    databases = read_databases(answer) if isinstance(answer, Rows) else {}
    in_files = {name: database for name, database in databases.items() if database.is_file}
    if not in_files:
        return databases, {}
    answers = yield tuple(AskFiles((database.path,)) for database in in_files.values())
    paths = {name: _real_path(answer) for name, answer in zip(in_files, answers, strict=True)}
    return databases, {name: path for name, path in paths.items() if path}


def _real_path(answer: Answer) -> str:
    return answer.files[0].path if isinstance(answer, FileStats) and len(answer.files) == 1 else ""


def arrive(stored: Mapping[str, FileChain]) -> Probing[Chains]:
    """The chains as this job finds them: continued where the file is as it was left, else in a new epoch."""
    _, places = yield from attached()
    if not places:
        return NO_CHAINS
    guards = yield from _guards(sorted(set(places.values())))
    return Chains({path: _continued(stored.get(path), guard) for path, guard in guards.items()}, places)


def leave(chains: Chains) -> Probing[Chains]:
    """The chains as this job leaves them."""
    if not chains.files:
        return chains
    guards = yield from _guards(sorted(chains.files))
    return replace(chains, files={path: replace(chain, left=guards[path]) for path, chain in chains.files.items()})


def _guards(paths: list[str]) -> Probing[dict[str, str | None]]:
    answers = yield tuple(AskFiles((path, f"{path}.wal"), RACY_NS) for path in paths)
    return {path: file_guard(answer) for path, answer in zip(paths, answers, strict=True)}


def _continued(chain: FileChain | None, guard: str | None) -> FileChain:
    """``left`` is forgotten until the job leaves: a job that dies on the way leaves an unknown file behind."""
    known = chain or FileChain()
    unbroken = known.left is not None and known.left == guard
    return FileChain(known.epoch if unbroken else known.epoch + 1, None)


def own(target: Target) -> Target:
    """The target as a relation of ours, of which only the warehouse's own signs are wanted."""
    return replace(target, purpose=Purpose.OWN, loaded_at_field=None, loaded_at_query=None)


def in_epoch(token: str | None, chain: FileChain | None) -> str | None:
    """An ``outside_token``: what the relation held, and the epoch in which that was seen."""
    parts = token_parts(token) if token else {}
    parts.pop("algorithm", None)
    parts.pop(_EPOCH, None)
    if chain is not None:
        parts = {_EPOCH: str(chain.epoch), **parts}
    return write_token(ALGORITHM, parts) if parts else None


def is_vouched_for(held: Held, chains: Chains) -> bool:
    """Whether the file's chain alone says that nothing was changed outside."""
    chain = chains.of(folded(held.target.name.database))
    return chain is not None and held.recorded is not None and token_parts(held.recorded).get(_EPOCH) == str(chain.epoch)


def holds_content(recorded: str | None) -> bool:
    """Whether a recorded token says what the relation held, not only when it was seen."""
    return recorded is not None and bool(set(token_parts(recorded)) - {"algorithm", _EPOCH})


def outside_change(recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:
    """The difference by content. What was not recorded cannot be vouched for, so it counts as changed."""
    if recorded is None or not holds_content(recorded):
        why = "others may have written to the database file, and what it held was not recorded"
        return OutsideChange(recorded or "", token_of(observed) or "", why)
    return compare_recorded(recorded, observed, ignored=frozenset({_EPOCH}))


def finding(held: Held, observed: ProbeAnswer, chains: Chains) -> Outside:
    """What looking at the content has shown; a relation that is as it was belongs to the present epoch from now on."""
    change = outside_change(held.recorded, observed)
    if change is not None:
        return Outside(change)
    return Outside(None, refreshed=in_epoch(token_of(observed), chains.of(folded(held.target.name.database))))


def after_build(built: Built, observed: ProbeAnswer, chains: Chains) -> AfterBuild:
    """The token of a relation that this job has just built and nobody else could write to."""
    token = in_epoch(token_of(observed), chains.of(folded(built.target.name.database)))
    return AfterBuild(token, observed.relation_type, observed.signature)
