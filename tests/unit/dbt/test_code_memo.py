"""The record of how a build's SQL came to be."""

from __future__ import annotations

import json

import pytest

from afresh.dbt.code_memo import CodeMemo
from afresh.fingerprint.depfile import Depfile


def test_a_record_survives_being_written():
    memo = CodeMemo(
        Depfile({"var:shop/x": "1"}, queries=True), "raw", {"sql": None, "sql.incremental": "select 1"}, {"k": None}, {"q": ["a"]}, "why"
    )
    assert CodeMemo.from_bytes(memo.to_bytes()) == memo


@pytest.mark.parametrize("data", [None, b"", b"{}", b"[]", b"\xff", b'{"v":2,"depfile":"{}"}', b'{"v":1}'])
def test_what_is_no_record_of_this_format_is_none(data):
    assert CodeMemo.from_bytes(data) is None


def test_a_form_that_dbt_compiled_itself_is_kept_once():
    memo = CodeMemo(forms={"sql": None, "sql.incremental": "select 2"})
    assert memo.text("sql", "select 1") == "select 1"
    assert memo.text("sql.incremental", "select 1") == "select 2"
    assert CodeMemo().text("sql", "select 1") is None


def test_a_record_from_before_algorithms_had_numbers_is_of_the_first():
    content = json.loads(CodeMemo().to_bytes())
    del content["code"], content["algorithm"]
    assert CodeMemo.from_bytes(json.dumps(content).encode()) == CodeMemo(algorithm=1)


@pytest.mark.parametrize("code", [None, {}, {"resource_type": "moon"}, {"columns": 1}])
def test_kept_code_that_cannot_be_read_gives_no_parts(code):
    assert CodeMemo(code=code).parts_again() is None
