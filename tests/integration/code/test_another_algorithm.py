"""A record that another version of Afresh made, whose digests are derived in another way: what was kept is compared instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from afresh.core import version
from afresh.core.version import PartGroup
from afresh.dbt.code_compare import OTHER_ALGORITHM
from afresh.dbt.code_memo import CodeMemo
from afresh.fingerprint import digest
from afresh.fingerprint.macros import macro_digest

PLAIN = digest.digest_of_text
YAML = """
models:
  - name: typed
    config: {contract: {enforced: true}, grants: {}}
    columns: [{name: id, data_type: integer}, {name: b, data_type: integer, constraints: [{type: not_null}]}]
  - name: macro
    columns: [{name: eur, tests: [not_null, {accepted_values: {values: [2.5], config: {limit: 5}}}]}]
"""


@pytest.fixture
def built(lab, monkeypatch):
    """A project that was built by the algorithm before, of which none of the digests means anything now."""
    lab.macro("eur", "{% macro eur(x) %}({{ x }} / 100){% endmacro %}")
    lab.model("typed", "{{ config(materialized='table', post_hook='select 1') }} select 1 as id, 2 as b")
    lab.model("macro", "select {{ eur('250') }} as eur -- in euros")
    lab.model(
        "inc", "{{ config(materialized='incremental', unique_key='id') }} select 1 as id {% if is_incremental() %}where 1 = 1{% endif %}"
    )
    lab.write("seeds/s.csv", "id,t\n1,x\n")
    lab.write("models/schema.yml", YAML)
    lab.build()
    monkeypatch.setattr(version, "CODE_ALGORITHM", version.CODE_ALGORITHM + 1)
    monkeypatch.setattr(digest, "digest_of_text", lambda text: PLAIN(f"in another way: {text}"))
    macro_digest.cache_clear()
    yield lab
    macro_digest.cache_clear()


def differing(lab):
    """Names of the parts of code that differ, by node; macros of dbt's own, which are not kept, are no code."""
    found = {
        name: [part.name for part in one.changes if part.group is PartGroup.CODE] + [one.not_reusable][: one.not_reusable is not None]
        for name, one in lab.compare().items()
    }
    return {name: parts for name, parts in found.items() if parts}


def test_nothing_differs_although_no_digest_is_the_same(built):
    assert len(built.compare()) == 6
    assert differing(built) == {}


def test_edits_of_every_kind_are_found(built):
    built.macro("eur", "{% macro eur(x) %}({{ x }} / 1000){% endmacro %}")
    built.model("typed", "{{ config(materialized='table', post_hook='select 2') }} select 1 as id, 2 as b")
    built.model(
        "inc", "{{ config(materialized='incremental', unique_key='b') }} select 1 as id {% if is_incremental() %}where 1 = 2{% endif %}"
    )
    built.write("seeds/s.csv", "id,t\n1,y\n")
    built.write("models/schema.yml", YAML.replace("limit: 5", "limit: 6"))

    found = differing(built)

    assert "sql" in found["macro"]
    assert found["typed"] == ["config.post-hook"]
    assert found["inc"] == ["config.unique_key", "sql"]
    assert found["s"] == ["file"]
    assert found[next(name for name in found if name.startswith("accepted"))] == ["config.limit"]


def test_the_order_of_columns_under_a_contract_is_kept(built):
    typed = "[{name: id, data_type: integer}, {name: b, data_type: integer, constraints: [{type: not_null}]}]"
    built.write(
        "models/schema.yml",
        YAML.replace(typed, "[{name: b, data_type: integer, constraints: [{type: not_null}]}, {name: id, data_type: integer}]"),
    )

    assert differing(built) == {"typed": ["columns"]}


def test_what_is_not_kept_any_more_cannot_be_compared(built):
    memo = CodeMemo.from_bytes(built.records["model.shop.macro"].depfile)
    built.records["model.shop.macro"] = replace(built.records["model.shop.macro"], depfile=replace(memo, code=None).to_bytes())
    built.records["model.shop.typed"] = replace(built.records["model.shop.typed"], compiled=None)

    assert differing(built) == {"macro": [OTHER_ALGORITHM], "typed": ["sql"]}


def test_a_comparison_leaves_a_record_of_the_algorithm_of_now(built, monkeypatch):
    macro_digest.cache_clear()
    monkeypatch.setattr(digest, "digest_of_text", PLAIN)  # so that the macros of dbt's own are the same, too
    first = built.compare()["macro"]
    assert (first.changes, first.rendered) == ((), True)
    built.records["model.shop.macro"] = replace(built.records["model.shop.macro"], depfile=first.depfile)
    assert not built.compare()["macro"].rendered
