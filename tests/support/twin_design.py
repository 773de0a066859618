"""A small dbt project as data: what a random history edits, and the files it stands for.

Every model has the columns ``id``, ``grp`` and ``val`` (and perhaps more), so that any model can read any other one.
Nothing here knows of Afresh: the files are those of a plain dbt project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

SOURCES = ("raw.s1", "raw.s2")
SEED = "colours"
SNAPSHOT = "history"


class Shape(str, Enum):
    """What a model does with the rows of what it reads."""

    PROJECT = "project"
    STAR = "star"
    UNION = "union"
    TOTALS = "totals"
    JOIN = "join"


class Stored(str, Enum):
    """How a model keeps its rows. The three incremental ones change nothing when they run twice on the same input."""

    VIEW = "view"
    TABLE = "table"
    APPEND = "append"
    MERGE = "merge"
    DELETE_INSERT = "delete+insert"
    EPHEMERAL = "ephemeral"


INCREMENTAL = (Stored.APPEND, Stored.MERGE, Stored.DELETE_INSERT)


class Broken(str, Enum):
    """In which way a model fails."""

    NO = "no"
    SYNTAX = "a syntax error"
    RUNTIME = "an error for every row"
    DATA = "an error for large values"


class Reads(str, Enum):
    """What the SQL of a model takes from around it."""

    NOTHING = "nothing"
    MACRO = "macro"
    VAR = "var"
    ENV = "env"


@dataclass(frozen=True)
class Model:
    """One model, whole: its SQL, its config and its test."""

    name: str
    parents: tuple[str, ...]
    shape: Shape = Shape.PROJECT
    stored: Stored = Stored.TABLE
    reads: Reads = Reads.NOTHING
    number: int = 0
    """A constant in the SQL: another number is another result."""
    remark: int = 0
    """A number in a comment, and as many spaces."""
    extra_column: bool = False
    broken: Broken = Broken.NO
    alias: bool = False
    label: int = 0
    """A number in tags, meta and the description: none of them counts."""
    limit: int | None = None
    """The model's own test fails for rows with a larger ``val``; no test without it."""
    test_warns: bool = False

    @property
    def identifier(self) -> str:
        """The name of its relation."""
        return f"{self.name}_too" if self.alias else self.name

    def above(self) -> tuple[str, ...]:
        """What it reads: two of its parents at most, according to its shape."""
        return self.parents[: 2 if self.shape in (Shape.UNION, Shape.JOIN) else 1]


@dataclass
class Design:
    """The project as it stands. Steps change it in place; :meth:`files` says what is then on disk."""

    models: dict[str, Model] = field(default_factory=dict)
    deleted: list[Model] = field(default_factory=list)
    outer_macro: int = 0
    inner_macro: int = 0
    macro_remark: int = 0
    project_var: int = 0
    """``offset`` in dbt_project.yml."""
    command_line_var: int | None = None
    """``offset`` on the command line."""
    read_env: int = 0
    other_env: int = 0
    seed_rows: tuple[tuple[int, str, int], ...] = ((1, "a", 1), (2, "b", 2))
    snapshot_of: str | None = None
    made: int = 0
    """How many models have ever been made: their names are never given twice."""

    def environment(self) -> Mapping[str, str]:
        """The environment variables of every command."""
        return {"TWIN_READ": str(self.read_env), "TWIN_NOT_READ": str(self.other_env)}

    def flags(self) -> tuple[str, ...]:
        """What every command line ends with."""
        return () if self.command_line_var is None else ("--vars", f"{{offset: {self.command_line_var}}}")

    def add(self, model: Model) -> None:
        """Add a model, or put another one in its place."""
        self.models[model.name] = model

    def edit(self, name: str, **changes: object) -> None:
        """Change one model."""
        self.models[name] = replace(self.models[name], **changes)  # type: ignore[arg-type]

    def in_order(self) -> list[Model]:
        """The models by name."""
        return [self.models[name] for name in sorted(self.models)]

    def below(self, name: str) -> tuple[str, ...]:
        """The names of what reads ``name`` directly, the snapshot included."""
        found = [model.name for model in self.models.values() if name in model.above()]
        return (*found, *([SNAPSHOT] if self.snapshot_of == name else []))

    def all_below(self, name: str) -> set[str]:
        """Everything that depends on ``name``, at any depth."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = set(self.below(waiting.pop())) - found
            found |= new
            waiting.extend(new)
        return found

    def has_incremental(self) -> bool:
        """Whether some relation depends on what it held before."""
        return self.snapshot_of is not None or any(model.stored in INCREMENTAL for model in self.models.values())

    # --- files --------------------------------------------------------------------------------------------------------

    def settings(self) -> Mapping[str, object]:
        """What ``dbt_project.yml`` says beyond names. Nothing as long as nothing is asked: dbt parses all anew when it changes."""
        return {"vars": {"offset": self.project_var}} if self.project_var else {}

    def files(self) -> dict[str, str]:
        """Every file of the project by its path, without the profile and ``dbt_project.yml``."""
        texts = {f"models/{model.name}.sql": model_sql(model) for model in self.models.values()}
        texts |= {f"tests/{model.name}_is_small.sql": _test_sql(model) for model in self.models.values() if model.limit is not None}
        texts["models/schema.yml"] = self._schema()
        texts["macros/bump.sql"] = self._macros()
        texts[f"seeds/{SEED}.csv"] = "\n".join(["id,grp,val", *(f"{a},{b},{c}" for a, b, c in self.seed_rows)]) + "\n"
        if self.snapshot_of is not None:
            texts[f"snapshots/{SNAPSHOT}.sql"] = _snapshot_sql(self.snapshot_of)
        return texts

    def _macros(self) -> str:
        return (
            f"{{# remark {self.macro_remark} #}}\n"
            f"{{% macro bump(column) %}}({{{{ nudge(column) }}}} + {self.outer_macro}){{% endmacro %}}\n"
            f"{{% macro nudge(column) %}}({{{{ column }}}} + {self.inner_macro}){{% endmacro %}}\n"
        )

    def _schema(self) -> str:
        tables = ", ".join(f"{{name: {name.split('.')[1]}}}" for name in SOURCES)
        lines = ["version: 2", "sources:", f"  - {{name: raw, tables: [{tables}]}}", "models:"]
        for model in self.models.values():
            lines += [f"  - name: {model.name}", f"    description: about {model.label}", "    config:"]
            lines += [f"      tags: [t{model.label}]", f"      meta: {{n: {model.label}}}"]
            if model.alias:
                lines += [f"      alias: {model.identifier}"]
        types = "{id: bigint, grp: varchar, val: bigint}"
        return "\n".join([*lines, "seeds:", f"  - {{name: {SEED}, config: {{column_types: {types}}}}}", ""])


# --- SQL --------------------------------------------------------------------------------------------------------------


def model_sql(model: Model) -> str:
    """The text of a model's file."""
    if model.broken is Broken.SYNTAX:
        return f"{_config(model)}\nselect id, grp, val frm {_from(model.above()[0])}\n"
    body = _body(model)
    if model.stored is Stored.APPEND:
        newer = "where id > (select coalesce(max(id), -1000) from {{ this }})"
        body = f"select * from (\n{body}\n) as body\n{{% if is_incremental() %}}{newer}{{% endif %}}"
    elif model.stored in INCREMENTAL:
        body = f"select id, min(grp) as grp, max(val) as val from (\n{body}\n) as body group by id"
    return f"{_config(model)}\n-- remark {model.remark}\n{' ' * model.remark}{body}\n"


