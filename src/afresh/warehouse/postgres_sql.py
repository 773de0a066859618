"""The one statement that asks PostgreSQL about any number of relations, and the reading of its answer.

``pg_stat_clear_snapshot`` first: the server keeps the statistics it has read for the rest of a transaction. Views are
followed through their stored rules (``pg_rewrite.ev_action``), which name every relation and function by oid, system
catalogues too, which ``pg_depend`` leaves out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from afresh.warehouse.asks import AskSql
from afresh.warehouse.cells import literal, unmarked_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.warehouse.asks import Rows

_SYSTEM = "('pg_catalog', 'information_schema', 'pg_toast')"

_STATEMENT = """
with recursive
-- what is asked about: a number, the names as they are stored, and whether views are looked through
asked(n, schema_name, relation_name, deep) as (values {asked}),
fresh as materialized (select pg_stat_clear_snapshot() is null as cleared),
-- every relation whose rows are read: partitions and children of a table, and what the rule of a view names
reach(n, deep, root, oid) as (
    select a.n, a.deep, c.oid, c.oid
    from asked a
    join pg_catalog.pg_namespace s on s.nspname = a.schema_name
    join pg_catalog.pg_class c on c.relnamespace = s.oid and c.relname = a.relation_name
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union
    select r.n, r.deep, r.root, x.oid
    from reach r
    join pg_catalog.pg_class c on c.oid = r.oid
    join pg_catalog.pg_namespace s on s.oid = c.relnamespace and s.nspname not in {system}
    cross join lateral (
        select i.inhrelid as oid from pg_catalog.pg_inherits i where i.inhparent = c.oid and c.relkind in ('r', 'p', 'f')
        union all
        select m.found[1]::oid
        from pg_catalog.pg_rewrite w, regexp_matches(w.ev_action::text, ':relid ([0-9]+)', 'g') as m(found)
        where w.ev_class = c.oid and c.relkind = 'v' and r.deep
    ) x
    where x.oid <> 0
),
relation as materialized (
    select c.oid, s.nspname, c.relname, c.relkind, c.relfilenode, c.reltuples
    from (select distinct oid from reach) d
    join pg_catalog.pg_class c on c.oid = d.oid
    join pg_catalog.pg_namespace s on s.oid = c.relnamespace
),
rule as materialized (
    select v.oid, w.rulename, w.ev_action::text as action
    from relation v join pg_catalog.pg_rewrite w on w.ev_class = v.oid
    where v.relkind = 'v'
),
definition as materialized (
    select oid, string_agg(action, ';' order by rulename) as text, bool_or(action ~ 'SQLVALUEFUNCTION :op [0-8] ') as dated
    from rule group by oid
),
-- functions that a view calls: those of users, and those of the server that read what no relation shows
called as materialized (
    select v.oid,
        string_agg(p.prosrc, ';' order by p.oid) filter (where p.oid >= 16384) as bodies,
        bool_or(p.oid < 16384
            and (p.provolatile = 'v' or p.proname in ('now', 'transaction_timestamp', 'statement_timestamp'))) as dated,
        min(p.proname) filter (where (p.oid >= 16384 and p.provolatile <> 'i') or (p.oid < 16384 and p.proname ~
            '^(pg_|query_to_|table_to_|schema_to_|database_to_|cursor_to_|lo_|txid_|currval|lastval|nextval|current_setting)')) as opaque
    from (
        select distinct r.oid, m.found[1]::oid as function
        from rule r, regexp_matches(r.action, ':(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') as m(found)
    ) v
    join pg_catalog.pg_proc p on p.oid = v.function
    group by v.oid
)
select 't:' || json_build_object(
    'database', current_database(), 'recovering', pg_is_in_recovery(), 'counting', current_setting('track_counts'),
    'today', current_date::text,
    'since', md5(concat_ws('|', d.oid, pg_stat_get_db_stat_reset_time(d.oid), pg_stat_get_bgwriter_stat_reset_time()))
)::text as answer
from fresh, pg_catalog.pg_database d where d.datname = current_database()
union all
select 't:' || json_build_object(
    'n', r.n, 'root', r.oid = r.root, 'oid', c.oid::text,
    'schema', c.nspname, 'name', c.relname, 'kind', c.relkind::text, 'file', c.relfilenode::text, 'rows', c.reltuples::bigint,
    'writes', json_build_array(pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)),
    'columns', a.columns, 'shape', a.shape,
    'definition', md5(d.text || coalesce(f.bodies, '')), 'dated', coalesce(d.dated or f.dated, d.dated, false), 'opaque', f.opaque
)::text
from fresh cross join reach r
join relation c on c.oid = r.oid
left join definition d on d.oid = c.oid
left join called f on f.oid = c.oid
cross join lateral (
    select
        json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) order by a.attnum)
            filter (where r.oid = r.root) as columns,
        md5(string_agg(concat_ws('|', a.attnum, quote_ident(a.attname), a.atttypid, a.atttypmod, a.attcollation,
            (select string_agg(quote_literal(e.enumlabel), ',' order by e.enumsortorder)
             from pg_catalog.pg_enum e where e.enumtypid = a.atttypid and a.atttypid >= 16384),
            case when a.attgenerated <> '' then
                (select md5(g.adbin::text) from pg_catalog.pg_attrdef g where g.adrelid = c.oid and g.adnum = a.attnum)
            end), ';' order by a.attnum)) as shape
    from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
) a
"""


@dataclass(frozen=True, slots=True)
class Server:
    """What holds for the whole database."""

    database: str
    recovering: bool
    counting: bool
    today: str
    since: str
    """Changes whenever counters may have gone back: a reset, a crash, another database of the same name."""


@dataclass(frozen=True, slots=True)
class PgRelation:
    """One relation whose rows are read, as ``pg_class`` and the statistics show it."""

    oid: str
    schema: str
    name: str
    kind: str
    file: str
    rows: int
    writes: tuple[int, int, int]
    columns: tuple[tuple[str, str], ...]
    shape: str
    definition: str | None
    dated: bool
    opaque: str | None
    is_root: bool


def ask_relations(names: Sequence[tuple[str, str, bool]], database: str | None) -> AskSql:
    """About all of these relations: schema, identifier, and whether views are looked through."""
    rows = ", ".join(f"({n}, {literal(schema)}, {literal(name)}, {str(deep).lower()})" for n, (schema, name, deep) in enumerate(names))
    sql = _STATEMENT.replace("{asked}", rows).replace("{system}", _SYSTEM)
    return AskSql(sql, database, f"{len(names)} relations")


def read_relations(answer: Rows) -> tuple[Server, dict[int, list[PgRelation]]]:
    """The server, and for each number that was asked about everything it reaches; a number is absent if it does not exist."""
    found = [json.loads(text) for (text,) in unmarked_rows(answer) if text]
    reached: dict[int, list[PgRelation]] = {}
    for row in found:
        if "n" in row:
            reached.setdefault(int(row["n"]), []).append(_relation(row))
    return _server(next(row for row in found if "since" in row)), reached


def _server(row: dict[str, Any]) -> Server:
    return Server(row["database"], row["recovering"], row["counting"] == "on", row["today"], row["since"])


def _relation(row: dict[str, Any]) -> PgRelation:
    inserted, updated, deleted = row["writes"]
    return PgRelation(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        kind=row["kind"],
        file=row["file"],
        rows=row["rows"],
        writes=(inserted or 0, updated or 0, deleted or 0),
        columns=tuple((name, kind) for name, kind in row["columns"] or ()),
        shape=row["shape"] or "",
        definition=row["definition"],
        dated=row["dated"],
        opaque=row["opaque"],
        is_root=row["root"],
    )
