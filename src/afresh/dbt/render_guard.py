"""What a fingerprint rendering may ask of the warehouse: it reads, or it stops (semantics §1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from afresh.dbt.adapter_methods import may_read
from afresh.dbt.answers import EXECUTE, GET_COLUMNS, GET_RELATION, answer_key, given_again, in_order, question_of
from afresh.fingerprint.env_vars import is_volatile_env_var

if TYPE_CHECKING:
    from collections.abc import Callable

_TRANSACTION_CONTROL = ("begin", "commit", "rollback")
_INSTEAD_OF_RUN_ID = "0"
"""What a rendering gets for an environment variable that names the run: a text and a number at once."""


class RenderStoppedError(BaseException):
    """The rendering asked for something that could change the warehouse.

    No ordinary exception: neither Jinja nor a macro's own error handling may swallow it.
    """


@dataclass(frozen=True)
class OwnContent:
    """What the record keeps of questions about the node's own relation, and which questions those are."""

    asks_own: Callable[[str, str], bool]
    """Whether a question (method, question) is about the node's own relation."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    orders: Mapping[str, list[str]] = field(default_factory=dict)
    make_table: Callable[[list[list[Any]], list[str], list[str]], Any] | None = None
    make_column: Callable[[dict[str, Any]], Any] | None = None


class ReadingGuard:
    """Lets a rendering read, gives recorded answers about the node's own content again, and stops everything else."""

    def __init__(
        self, *, dialect: str | None, own: OwnContent, volatile_env: tuple[str, ...], before_first_read: Callable[[], None]
    ) -> None:
        self._dialect = dialect
        self._own = own
        self._volatile_env = volatile_env
        self._before_first_read = before_first_read
        self._has_read = False
        self._inside = 0
        self.stopped: str | None = None
        self.substituted_env = False

    def env(self, name: str, read: Callable[[], str]) -> str:
        """Variables that name the run have one value for ever."""
        if is_volatile_env_var(name, self._volatile_env):
            self.substituted_env = True
            return _INSTEAD_OF_RUN_ID
        return read()

    def statement(self, sql: str) -> None:
        """Let through what only reads, and what opens or ends a transaction."""
        if sql.strip().rstrip(";").lower() in _TRANSACTION_CONTROL or self._inside:
            return
        from afresh.fingerprint.guard import is_read_only

        if not is_read_only(_without_query_comment(sql), self._dialect):
            self._stop(f"its Jinja sends SQL that may write: {_short(sql)}")
        if not self._has_read:
            self._has_read = True
            self._inside += 1
            try:
                self._before_first_read()
            finally:
                self._inside -= 1

    def member(self, name: str, value: Any) -> Any:
        """A member of ``adapter``, if it only reads."""
        if not may_read(name):
            self._stop(f"its Jinja calls adapter.{name}()")
        if name not in (EXECUTE, GET_RELATION, GET_COLUMNS):
            return value

        def asking(*args: Any, **kwargs: Any) -> Any:
            return self._ask(name, value, args, kwargs)

        return asking

    def _ask(self, method: str, ask: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        question = question_of(method, args, kwargs)
        key = answer_key(method, question)
        if key in self._own.kept and self._own.asks_own(method, question):
            found, given = self._again(method, self._own.kept[key], ask, args, kwargs)
            if found:
                return given
        if method == EXECUTE:
            self.statement(question)
        given = ask(*args, **kwargs)
        if method == EXECUTE and key in self._own.orders:
            given = (given[0], in_order(given[1], self._own.orders[key]))
        return given

    def _again(self, method: str, kept: Any, ask: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
        """The recorded answer, as far as the record holds it."""
        if method == GET_RELATION:
            return (True, None) if kept is None else (True, ask(*args, **kwargs))
        if method == GET_COLUMNS and self._own.make_column is not None:
            return True, [self._own.make_column(column) for column in kept]
        if method == EXECUTE and self._own.make_table is not None:
            return True, ("", given_again(kept, self._own.make_table))
        return False, None

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        raise RenderStoppedError(why)


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 80 else text[:79] + "…"  # noqa: PLR2004 - a line for people


def _without_query_comment(sql: str) -> str:
    """dbt puts a comment with JSON before every statement."""
    text = sql.lstrip()
    if text.startswith("/*") and "*/" in text and '"app": "dbt"' in text[: text.index("*/")]:
        return text[text.index("*/") + 2 :]
    return sql
