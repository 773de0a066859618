"""What a state that is replaced by an imported one knew better, and what of it must go on.

Terms never go back. A relation that was built since the file was written, that was forgotten since, or against which something
has stood since, is tainted: nothing is reused on the word of an old copy. Only a state that the file knows all of, run by run to
its end, knows nothing better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from afresh.core.trace import AttemptState
from afresh.store import identity
from afresh.store.marks import INVALIDATED, SUPERSEDED

if TYPE_CHECKING:
    from afresh.store.engine import Transaction

_DETAIL = "a copy of the state was imported that did not know what had happened to this relation since"

_REMEMBER = {
    "afresh_old_runs": "SELECT run_id, finished_at FROM afresh_runs",
    "afresh_old_traces": "SELECT key, build_id, body FROM afresh_traces",
    "afresh_old_marks": f"SELECT key, state, build_id, at FROM afresh_marks WHERE state <> '{SUPERSEDED}'",
    "afresh_old_leases": "SELECT * FROM afresh_leases",
}
_RUNS_OF_ITS_OWN = text(
    """
    SELECT COUNT(*) FROM afresh_old_runs old LEFT JOIN afresh_runs new ON new.run_id = old.run_id AND new.finished_at = old.finished_at
    WHERE new.run_id IS NULL
    """
)
_TAINT = "INSERT INTO afresh_marks (key, state, run_id, at, detail) SELECT key, :state, '', :now, :detail FROM ({found}) known ORDER BY key"
# The same build with another body: what hooks wrote, or what the run found when it ended.
_BUILT = """
    SELECT new.key FROM afresh_traces new JOIN afresh_old_traces old ON old.key = new.key
    WHERE new.build_id <> old.build_id OR new.body <> old.body
    """
_FORGOTTEN = "SELECT new.key FROM afresh_traces new WHERE NOT EXISTS (SELECT 1 FROM afresh_old_traces old WHERE old.key = new.key)"
_STOOD = """
    SELECT old.key FROM afresh_old_marks old WHERE NOT EXISTS (
        SELECT 1 FROM afresh_marks new
        WHERE new.key = old.key AND new.state = old.state AND new.at = old.at AND COALESCE(new.build_id, '') = COALESCE(old.build_id, '')
    )
    """
_INVALIDATED = f"{_STOOD} AND old.state = '{INVALIDATED}'"
_KEEP_TERMS = text(
    """
    INSERT INTO afresh_leases (key, term, run_id, host, pid, node, job, since, expires_at)
    SELECT key, term, run_id, host, pid, node, job, since, NULL FROM afresh_old_leases WHERE true
    ON CONFLICT (key) DO UPDATE SET term = excluded.term WHERE excluded.term > afresh_leases.term
    """
)


class Replaced:
    """The state that was here, from before its rows are deleted until those of the file are there."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._secrets_key = identity.secrets_key(tx)
        for name, rows in _REMEMBER.items():
            tx.conn.execute(text(f"CREATE TEMPORARY TABLE {name} AS {rows}"))

    def take_over(self) -> None:
        """Keep what it knew better."""
        tx = self._tx
        if int(tx.conn.execute(_RUNS_OF_ITS_OWN).scalar_one()) > 0:
            # Of one lineage, what it did not know any more it had known; of another, it may never have seen it.
            is_kin = self._secrets_key == identity.secrets_key(tx)
            better = [_BUILT, _STOOD, *([_FORGOTTEN] if is_kin else [])]
        else:
            better = [_INVALIDATED]
        values = {"state": AttemptState.TAINTED.value, "now": tx.now, "detail": _DETAIL}
        tx.conn.execute(text(_TAINT.format(found=" UNION ".join(better))), values)
        tx.conn.execute(_KEEP_TERMS)
        for name in _REMEMBER:
            tx.conn.execute(text(f"DROP TABLE {name}"))
