"""What can be asked of the toy warehouse about change, in the ways that real engines have."""

# ruff: noqa: ARG002 - the signatures are the protocol's

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from afresh.core.observation import OutsideChange
from afresh.core.relation import TraceKey
from afresh.core.trace import Signature
from afresh.core.version import Known
from afresh.warehouse import probe
from afresh.warehouse.asks import Probing, settled
from afresh.warehouse.engine import ViewBinding
from afresh.warehouse.fence import Fence, Gone
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
from afresh.warehouse.probe import (
    MISSING,
    NO_CHAINS,
    NO_LIMITS,
    NO_MEMOS,
    AfterBuild,
    Answers,
    Built,
    Chains,
    FileChain,
    Held,
    Limits,
    Memos,
    Outside,
    ProbeAnswer,
    Purpose,
    Strength,
    Target,
    token_of,
)
from property.engine.toy_warehouse import Warehouse

FILE = "/toy.db"


class Signal(str, Enum):
    """What the engine can tell."""

    VERSION = "version"
    """Every write has a number, known at once, as with versioned tables."""
    CONTENT = "content"
    """What a relation holds, by content."""
    FILE = "file"
    """By content, too; and one process holds the database file: how it leaves it vouches for all in it, as with DuckDB."""
    BLIND = "blind"
    """Sources as by version, but nothing of writes into relations that are ours."""


class ToyEngine:
    """Exact tokens for everything, from the warehouse itself: a conversation that never has to ask."""

    adapter_type = "toy"
    dialect = ""
    replaces_drop_views = False
    session_date_sql = ""

    def __init__(self, warehouse: Warehouse, *, signal: Signal) -> None:
        self._warehouse = warehouse
        self._in_file = signal is Signal.FILE
        self.sees_outside_writes = signal is not Signal.BLIND
        self.view_binding = ViewBinding.BY_NAME if self.sees_outside_writes else ViewBinding.BY_OID
        self._ours: dict[str, int] = {}

    def wrote(self, name: str) -> None:
        """A build of this process has just ended: what stands there now is ours."""
        found = self._warehouse.relations.get(name)
        self._ours[name] = -1 if found is None else found.stamp

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:
        return name

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        return settled(Identity("toy"))

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:
        return settled({target.key: self._answer(target) for target in targets})

    def _answer(self, target: Target) -> ProbeAnswer:
        name = target.relation.identifier
        found = self._warehouse.relations.get(name)
        own = target.purpose is Purpose.OWN
        token = self._warehouse.own_token(name) if own else self._warehouse.data_token(name)
        if found is None or token is None:
            return MISSING
        return ProbeAnswer(Known(token), probe.Signal.TABLE_VERSION, Strength.EXACT, exists=True, relation_type=found.type)

    def _own_token(self, target: Target) -> str | None:
        return token_of(self._answer(replace(target, purpose=Purpose.OWN)))

    # --- the file -----------------------------------------------------------------------------------------------------

    def arrive(self, stored: Mapping[str, FileChain]) -> Probing[Chains]:
        if not self._in_file:
            return settled(NO_CHAINS)
        known = stored.get(FILE, FileChain())
        unbroken = known.left is not None and known.left == self._guard()
        return settled(Chains({FILE: FileChain(known.epoch if unbroken else known.epoch + 1)}, {"db": FILE}))

    def leave(self, chains: Chains) -> Probing[Chains]:
        return settled(replace(chains, files={path: replace(chain, left=self._guard()) for path, chain in chains.files.items()}))

    def _guard(self) -> str:
        return str(self._warehouse.writes)

    # --- relations of ours --------------------------------------------------------------------------------------------

    def post_build(
        self, built: Sequence[Built], chains: Chains = NO_CHAINS, limits: Limits = NO_LIMITS
    ) -> Probing[Mapping[TraceKey, AfterBuild]]:
        return settled({entry.target.key: self._after(entry.target, chains) for entry in built})

    def _after(self, target: Target, chains: Chains) -> AfterBuild:
        found = self._warehouse.relations.get(target.relation.identifier)
        if not self.sees_outside_writes or found is None or found.stamp != self._ours.get(target.relation.identifier):
            return AfterBuild(None)
        return AfterBuild(_token(_epoch(chains), self._own_token(target)), found.type)

    def outside(self, held: Sequence[Held], chains: Chains = NO_CHAINS, limits: Limits = NO_LIMITS) -> Probing[Mapping[TraceKey, Outside]]:
        return settled({entry.target.key: self._outside(entry, chains) for entry in held})

    def _outside(self, held: Held, chains: Chains) -> Outside:
        epoch = _epoch(chains)
        recorded_epoch, recorded = (None, None) if held.recorded is None else json.loads(held.recorded)
        if self._in_file and held.recorded is not None and recorded_epoch == epoch:
            return Outside(None)
        if held.recorded is None and not self._in_file:
            return Outside(None)
        observed = self._own_token(held.target)
        if recorded != observed or observed is None:
            return Outside(OutsideChange(str(recorded), str(observed)))
        return Outside(None, refreshed=_token(epoch, observed) if self._in_file else None)

    def columns(self, targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:
        return settled({})

    def session_name(self, own: str, run_id: str) -> str | None:
        return None

    def fence(self, run_id: str) -> Probing[Fence]:
        return settled(Gone())

    def outside_change(self, recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:
        found = token_of(observed)
        return None if recorded is None or recorded == found else OutsideChange(recorded, str(found))


def _epoch(chains: Chains) -> int | None:
    chain = chains.files.get(FILE)
    return None if chain is None else chain.epoch


def _token(epoch: int | None, token: str | None) -> str | None:
    return None if token is None else json.dumps([epoch, token])
