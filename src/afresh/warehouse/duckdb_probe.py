"""The conversation with DuckDB about the data of relations.

Four rounds at most: the catalog (again while views lead on), the files, the content of the tables that no unchanged
file vouches for, and ``loaded_at_*``. The files are looked at before the content is read, so a write between the two
makes the next probe look again instead of passing unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core.version import Known, Unknown
from afresh.warehouse.asks import AskFiles, AskSql, Failed, Rows, ask_one
from afresh.warehouse.cells import marked, unmarked_rows
from afresh.warehouse.duckdb_catalog import (
    DATABASES,
    Catalog,
    CatalogRelation,
    ask_columns,
    ask_functions,
    ask_relations,
    folded,
    folded_name,
    read_columns,
    read_databases,
    read_functions,
    read_relations,
)
from afresh.warehouse.duckdb_content import ALGORITHM, TOGETHER, ask_contents, content_token, contents_parts
from afresh.warehouse.duckdb_ground import NOWHERE, Ground, ground_of, ground_of_reads
from afresh.warehouse.files import RACY_NS, FilesToken, ask_files, file_guard, files_token
from afresh.warehouse.probe import MISSING, Memo, ProbeAnswer, Purpose, Signal, Strength, unknown
from afresh.warehouse.tokens import digest, token_parts, write_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature
    from afresh.warehouse.asks import Answer, Ask, Probing
    from afresh.warehouse.names import Name
    from afresh.warehouse.probe import Answers, Limits, Memos, Target

SESSION_DATE = f"select {marked('current_date')} as answer"


@dataclass(frozen=True)
class _Found:
    """One target after the catalog was read."""

    target: Target
    relation: CatalogRelation | None
    ground: Ground
    dated: bool = False
    """Whether a definition on the way uses the current moment: then the date is part of the version."""


@dataclass(frozen=True)
class _Content:
    """The token of one table's content, or why there is none."""

    parts: dict[str, str]
    rows: int = 0
    why_unknown: str | None = None


def probe_duckdb(targets: Sequence[Target], memos: Memos, limits: Limits) -> Probing[Answers]:
    """The version of every target, by its key."""
    if not targets:
        return {}
    found = yield from _find(targets)
    if isinstance(found, Failed):
        return {target.key: unknown(f"DuckDB's catalog could not be read: {found.error}") for target in targets}
    catalog, finds = found
    guards, files, today = yield from _look_at_files(finds, catalog)
    standing = {find.target.key: memo for find in finds if (memo := _memo_that_stands(find, memos, guards)) is not None}
    tables = _to_read(finds, standing)
    contents = yield from _read_tables(sorted(tables), catalog, limits)
    return {
        find.target.key: _from_memo(find, standing[find.target.key])
        if find.target.key in standing
        else _answer(find, contents, files, guards, today)
        for find in finds
    }


