from __future__ import annotations

import pytest

from afresh.dbt.shown_command import shown_command


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("afresh build --select marts+", "afresh build --select marts+"),
        ("afresh build --vars {password: hunter2} --select a", "afresh build --vars … --select a"),
        ("afresh build --vars={password: hunter2}", "afresh build --vars=…"),
        ("afresh build --vars {a: 1, b: -2, c: 3}", "afresh build --vars …"),
        ("afresh build --state-url postgresql://me:secret@host/db -s a", "afresh build --state-url postgresql://me:…@host/db -s a"),
        ("afresh build --state-url postgresql://host/db", "afresh build --state-url postgresql://host/db"),
    ],
)
def test_a_remembered_command_keeps_no_secret(command, shown):
    assert shown_command(command) == shown
