"""Settings as typed values: ``afresh.yml``, the environment and the command line, and the settings of each node in dbt's config.

What is wrong is a :class:`~afresh.errors.UsageError` that names file, line and key, and lists every mistake at once.
"""
