"""State addresses: which are understood, where a relative file is, and that no password is ever shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from afresh.config.state_url import checked_state_url, is_sqlite, located, redacted


@pytest.mark.parametrize(
    ("given_url", "file"),
    [
        ("sqlite:///.afresh/state.db", "{project}/.afresh/state.db"),
        ("sqlite:///../shared/state.db", "{project}/../shared/state.db"),
        ("sqlite:////var/lib/afresh/state.db", "/var/lib/afresh/state.db"),
        ("SQLite:///state.db", "{project}/state.db"),
    ],
)
def test_a_relative_file_is_relative_to_the_project(tmp_path, given_url, file):
    url = located(checked_state_url(given_url), tmp_path)
    from pathlib import Path

    assert make_url(url).database == str(Path(file.format(project=tmp_path)).resolve())


def test_a_folder_with_spaces_and_other_signs_is_found_by_sqlalchemy(tmp_path):
    project = tmp_path / "my shop & söhne #1 100% @home"
    assert make_url(located("sqlite:///state.db", project)).database == str(project / "state.db")


def test_a_folder_that_cannot_stand_in_an_address_is_refused(tmp_path):
    with pytest.raises(ValueError, match="question mark"):
        located("sqlite:///state.db", tmp_path / "what?")


def test_parameters_of_an_address_are_kept(tmp_path):
    assert make_url(located("sqlite:///state.db?timeout=5", tmp_path)).query == {"timeout": "5"}


def test_heroku_s_spelling_of_postgresql_is_understood():
    assert checked_state_url("postgres://u@h/db") == "postgresql://u@h/db"
    assert not is_sqlite("postgresql://u@h/db")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:secret@h/db", "mysql"),
        ("state.db", "not a URL"),
        ("sqlite://", "in memory"),
        ("sqlite:///", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite://state.db", "three slashes"),
        ("postgresql://", "neither host nor database"),
    ],
)
def test_an_address_that_cannot_hold_the_state_is_refused(url, why):
    with pytest.raises(ValueError, match=why) as caught:
        checked_state_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:S3CR3T@host/db",
        "postgresql://ada:S3CR3T@b@host/db",
        "postgresql://ada:a/S3CR3T@host/db",
        "postgresql://:S3CR3T@host/db",
        "postgresql://host/db?user=ada&password=S3CR3T",
        "postgresql://host/db?sslpassword=S3CR3T&x=1",
        "S3CR3T",
    ],
)
def test_a_password_is_not_shown(url):
    assert "S3CR3T" not in redacted(url)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=1).filter(lambda text: "#secret" not in text))
def test_no_password_of_any_form_is_shown(noise):
    assert "#secret" not in redacted(f"postgresql://ada:{noise}#secret@host/db")
