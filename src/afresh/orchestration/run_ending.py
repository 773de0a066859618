"""Closing a run: leases are given back, and what was decided and done is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.errors import StateUnavailableError
from afresh.orchestration.run_report import decision_row, summary_of
from afresh.store import RunOutcome, RunStatus

if TYPE_CHECKING:
    from afresh.orchestration.run_session import RunSession


def close_run(session: RunSession, *, ended_well: bool) -> None:
    """Give all leases back and close the run's record; a state that cannot be reached is told and no more."""
    try:
        session.heartbeat.stop()
        session.tell_state()
        session.leases.close()
        if not session.host.only_looks:
            run_id = session.settings.run_id
            session.test_results.write()
            session.store.refresh_depfiles(session.code.fresher)
            session.store.record_decisions(run_id, [decision_row(session, done) for done in session.tally.done])
            session.store.end_run(run_id, _outcome(session, ended_well=ended_well))
    except StateUnavailableError as error:
        session.host.say("state_unavailable", f"the end of this run could not be recorded: {error}")
    finally:
        session.store.close()


def _outcome(session: RunSession, *, ended_well: bool) -> RunOutcome:
    summary = summary_of(session)
    went_wrong = RunStatus.ERROR if summary.failed or summary.skipped or session.too_late else RunStatus.SUCCESS
    return RunOutcome(
        status=went_wrong if ended_well else RunStatus.INTERRUPTED,
        built=summary.built,
        reused_verified=summary.reused_verified,
        reused_tolerated=summary.reused_tolerated,
        failed=summary.failed,
        skipped=summary.skipped,
        deciding_seconds=summary.deciding_seconds,
        saved_seconds=summary.saved_seconds or 0.0,
    )
