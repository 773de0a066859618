"""The record of what a rendering read, and environment variables in it."""

import json

import pytest

from afresh.core.version import PartGroup
from afresh.fingerprint.depfile import Depfile, ReadKind, compare, entry_key, split_key
from afresh.fingerprint.env_vars import env_digest, is_secret_env_var, is_volatile_env_var

KEY = b"a key"


def full():
    return Depfile(
        entries={entry_key(kind, f"x:{kind.value} é"): "d" for kind in ReadKind},
        queries=True,
        dynamic=True,
        volatile_names=frozenset({"run_started_at", "invocation_id"}),
        unknown=("it called adapter.x",),
    )


@pytest.mark.parametrize("depfile", [Depfile(), full()])
def test_a_record_survives_its_bytes(depfile):
    assert Depfile.from_bytes(depfile.to_bytes()) == depfile


def test_equal_records_have_equal_bytes():
    a = Depfile(entries={"var:a": "1", "var:b": "2"}, volatile_names=frozenset({"x", "y"}))
    b = Depfile(entries={"var:b": "2", "var:a": "1"}, volatile_names=frozenset({"y", "x"}))

    assert a.to_bytes() == b.to_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"\xff",
        b"[]",
        b"null",
        b'{"v":2}',
        b'{"v":1}',
        json.dumps({"v": 1, "entries": {"nonsense:x": "d"}, "queries": False, "dynamic": False, "volatile": [], "unknown": []}).encode(),
        json.dumps({"v": 1, "entries": [], "queries": False, "dynamic": False, "volatile": [], "unknown": []}).encode(),
    ],
)
def test_bytes_of_another_format_are_no_record(data):
    assert Depfile.from_bytes(data) is None


def test_nothing_changed_while_every_entry_has_its_value():
    depfile = Depfile(entries={"var:a": "1", "macro:m": "2"})

    assert compare(depfile, depfile.entries.get) == ()
    assert depfile.compare(depfile.entries.get) == ()


def test_every_entry_with_another_value_is_named():
    depfile = Depfile(entries={"var:a": "1", "macro:m": "2", "ctx:target.name": "3", "engine_macro:dbt.m": "4"})
    now = {"var:a": "1", "macro:m": "other", "engine_macro:dbt.m": "other"}

    changes = depfile.compare(now.get)

    assert [(change.name, change.group, change.observed) for change in changes] == [
        ("ctx.target.name", PartGroup.CODE, "(absent)"),
        ("engine_macro.dbt.m", PartGroup.ENGINE, ""),
        ("macro.m", PartGroup.CODE, ""),
    ]


@pytest.mark.parametrize(
    ("depfile", "must"),
    [(Depfile(), False), (Depfile(queries=True), True), (Depfile(dynamic=True), True), (Depfile(unknown=("x",)), True)],
)
def test_what_entries_cannot_stand_for_forces_a_rendering(depfile, must):
    assert depfile.must_render is must


def test_names_may_contain_colons():
    assert split_key(entry_key(ReadKind.CTX, "config.get:a")) == (ReadKind.CTX, "config.get:a")


def test_an_env_var_is_kept_as_a_keyed_digest():
    digest = env_digest("A", "secret", key=KEY)

    assert digest == env_digest("A", "secret", key=KEY)
    assert (
        len({digest, env_digest("A", "secret", key=b"other"), env_digest("B", "secret", key=KEY), env_digest("A", "other", key=KEY)}) == 4
    )


def test_a_variable_that_is_not_set_differs_from_an_empty_one():
    assert len({env_digest("A", value, key=KEY) for value in (None, "", "None", "null")}) == 4


@pytest.mark.parametrize("name", ["GITHUB_RUN_ID", "AIRFLOW_CTX_DAG_RUN_ID", "DBT_CLOUD_RUN_ID", "CI_PIPELINE_ID"])
def test_a_variable_that_names_the_run_is_volatile(name):
    assert is_volatile_env_var(name)


@pytest.mark.parametrize(
    "name", ["GITHUB_SHA", "GITHUB_REF_NAME", "DBT_ENV", "DBT_CLOUD_JOB_ID", "TARGET", "github_run_id", "MY_GITHUB_RUN_ID"]
)
def test_a_variable_that_says_what_runs_counts(name):
    assert not is_volatile_env_var(name)


def test_patterns_replace_the_default_list():
    assert is_volatile_env_var("MY_RUN", ["MY_*"])
    assert not is_volatile_env_var("GITHUB_RUN_ID", ["MY_*"])


def test_dbts_secrets_are_known_by_their_prefix():
    assert is_secret_env_var("DBT_ENV_SECRET_TOKEN")
    assert not is_secret_env_var("DBT_ENV_TOKEN")
