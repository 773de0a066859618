"""The protocol around a node: observe, lease, decide, act, record.

:mod:`afresh.orchestration.host` is the one interface for what is asked of dbt; nothing here imports dbt.
"""
