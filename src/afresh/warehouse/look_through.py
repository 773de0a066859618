"""From what a catalogue says to data versions; views are looked through to the tables under them.

Tables under views are looked up in rounds, a whole layer at once. A version is known only if that of everything under it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from afresh.core.version import Known, Unknown
from afresh.warehouse.asks import AskSql, Rows, ask_one
from afresh.warehouse.catalogue import VIEW, Catalogue, Seen
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.probe import MISSING, ProbeAnswer, Purpose, Signal, Strength, unknown
from afresh.warehouse.tokens import digest, write_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afresh.core.version import DataVersion
    from afresh.warehouse.asks import Probing
    from afresh.warehouse.names import Name
    from afresh.warehouse.probe import Answers, Target
    from afresh.warehouse.view_sql import Reads

_DEEPEST = 50
_THROUGH = "it reads"
_FILES = "these are files, of which the warehouse keeps no record"
_STRONGEST_FIRST = (Strength.EXACT, Strength.COARSE, Strength.LATE)


@dataclass
class _Under:
    """Everything that one relation reads."""

    tables: dict[Name, Seen] = field(default_factory=dict)
    views: dict[Name, str] = field(default_factory=dict)
    is_volatile: bool = False

    def __contains__(self, name: Name) -> bool:
        return name in self.tables or name in self.views


@dataclass(frozen=True)
class _Picture:
    """What was found, and what a volatile view depends on."""

    catalogue: Catalogue
    found: Mapping[Name, Seen | None]
    today: str | None = None

    def reads(self, name: Name) -> Reads | Unknown | None:
        seen = self.found.get(name)
        return _reads(seen.definition, self.catalogue.words.name) if seen is not None and seen.kind == VIEW and seen.definition else None

    def below(self, name: Name) -> Iterator[Name]:
        """What a view reads, as far as its names can be told."""
        reads = self.reads(name)
        for parts in () if reads is None or isinstance(reads, Unknown) else reads.tables:
            below = self.catalogue.named_in_view(parts, name)
            if below is not None:
                yield below

    def is_volatile(self, name: Name) -> bool:
        reads = self.reads(name)
        return reads is not None and not isinstance(reads, Unknown) and reads.is_volatile


def _reads(definition: str, dialect: str) -> Reads | Unknown:
    from afresh.warehouse.view_sql import reads_of_definition

    return reads_of_definition(definition, dialect)


def probe_catalogue(targets: Sequence[Target], catalogue: Catalogue) -> Probing[Answers]:
    """The version of each target now. Of files that SQL reads in place, a catalogue says nothing."""
    found: dict[Name, Seen | None] = {}
    named = [target for target in targets if target.location is None]
    wanted = {target.name for target in named}
    deep = {target.name for target in named if target.purpose is Purpose.INPUT}
    picture = _Picture(catalogue, found)
    for _ in range(_DEEPEST):
        asked = sorted(wanted - found.keys())
        if not asked:
            break
        seen = yield from catalogue.look(asked)
        found.update({name: seen.get(name) for name in asked})
        deep |= {below for name in deep for below in picture.below(name)}
        wanted = deep
    today = yield from _today(catalogue, any(picture.is_volatile(name) for name in found))
    of_files = {
        target.key: unknown(_FILES, warnings=(f"{target.relation.name}: {_FILES}",)) for target in targets if target.location is not None
    }
    return {**of_files, **{target.key: _answer(target, _Picture(catalogue, found, today)) for target in named}}


def _today(catalogue: Catalogue, is_needed: bool) -> Probing[str | None]:  # noqa: FBT001 - one flag, named at its only call
    if not is_needed:
        return None
    answer = yield from ask_one(AskSql(catalogue.session_date_sql, None, "the current date"))
    return unmarked_rows(answer)[0][0] if isinstance(answer, Rows) and answer.rows else None


def _answer(target: Target, picture: _Picture) -> ProbeAnswer:
    seen = picture.found.get(target.name)
    if seen is None:
        return MISSING
    under = _Under()
    why = None if target.purpose is Purpose.OWN and seen.kind == VIEW else _gather(target.name, picture, under)
    version = Unknown(why) if why is not None else _version(target, seen, under, picture)
    known = isinstance(version, Known)
    return ProbeAnswer(
        version,
        signal=_signal(seen, under) if known else Signal.NONE,
        strength=_weakest(under.tables.values()) if known else Strength.NONE,
        warnings=() if isinstance(version, Known) or target.has_loaded_at else (f"{target.relation.name}: {version.why}",),
        exists=seen.exists,
        relation_type=seen.kind,
        signature=seen.signature,
        estimated_rows=seen.rows,
    )


def _gather(name: Name, picture: _Picture, under: _Under) -> str | None:
    """Collect what a relation reads; the reason, if its version cannot be known."""
    if name in under:
        return None
    seen = picture.found.get(name)
    if seen is None:
        return "it was not found"
    if seen.why:
        return seen.why
    if seen.kind != VIEW:
        under.tables[name] = seen
        return None
    reads = picture.reads(name)
    if reads is None or isinstance(reads, Unknown):
        why = "the role may not read its definition" if reads is None else reads.why
        return f"of the view {name.identifier} it cannot be told what it reads: {why}"
    under.views[name] = seen.definition
    under.is_volatile |= reads.is_volatile
    for parts in reads.tables:
        below = picture.catalogue.named_in_view(parts, name)
        if below is None:
            return f"the view {name.identifier} reads {'.'.join(part.text for part in parts)}, and where that is cannot be told"
        why_not = _gather(below, picture, under)
        if why_not is not None:
            return why_not if why_not.startswith(_THROUGH) else f"{_THROUGH} {below.schema}.{below.identifier}: {why_not}"
    return None


def _version(target: Target, seen: Seen, under: _Under, picture: _Picture) -> DataVersion:
    algorithm = picture.catalogue.algorithm
    if target.purpose is Purpose.OWN and seen.kind == VIEW:
        return (
            Known(write_token(algorithm, {"definition": digest(seen.definition)}))
            if seen.definition
            else Unknown("its definition is hidden")
        )
    if not under.views:
        return Known(write_token(algorithm, {name: "_".join(value.split()) for name, value in seen.parts.items()}))
    parts = {
        "definition": digest(*sorted((tuple(_spelled(name)), text) for name, text in under.views.items())),
        "tables": digest(*sorted((tuple(_spelled(name)), sorted(table.parts.items())) for name, table in under.tables.items())),
    }
    if not under.is_volatile:
        return Known(write_token(algorithm, parts))
    if picture.today is None:
        return Unknown("its answer depends on the date, and the warehouse does not tell the date")
    return Known(write_token(algorithm, {**parts, "date": picture.today}))


def _spelled(name: Name) -> Iterator[str]:
    yield from (name.database, name.schema, name.identifier)


def _signal(seen: Seen, under: _Under) -> Signal:
    signals = {table.signal for table in under.tables.values()}
    return next(iter(signals)) if len(signals) == 1 else seen.signal


def _weakest(tables: Iterable[Seen]) -> Strength:
    return max((table.strength for table in tables), key=_STRONGEST_FIRST.index, default=Strength.EXACT)