def _config(model: Model) -> str:
    if model.stored in INCREMENTAL:
        key = "" if model.stored is Stored.APPEND else ", unique_key='id'"
        return f"{{{{ config(materialized='incremental', incremental_strategy='{model.stored.value}'{key}) }}}}"
    return f"{{{{ config(materialized='{model.stored.value}') }}}}"


def _body(model: Model) -> str:
    tables = [_from(name) for name in model.above()]
    value, extra = _value(model), f", {model.number} as extra_{model.name}" if model.extra_column else ""
    match model.shape:
        case Shape.STAR:
            return f"select *{extra} from {tables[0]} where {value} <> {model.number + 3}"
        case Shape.TOTALS:
            return f"select min(id) as id, grp, sum({value})::bigint as val{extra} from {tables[0]} group by grp"
        case Shape.UNION:
            return " union all ".join(f"select id, grp, ({value})::bigint as val{extra} from {table}" for table in tables)
        case Shape.JOIN:
            more = f"(select id as other, max(val) as more from {tables[-1]} group by id)"
            return f"select id, grp, ({value} + coalesce(more, 0))::bigint as val{extra} from {tables[0]} left join {more} on id = other"
        case Shape.PROJECT:
            return f"select id, grp, ({value})::bigint as val{extra} from {tables[0]}"


def _value(model: Model) -> str:
    column = "val"
    if model.broken in _FAILS_WHEN:
        column = f"case when {_FAILS_WHEN[model.broken]} then error('{model.name} is broken') else val end"
    match model.reads:
        case Reads.MACRO:
            return f'{{{{ bump("{column}") }}}} + {model.number}'
        case Reads.VAR:
            return f"{column} + {{{{ var('offset', 0) }}}} + {model.number}"
        case Reads.ENV:
            return f"{column} + {{{{ env_var('TWIN_READ', '0') }}}} + {model.number}"
        case Reads.NOTHING:
            return f"{column} + {model.number}"


_FAILS_WHEN = {Broken.RUNTIME: "id is not null", Broken.DATA: "val > 40"}


def _from(name: str) -> str:
    if name in SOURCES:
        return "{{ source('raw', '" + name.split(".")[1] + "') }}"
    if name == SNAPSHOT:
        return f"(select id, grp, val from {{{{ ref('{SNAPSHOT}') }}}} where dbt_valid_to is null)"
    return f"{{{{ ref('{name}') }}}}"


def _test_sql(model: Model) -> str:
    config = "{{ config(severity='warn') }}\n" if model.test_warns else ""
    return f"{config}select id from {{{{ ref('{model.name}') }}}} where val > {model.limit}\n"


def _snapshot_sql(of: str) -> str:
    options = "target_schema='snapshots', unique_key='id', strategy='check', check_cols=['grp', 'val']"
    rows = f"select id, min(grp) as grp, max(val) as val from {_from(of)} group by id"
    return f"{{% snapshot {SNAPSHOT} %}}\n{{{{ config({options}) }}}}\n{rows}\n{{% endsnapshot %}}\n"
