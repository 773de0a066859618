"""The only package that knows dbt. Inside it, only :mod:`afresh.dbt.compat` imports dbt-core."""
