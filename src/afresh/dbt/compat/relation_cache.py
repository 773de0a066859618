"""Bringing dbt's cache of relations up to date with what other runs did, while threads of this run go on building.

What a thread is building is its own business: its tables are renamed in dbt's cache at once, and in the warehouse when it
commits. Until then both tell the truth, and the warehouse's must not be written into the cache over the thread's own.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbt.adapters.reference_keys import _make_ref_key, _ReferenceKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BESIDE = "__dbt_"
"""What comes after the name of a relation in the names of those that dbt makes beside it while it builds it."""


class RelationCache:
    """dbt's cache of relations, shared with the threads that build."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._lock = threading.Lock()
        self._at_work: list[_ReferenceKey] = []
        self._readings: list[set[_ReferenceKey]] = []

    @contextmanager
    def building(self, relation: Any) -> Iterator[None]:
        """This thread builds a relation: meanwhile the cache knows better than the warehouse what becomes of it."""
        key = cache_key(relation)
        with self._lock:
            self._at_work.append(key)
            for touched in self._readings:
                touched.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._at_work.remove(key)

    @contextmanager
    def _reading(self) -> Iterator[set[_ReferenceKey]]:
        """What is being built at any moment until the end."""
        with self._lock:
            touched = set(self._at_work)
            self._readings.append(touched)
        try:
            yield touched
        finally:
            with self._lock:
                # By identity: two sets may be equal.
                self._readings[:] = [other for other in self._readings if other is not touched]

    def reread(self, relation: Any) -> None:
        """Bring the cache of one schema up to date, on the connection of the calling thread.

        What other threads of this run do to the cache meanwhile is newer than what the warehouse said, and stays.
        """
        cache = self._adapter.cache
        with self._reading() as touched:
            before = {cache_key(known): known for known in cache.get_relations(relation.database, relation.schema)}
            over = self._over(touched)
            listed = self._adapter.list_relations_without_caching(relation.without_identifier())
            live = {cache_key(found): found for found in listed}
            with cache.lock:
                spared = over | self._over(touched)
                still = {cache_key(known) for known in cache.get_relations(relation.database, relation.schema)}
                for key, known in before.items():
                    if key in still and (key not in live or live[key].type != known.type) and not _is_of(key, touched, spared):
                        cache.drop(known)
                for key, found in live.items():
                    if (key in still or key not in before) and not _is_of(key, touched, spared):
                        cache.add(found)
                self._link()

    def _over(self, keys: Iterable[_ReferenceKey]) -> set[_ReferenceKey]:
        """What goes with these relations when they are replaced, as far as the cache knows."""
        cache = self._adapter.cache
        with cache.lock:
            known = [cache.relations[key] for key in keys if key in cache.relations]
            return {over for one in known for over in one.collect_consequences()}

    def _link(self) -> None:
        """Tell the cache again which relations go with which, where the adapter keeps that: what is new is not linked yet.

        dbt invents the relations that it links and does not know, such as one that a thread has just renamed: these go again.
        """
        link = getattr(self._adapter, "_link_cached_database_relations", None)
        if link is None:
            return
        cache = self._adapter.cache
        known = set(cache.relations)
        link({schema for _, schema in cache.schemas})
        invented = [key for key, found in cache.relations.items() if key not in known and found.inner.type == found.inner.External]
        cache._remove_refs(invented)


def cache_key(relation: Any) -> Any:
    """What dbt's cache knows a relation by."""
    return _make_ref_key(relation)


def _is_of(key: _ReferenceKey, touched: set[_ReferenceKey], spared: set[_ReferenceKey]) -> bool:
    """Whether a relation is one of those that are being built, stands beside one, or goes with one."""
    if key in touched or key in spared:
        return True
    name, found, _ = (key.identifier or "").partition(_BESIDE)
    return bool(found) and key._replace(identifier=name) in touched