def columns_of(targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:
    """Columns and types of tables and views as the catalog has them; nothing is read of what they hold."""
    answers = yield tuple(ask_columns(target.name) for target in targets)
    return {target.key: read_columns(answer) for target, answer in zip(targets, answers, strict=True) if isinstance(answer, Rows)}


# --- what there is ----------------------------------------------------------------------------------------------------


def _find(targets: Sequence[Target]) -> Probing[tuple[Catalog, list[_Found]] | Failed]:
    answer = yield from ask_one(DATABASES)
    if not isinstance(answer, Rows):
        return answer if isinstance(answer, Failed) else Failed("no rows came back")
    catalog = Catalog(read_databases(answer))
    asked: frozenset[str] = frozenset()
    finds = [_find_one(target, catalog, asked) for target in targets]
    wanted = frozenset(folded(target.name.identifier) for target in targets if target.location is None) | _not_asked_yet(finds, asked)
    while wanted:
        answer = yield from ask_one(ask_relations(wanted))
        if not isinstance(answer, Rows):
            return answer if isinstance(answer, Failed) else Failed("no rows came back")
        asked |= wanted
        catalog = replace(catalog, relations={**catalog.relations, **read_relations(answer)})
        finds = [_find_one(target, catalog, asked) for target in targets]
        wanted = _not_asked_yet(finds, asked)
    functions = frozenset().union(*(find.ground.functions for find in finds))
    if functions:
        answer = yield from ask_one(ask_functions(functions))
        if not isinstance(answer, Rows):
            return answer if isinstance(answer, Failed) else Failed("no rows came back")
        macros, volatile = read_functions(answer)
        catalog = replace(catalog, macros=macros, volatile=volatile)
        finds = [_find_one(target, catalog, asked) for target in targets]
    return catalog, finds


def _not_asked_yet(finds: Sequence[_Found], asked: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(find.ground.missing for find in finds)) - asked


def _find_one(target: Target, catalog: Catalog, asked: frozenset[str]) -> _Found:
    if target.location is not None:
        return _find_location(target, target.location, catalog, asked)
    relation = catalog.relations.get(folded_name(target.name))
    if relation is None:
        return _Found(target, None, NOWHERE)
    if target.purpose is Purpose.OWN and relation.kind == "view":
        return _Found(target, relation, Ground(definitions=frozenset({relation.sql})))
    ground = ground_of(relation, catalog, asked)
    return _Found(target, relation, ground, dated=bool(ground.functions & catalog.volatile))


def _find_location(target: Target, location: str, catalog: Catalog, asked: frozenset[str]) -> _Found:
    from afresh.warehouse.duckdb_views import reads_of_location

    reads = reads_of_location(location)
    if isinstance(reads, Unknown):
        return _Found(target, None, Ground(why_unknown=reads.why))
    ground = ground_of_reads(reads, catalog, asked, home=None, seen=frozenset(), definition=location)
    return _Found(target, None, ground, dated=bool(ground.functions & catalog.volatile))


# --- files ------------------------------------------------------------------------------------------------------------


def _databases_of(find: _Found) -> frozenset[str]:
    names = {name.database for name in find.ground.tables}
    return frozenset(names | ({folded(find.relation.name.database)} if find.relation else set()))


def _look_at_files(finds: Sequence[_Found], catalog: Catalog) -> Probing[tuple[dict[str, str], dict[TraceKey, FilesToken], str]]:
    """The guards of the databases, the versions of the files that targets read, and the date where one is needed."""
    used = sorted({name for find in finds for name in _databases_of(find)})
    databases = [catalog.databases[name] for name in used if name in catalog.databases and catalog.databases[name].is_file]
    reading_files = [find for find in finds if find.ground.files]
    of_targets = {find.target.key: ask_files(sorted(find.ground.files), find.target.name.database or None) for find in reading_files}
    asks: list[Ask] = [ask_guard(database.files) for database in databases]
    asks += [ask for group in of_targets.values() for ask in group]
    dated = any(find.dated for find in finds)
    asks += [ask_session_date()] if dated else []
    answers = (yield tuple(asks)) if asks else ()
    guards = {folded(database.name): guard for database, answer in zip(databases, answers, strict=False) if (guard := file_guard(answer))}
    rest = list(answers[len(databases) :])
    files = {key: files_token(group, [rest.pop(0) for _ in group]) for key, group in of_targets.items()}
    return guards, files, _date(rest[0]) if dated else ""


def ask_guard(files: tuple[str, ...]) -> Ask:
    """The look at a database file that is free."""
    return AskFiles(files, RACY_NS)


def ask_session_date() -> AskSql:
    """The current date in the session's settings."""
    return AskSql(SESSION_DATE, None, "the session's date")


def _date(answer: Answer) -> str:
    if not isinstance(answer, Rows) or len(answer.rows) != 1:
        return ""
    ((date,),) = unmarked_rows(answer)
    return date or ""


def _guard_of(find: _Found, guards: Mapping[str, str]) -> str | None:
    """The guards of all databases that the target's data lives in; ``None`` where one of them has none."""
    names = sorted(_databases_of(find))
    if not names or not all(name in guards for name in names):
        return None
    return "\n".join(guards[name] for name in names)


def _memo_that_stands(find: _Found, memos: Memos, guards: Mapping[str, str]) -> Memo | None:
    memo = memos.get(find.target.key)
    if memo is None or find.relation is None or find.ground.files or find.dated or find.ground.why_unknown:
        return None
    same_definition = token_parts(memo.token).get("definition", "") == _definition(find)
    return memo if same_definition and memo.guard == _guard_of(find, guards) else None


# --- content ----------------------------------------------------------------------------------------------------------


def _to_read(finds: Sequence[_Found], standing: Mapping[TraceKey, Memo]) -> set[Name]:
    open_ones = [find for find in finds if find.target.key not in standing and find.ground.why_unknown is None]
    return {name for find in open_ones for name in find.ground.tables}


def _read_tables(names: Sequence[Name], catalog: Catalog, limits: Limits) -> Probing[dict[Name, _Content]]:
    tables = {name: catalog.relations[name] for name in names}
    most = limits.max_hash_rows
    refused = {name for name, table in tables.items() if most is not None and (table.estimated_rows or 0) > most}
    read = [name for name in names if name not in refused]
    contents = yield from _contents([tables[name] for name in read], TOGETHER)
    advice = f"and more than {most} are not hashed: add loaded_at_field"
    too_large = {name: _Content({}, why_unknown=f"it has about {tables[name].estimated_rows} rows, {advice}") for name in refused}
    return {**{folded_name(table.name): content for table, content in contents}, **too_large}


def _contents(tables: Sequence[CatalogRelation], together: int) -> Probing[list[tuple[CatalogRelation, _Content]]]:
    """What the tables hold; where several cannot be read together, each is read alone."""
    groups = [tables[start : start + together] for start in range(0, len(tables), together)]
    answers = (yield tuple(ask_contents(group) for group in groups)) if groups else ()
    found: list[tuple[CatalogRelation, _Content]] = []
    alone: list[CatalogRelation] = []
    for group, answer in zip(groups, answers, strict=True):
        if isinstance(answer, Rows):
            contents = [_Content(parts, rows) for parts, rows in contents_parts(group, answer)]
            found += zip(group, contents, strict=True)
        elif len(group) > 1:
            alone += group
        else:
            error = answer.error if isinstance(answer, Failed) else "no rows came back"
            found.append((group[0], _Content({}, why_unknown=f"it could not be read: {error}")))
    return found + ((yield from _contents(alone, 1)) if alone else [])


# --- answers ----------------------------------------------------------------------------------------------------------


def _facts(find: _Found) -> ProbeAnswer:
    """What the catalog alone says of a target."""
    if find.relation is None:
        return ProbeAnswer(Unknown("not read"), exists=None, relation_type="external")
    relation = find.relation
    return ProbeAnswer(
        Unknown("not read"), exists=True, relation_type=relation.kind, signature=relation.signature, estimated_rows=relation.estimated_rows
    )


def _from_memo(find: _Found, memo: Memo) -> ProbeAnswer:
    return replace(_facts(find), version=Known(memo.token), signal=Signal.FILE, strength=Strength.EXACT, memo=memo)


def _answer(
    find: _Found, contents: Mapping[Name, _Content], files: Mapping[TraceKey, FilesToken], guards: Mapping[str, str], today: str
) -> ProbeAnswer:
    if find.relation is None and find.target.location is None:
        return MISSING
    why = _why_unknown(find, contents, files, today)
    if why is not None:
        return replace(_facts(find), version=Unknown(why), warnings=(f"{find.target.relation.name}: {why}",))
    token = _token(find, contents, files, today)
    guard = _guard_of(find, guards)
    remember = Memo(token, guard) if guard is not None and not find.ground.files and not find.dated else None
    local = find.target.key not in files or files[find.target.key].local
    return replace(
        _facts(find),
        version=Known(token),
        signal=Signal.CONTENT if find.ground.tables or not find.ground.files else Signal.FILE,
        strength=Strength.EXACT if local else Strength.COARSE,
        memo=remember,
        hashed_rows=sum(contents[name].rows for name in find.ground.tables),
    )


def _why_unknown(find: _Found, contents: Mapping[Name, _Content], files: Mapping[TraceKey, FilesToken], today: str) -> str | None:
    if find.ground.why_unknown is not None:
        return find.ground.why_unknown
    if find.dated and not today:
        return "it uses the current date, which could not be asked"
    file_version = files[find.target.key].version if find.target.key in files else None
    if isinstance(file_version, Unknown):
        return file_version.why
    return next((contents[name].why_unknown for name in sorted(find.ground.tables) if contents[name].why_unknown), None)


def _definition(find: _Found) -> str:
    return "" if find.ground.is_plain_table else digest(*sorted(find.ground.definitions))


def _token(find: _Found, contents: Mapping[Name, _Content], files: Mapping[TraceKey, FilesToken], today: str) -> str:
    if find.ground.is_plain_table:
        (name,) = find.ground.tables
        return content_token(contents[name].parts)
    parts = {"definition": _definition(find)}
    if find.ground.tables:
        parts["hash"] = digest(*((name.identifier, contents[name].parts) for name in sorted(find.ground.tables)))
    file_version = files[find.target.key].version if find.target.key in files else None
    if isinstance(file_version, Known):
        parts["files"] = digest(file_version.token)
    if find.dated:
        parts["date"] = today
    return write_token(ALGORITHM, parts)
