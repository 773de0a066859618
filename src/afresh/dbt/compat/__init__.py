"""The only modules that import dbt-core: one per thing that is asked of it or that differs between its versions."""
