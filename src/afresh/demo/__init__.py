"""The example project that ``afresh demo`` shows: a small shop on embedded DuckDB.

It holds the project (``project/``), its raw data (``raw_data.sql``) and the events of the story (:mod:`afresh.demo.scenario`).
It must not know how the story is told: running dbt and printing belong to the command line.
"""
