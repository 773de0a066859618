"""State-aware orchestration for dbt Core: build only the models whose code or data changed."""

__version__ = "0.1.0"
