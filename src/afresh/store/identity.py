"""What makes one state itself, wherever it is kept: the key under which it hashes values that must not be read."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from afresh.store.schema import IDENTITY

if TYPE_CHECKING:
    from afresh.store.engine import Transaction

_KEY_BYTES = 32


def create(tx: Transaction) -> None:
    """Give a new state its key."""
    take_over(tx, secrets.token_hex(_KEY_BYTES))


def take_over(tx: Transaction, key: str) -> None:
    """Let this state go on under the key of another one."""
    tx.conn.execute(delete(IDENTITY))
    tx.conn.execute(insert(IDENTITY).values(secrets_key=key))


def secrets_key(tx: Transaction) -> str:
    """The key; empty where there is no state yet."""
    return tx.conn.execute(select(IDENTITY.c.secrets_key)).scalar() or ""
