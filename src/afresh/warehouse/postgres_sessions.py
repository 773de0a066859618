"""PostgreSQL: the sessions of a run carry its id in ``application_name``, by which another run finds and ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.warehouse.asks import AskSql, Failed, Rows, ask_one
from afresh.warehouse.cells import literal, marked, marked_columns, unmarked_rows
from afresh.warehouse.fence import Gone, Left, Session

if TYPE_CHECKING:
    from afresh.warehouse.asks import Answer, Probing
    from afresh.warehouse.fence import Fence

_LONGEST_NAME = 63


def name_of_session(own: str, run_id: str) -> str:
    """The user's own ``application_name``, and the run. The server cuts names and spells out what is not plain ASCII, so we do first."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in own).strip()
    mark = _mark(run_id)
    return f"{plain[: _LONGEST_NAME - len(mark) - 1]} {mark}".strip()


def end_sessions(run_id: str) -> Probing[Fence]:
    """Tell every session of the run to end, and say which there were: they may take a moment, or not be ours to end.

    They are ended, not only their queries: a client that was stopped holds its transaction open, and could go on in it.
    """
    found = yield from ask_one(_sessions(run_id))
    if not isinstance(found, Rows):
        return Left(error=found.error if isinstance(found, Failed) else "no rows came back")
    there = tuple(Session(int(pid), user or "") for pid, user in unmarked_rows(found) if pid is not None)
    if not there:
        return Gone()
    answers = yield tuple(_end(session.pid, run_id) for session in there)
    return Left(tuple(_told(session, answer) for session, answer in zip(there, answers, strict=True)))


def _mark(run_id: str) -> str:
    return f"afresh:{run_id}"


def _is_of(run_id: str) -> str:
    mark = _mark(run_id)
    return f"right(a.application_name, {len(mark)}) = {literal(mark)} and a.pid <> pg_backend_pid()"


def _sessions(run_id: str) -> AskSql:
    columns = marked_columns("a.pid", "a.usename")
    return AskSql(f"select {columns} from pg_stat_activity a where {_is_of(run_id)}", None, "sessions of a run that died")


def _end(pid: int, run_id: str) -> AskSql:
    """As the role that logged in, for this statement only: a ``role`` in the profile may not end sessions of who logged in."""
    sql = (
        "with login as materialized (select set_config('role', 'none', true) as role) "
        f"select {marked('pg_terminate_backend(a.pid)')} as answer from login, pg_stat_activity a "
        f"where login.role is not null and a.pid = {pid} and {_is_of(run_id)}"
    )
    return AskSql(sql, None, f"end session {pid}")


def _told(session: Session, answer: Answer) -> Session:
    refused = " ".join(answer.error.split()) if isinstance(answer, Failed) else ""
    return Session(session.pid, session.user, refused)
