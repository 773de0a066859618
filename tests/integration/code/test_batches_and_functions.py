"""Microbatch models and user-defined functions, on the versions of dbt that have them."""

from __future__ import annotations

import datetime as dt

from dbt.node_types import NodeType
from dbt.task import run

_MICROBATCH = """
{{{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at_day', batch_size='day', begin='{begin}', lookback=1) }}}}
select id, at_day{more} from {{{{ ref('events') }}}}
"""

if hasattr(run, "MicrobatchBatchRunner"):

    def test_a_microbatch_model_is_recorded_whole_and_its_window_is_no_code(lab):
        yesterday = dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=1)
        lab.model("events", f"{{{{ config(event_time='at_day') }}}} select 1 as id, timestamp '{yesterday} 01:00:00' as at_day")
        lab.model("mb", _MICROBATCH.format(begin=yesterday, more=""))
        lab.build()
        assert lab.sent["mb"]
        record = lab.record("mb")
        assert set(record.code.parts) >= {"sql", "ref_event_time.model.shop.events"}
        assert "2000-01-01" in lab.text_of_form(record, "sql")
        assert lab.changes("mb") == []
        lab.build()
        assert lab.changes("mb") == []
        lab.model("mb", _MICROBATCH.format(begin=yesterday, more=", 1 as more"))
        assert lab.changes("mb") == ["sql"]


if hasattr(NodeType, "Function"):

    def test_a_function_is_changed_by_its_body_and_by_its_signature(lab):
        lab.write("functions/plus.sql", "x + 1")
        yaml = "functions: [{{name: plus, config: {{type: scalar}}, arguments: [{{name: x, data_type: {type}}}], returns: {{data_type: int}}}}]"
        lab.write("functions/plus.yml", yaml.format(type="int"))
        lab.compile()
        assert lab.changes("plus") == []
        lab.write("functions/plus.sql", "x + 2")
        assert "sql" in lab.changes("plus")
        lab.write("functions/plus.sql", "x + 1")
        lab.write("functions/plus.yml", yaml.format(type="bigint"))
        assert "arguments" in lab.changes("plus")
