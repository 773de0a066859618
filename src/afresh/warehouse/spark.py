"""Spark: Delta tables by their log. Tables of other formats keep no version that Spark SQL shows everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Ambiguous, Name, Quoting, lower
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.spark_catalogue import look_in_spark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.warehouse.asks import Probing
    from afresh.warehouse.catalogue import Found
    from afresh.warehouse.view_sql import Part

_WORDS = Dialect("spark", text="cast({} as string)", now="current_timestamp()", quotes=("`", "`"), escapes=True)
_CATALOG = "spark_catalog"
_TWO_PARTS, _THREE_PARTS = 2, 3


@dataclass(frozen=True, slots=True)
class Spark(ServerEngine):
    """dbt-spark."""

    adapter_type: str = "spark"
    dialect: str = "spark"
    algorithm: str = "spark1"
    words: Dialect = _WORDS
    replaces_drop_views: bool = False
    session_date_sql: str = f"select {_WORDS.marked('current_date()')} as answer"

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:  # noqa: ARG002 - quoting does not matter here
        """Lower case, quoted or not. What dbt calls the database is the schema once more."""
        return Name("", lower(name.schema), lower(name.identifier))

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:  # noqa: ARG002 - one shape for all engines
        """Names with their schema, in Spark's own catalog."""
        texts = [lower(part.text) for part in parts]
        if len(texts) == _THREE_PARTS and texts[0] == _CATALOG:
            texts = texts[1:]
        return Name("", *texts) if len(texts) == _TWO_PARTS else None

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """One question per relation, and one more for each Delta table."""
        return look_in_spark(names, _WORDS)
