"""Alembic's script folder: package data, found by :mod:`afresh.store.migrating`."""
