"""A trace or an event as a row and back: the only place where core types are put into bytes.

Every field has its explicit JSON; nothing is derived from the shape of the classes, so that a rename in ``core`` cannot
change what is on disk. A row that cannot be read raises :class:`UnreadableTraceError`; the reader treats it as unknown.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from typing_extensions import assert_never

from afresh.core.event import Event, WaitBegan, WaitEnded
from afresh.core.node import NodeId, ResourceType
from afresh.core.relation import TraceKey
from afresh.core.trace import RecordedInput, Signature, TestOutcome, TestStatus, Trace
from afresh.core.version import CodeVersion, DataVersion, Known, Part, PartGroup, Unknown
from afresh.store.instants import instant, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT = 1
"""The number of the body's format; another number is written by a later Afresh and cannot be read."""

_GROUPS = {PartGroup.CODE: "c", PartGroup.METADATA: "m", PartGroup.ENGINE: "e"}
_VERSIONS: dict[str, Callable[[str], DataVersion]] = {"known": Known, "unknown": Unknown}
_GROUP_OF = {letter: group for group, letter in _GROUPS.items()}


class UnreadableTraceError(Exception):
    """The bytes of a trace do not say what they should."""


def pack(text: str) -> bytes:
    """``text``, compressed."""
    return zlib.compress(text.encode(errors="surrogatepass"), 9)


def unpack(content: bytes) -> str:
    """The text that was packed."""
    return zlib.decompress(content).decode(errors="surrogatepass")


def row_of_trace(trace: Trace) -> dict[str, Any]:
    """The columns of ``afresh_traces`` for ``trace``."""
    return {
        "key": trace.key,
        "node": trace.node,
        "resource_type": trace.resource_type.value,
        "project": trace.project,
        "build_id": trace.build_id,
        "run_id": trace.run_id,
        "compiled_digest": trace.compiled_digest,
        "depfile_digest": trace.depfile_digest,
        "body": pack(json.dumps(_body(trace), separators=(",", ":"))),
    }


def trace_of_row(row: Mapping[Any, Any]) -> Trace:
    """The trace that ``row`` holds.

    Raises:
        UnreadableTraceError: the row is damaged, or written by a later Afresh.
    """
    try:
        return _trace(row, json.loads(zlib.decompress(row["body"])))
    except (zlib.error, ValueError, KeyError, TypeError, OverflowError, AttributeError) as error:
        raise UnreadableTraceError(str(error)) from error


def _body(trace: Trace) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "algorithm": trace.code.algorithm,
        "parts": {name: [part.digest, _GROUPS[part.group], part.shown] for name, part in trace.code.parts.items()},
        "inputs": [[entry.node, entry.key, *_version_out(entry.version), entry.signature] for entry in trace.inputs],
        "output_version": trace.output_version,
        "started_at": micros(trace.started_at),
        "finished_at": micros(trace.finished_at),
        "scheduled_at": micros(trace.scheduled_at),
        "relation_type": trace.relation_type,
        "signature": None if trace.signature is None else [list(column) for column in trace.signature.columns],
        "outside_token": trace.outside_token,
        "volatile_value": trace.volatile_value,
        "window": trace.window,
        "test": None if trace.test is None else [trace.test.status.value, trace.test.failures],
        "reasons": list(trace.reasons),
        "execution_seconds": trace.execution_seconds,
        "job": trace.job,
        "adopted": trace.adopted,
    }


def _trace(row: Mapping[Any, Any], body: dict[str, Any]) -> Trace:
    if body["format"] != FORMAT:
        raise ValueError(f"format {body['format']} is not known")
    return Trace(
        key=TraceKey(row["key"]),
        node=NodeId(row["node"]),
        resource_type=ResourceType(row["resource_type"]),
        project=row["project"],
        build_id=row["build_id"],
        run_id=row["run_id"],
        code=_code(body),
        inputs=tuple(_input(*entry) for entry in body["inputs"]),
        output_version=body["output_version"],
        started_at=instant(body["started_at"]),
        finished_at=instant(body["finished_at"]),
        scheduled_at=instant(body["scheduled_at"]),
        relation_type=body["relation_type"],
        signature=_signature(body["signature"]),
        outside_token=body["outside_token"],
        volatile_value=body["volatile_value"],
        window=body["window"],
        test=_test(body["test"]),
        reasons=tuple(body["reasons"]),
        execution_seconds=body["execution_seconds"],
        job=body["job"],
        adopted=body["adopted"],
        compiled_digest=row["compiled_digest"],
        depfile_digest=row["depfile_digest"],
    )


def _code(body: dict[str, Any]) -> CodeVersion:
    parts = {name: Part(digest, _GROUP_OF[group], shown) for name, (digest, group, shown) in body["parts"].items()}
    return CodeVersion(parts, body["algorithm"])


def _version_out(version: DataVersion) -> tuple[str, str]:
    return ("known", version.token) if isinstance(version, Known) else ("unknown", version.why)


def _input(node: str, key: str | None, what: str, text: str, signature: str = "") -> RecordedInput:
    return RecordedInput(node, None if key is None else TraceKey(key), _VERSIONS[what](text), signature)


def _signature(columns: list[list[str]] | None) -> Signature | None:
    return None if columns is None else Signature(tuple((name, kind) for name, kind in columns))


def _test(outcome: list[Any] | None) -> TestOutcome | None:
    return None if outcome is None else TestOutcome(TestStatus(outcome[0]), outcome[1])


# --- events -----------------------------------------------------------------------------------------------------------

_WAIT_BEGAN, _WAIT_ENDED = "wait_began", "wait_ended"


def row_of_event(event: Event) -> tuple[str, str]:
    """The kind and the payload of ``event``."""
    match event:
        case WaitBegan():
            about = {"subject": event.subject, "for_run": event.for_run, "host": event.host, "pid": event.pid, "job": event.job}
            return _WAIT_BEGAN, json.dumps(about)
        case WaitEnded():
            return _WAIT_ENDED, json.dumps({"subject": event.subject, "seconds": round(event.seconds, 3)})
        case _:
            assert_never(event)


def event_of_row(kind: str, payload: str) -> Event | None:
    """The event that a row tells of; ``None`` where it is damaged, or was written by a later Afresh."""
    try:
        about = json.loads(payload)
        if kind == _WAIT_BEGAN:
            return WaitBegan(str(about["subject"]), str(about["for_run"]), str(about["host"]), int(about["pid"]), str(about["job"]))
        return WaitEnded(str(about["subject"]), float(about["seconds"])) if kind == _WAIT_ENDED else None
    except (ValueError, KeyError, TypeError):
        return None
