"""``afresh.yml``: every key, every kind of mistake, and which layer wins."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afresh.config.afresh_yml import AfreshYml, load, opts_in, read, resolve
from afresh.config.keys import SCALAR_KEYS
from afresh.config.problems import SettingsError
from afresh.config.settings import DEFAULT_VOLATILE_ENV_VARS, OnStateError
from afresh.core.policy import UpdatesOn
from afresh.errors import InternalError, UsageError

FULL = """\
state_url: "{{ env_var('STATE', 'sqlite:///.afresh/state.db') }}"
plugin: true
on_state_error: fail
queue_timeout: 90m
lease_ttl: 45s
warehouse_id: prod-lake
volatile_env_vars: [CI_RUN, "{{ env_var('EXTRA', 'NONE') }}_*"]
defaults: {updates_on: all, lag_tolerance: 1h30m}
history: {keep: 30d}
tests: {inherit: true, aggregate: yes}

environments:
  prod: {target: prod, threads: 8, env: {DBT_ENV: prod, EMPTY: ""}}

jobs:
  hourly:
    environment: prod
    steps: ["source freshness", "build --select tag:hourly+"]
    schedule: {cron: "5 * * * *", timezone: Europe/Berlin}
    state_aware: true
    timeout: 2h
    retries: {max: 2, backoff: 60s}
    notify: {on: [failure, recovery], to: ["{{ env_var('SLACK_URL') }}"]}
  marts:
    after: {jobs: [hourly], statuses: [success]}
    steps: ["build --select marts"]
  early:
    schedule: {at: [06:00, 18:00], days: [mon-fri]}
    steps: [build]
  pull_request:
    type: ci
    steps: ["build --select state:modified+"]

server: {listen: "127.0.0.1:8580", run_slots: 4, auth: {tokens: ["{{ env_var('TOKEN') }}"]}}
"""


@pytest.fixture
def project(tmp_path):
    """Writes an ``afresh.yml`` and loads it with an environment and a command line."""

    def load_with(text: str | bytes, *, env=None, cli=None):
        (tmp_path / "afresh.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(tmp_path, env=env or {}, cli=cli or {})

    return load_with


@pytest.fixture
def mistakes(project):
    """The mistakes of a file as (line, key, what, hint), from the one error that names them all."""

    def of(text: str | bytes, *, env=None, cli=None):
        with pytest.raises(UsageError) as caught:
            project(text, env=env, cli=cli)
        assert isinstance(caught.value, SettingsError)
        assert all(str(problem.where) in str(caught.value) for problem in caught.value.problems)
        return [(problem.where.line, problem.where.key, problem.what, problem.hint or "") for problem in caught.value.problems]

    return of


# --- values -----------------------------------------------------------------------------------------------------------


def test_no_file_gives_the_documented_defaults(tmp_path):
    settings = load(tmp_path, env={})
    assert settings.state_url == f"sqlite:///{tmp_path.resolve()}/.afresh/state.db"
    assert (settings.plugin, settings.on_state_error, settings.warehouse_id, settings.file) == (False, OnStateError.BUILD, None, None)
    assert (settings.queue_timeout, settings.lease_ttl, settings.history.keep) == (
        timedelta(hours=1),
        timedelta(seconds=30),
        timedelta(days=90),
    )
    assert (settings.defaults.updates_on, settings.defaults.lag_tolerance) == (UpdatesOn.ANY, timedelta(0))
    assert (settings.tests.inherit, settings.tests.aggregate, settings.volatile_env_vars) == (False, False, DEFAULT_VOLATILE_ENV_VARS)


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing yet\n", "---\n", "null\n", "jobs:\ndefaults:\nplugin:\nvolatile_env_vars:\n", "\ufeff"]
)
def test_an_empty_file_or_key_gives_the_defaults_too(project, tmp_path, text):
    settings = project(text)
    assert (settings.state_url, settings.plugin, settings.jobs) == (load(tmp_path, env={}).state_url, False, {})


def test_every_key_of_the_contract_is_read(project, tmp_path):
    settings = project(FULL)
    assert settings.state_url == f"sqlite:///{tmp_path.resolve()}/.afresh/state.db"
    assert (settings.plugin, settings.on_state_error, settings.warehouse_id) == (True, OnStateError.FAIL, "prod-lake")
    assert (settings.queue_timeout, settings.lease_ttl, settings.history.keep) == (
        timedelta(minutes=90),
        timedelta(seconds=45),
        timedelta(days=30),
    )
    assert (settings.defaults.updates_on, settings.defaults.lag_tolerance) == (UpdatesOn.ALL, timedelta(minutes=90))
    assert (settings.tests.inherit, settings.tests.aggregate) == (True, True)
    assert settings.volatile_env_vars == ("CI_RUN", "NONE_*")


def test_jobs_keep_what_yaml_would_misread_and_templates_that_only_the_job_can_render(project):
    settings = project(FULL)
    assert settings.jobs["hourly"]["notify"] == {"on": ["failure", "recovery"], "to": ["{{ env_var('SLACK_URL') }}"]}
    assert settings.jobs["early"]["schedule"] == {"at": ["06:00", "18:00"], "days": ["mon-fri"]}
    assert settings.jobs["hourly"]["retries"] == {"max": 2, "backoff": "60s"}
    assert settings.environments["prod"]["env"] == {"DBT_ENV": "prod", "EMPTY": ""}
    assert settings.server["run_slots"] == 4


def test_anchors_and_merges_work(project):
    text = "jobs:\n  base: &base {steps: [build], timeout: 1h}\n  other: {<<: *base, timeout: 2h}\n"
    assert project(text).jobs["other"] == {"steps": ["build"], "timeout": "2h"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [("sqlite:///x.db", OnStateError.BUILD), ("postgresql://h/db", OnStateError.FAIL)],
)
def test_an_unreachable_state_fails_only_where_it_is_shared(project, url, expected):
    settings = project(f"state_url: {url}\n")
    assert (settings.on_state_error, settings.shared_state) == (expected, expected is OnStateError.FAIL)


# --- layers -----------------------------------------------------------------------------------------------------------


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(project):
    text, env, cli = "queue_timeout: 3h\n", {"AFRESH_QUEUE_TIMEOUT": "2h"}, {"queue_timeout": "1m"}
    assert project(text).queue_timeout == timedelta(hours=3)
    assert project(text, env=env).queue_timeout == timedelta(hours=2)
    assert project(text, env=env, cli=cli).queue_timeout == timedelta(minutes=1)
    assert project(text, env=env, cli={"queue_timeout": None}).queue_timeout == timedelta(hours=2)


def test_the_origin_of_each_setting_is_known(project, tmp_path):
    settings = project(
        "queue_timeout: 3h\nlease_ttl: 9s\n", env={"AFRESH_LEASE_TTL": "8s", "AFRESH": "1"}, cli={"state_url": "sqlite:///s.db"}
    )
    assert settings.origins == {
        "queue_timeout": f"{tmp_path}/afresh.yml:1",
        "lease_ttl": "AFRESH_LEASE_TTL",
        "plugin": "AFRESH",
        "state_url": "--state-url",
    }


@pytest.mark.parametrize(
    ("variable", "text", "read_back"),
    [
        ("AFRESH_STATE_URL", "postgresql://h/db", lambda settings: settings.state_url == "postgresql://h/db"),
        ("AFRESH", "1", lambda settings: settings.plugin),
        ("AFRESH_ON_STATE_ERROR", "fail", lambda settings: settings.on_state_error is OnStateError.FAIL),
        ("AFRESH_QUEUE_TIMEOUT", "0s", lambda settings: settings.queue_timeout == timedelta(0)),
        ("AFRESH_LEASE_TTL", "2s", lambda settings: settings.lease_ttl == timedelta(seconds=2)),
        ("AFRESH_WAREHOUSE_ID", "lake", lambda settings: settings.warehouse_id == "lake"),
        ("AFRESH_DEFAULTS_UPDATES_ON", "all", lambda settings: settings.defaults.updates_on is UpdatesOn.ALL),
        ("AFRESH_DEFAULTS_LAG_TOLERANCE", "1h", lambda settings: settings.defaults.lag_tolerance == timedelta(hours=1)),
        ("AFRESH_HISTORY_KEEP", "1w", lambda settings: settings.history.keep == timedelta(weeks=1)),
        ("AFRESH_TESTS_INHERIT", "true", lambda settings: settings.tests.inherit),
        ("AFRESH_TESTS_AGGREGATE", "1", lambda settings: settings.tests.aggregate),
    ],
)
def test_the_environment_sets(tmp_path, variable, text, read_back):
    assert variable in {key.variable for key in SCALAR_KEYS}
    assert read_back(load(tmp_path, env={variable: text}))


def test_afresh_0_switches_the_plugin_off_for_one_run(project):
    assert project("plugin: true\n", env={"AFRESH": "0"}).plugin is False


def test_a_template_that_a_stronger_layer_replaces_is_not_rendered(project):
    settings = project("""state_url: "{{ env_var('NOT_SET') }}"\n""", env={"AFRESH_STATE_URL": "postgresql://h/db"})
    assert settings.state_url == "postgresql://h/db"


def test_this_process_s_environment_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("AFRESH_QUEUE_TIMEOUT", "7m")
    assert load(tmp_path).queue_timeout == timedelta(minutes=7)


def test_a_setting_that_no_key_has_is_our_bug(tmp_path):
    with pytest.raises(InternalError):
        resolve(AfreshYml(), {}, {"colour": "red"}, project_dir=tmp_path)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("plugin: true\nstat_url: x\n", 2, "stat_url", "did you mean `state_url`?"),
        ("colour: red\n", 1, "colour", "allowed keys: defaults, environments"),
        ("defaults: {lag: 1h}\n", 1, "defaults.lag", "allowed keys: lag_tolerance, updates_on"),
        ("plugin: perhaps\n", 1, "plugin", "'perhaps' is not allowed|allowed: true or false"),
        ("plugin: 1\n", 1, "plugin", "allowed: true or false"),
        ("plugin: [true]\n", 1, "plugin", "one value is expected here, not a list"),
        ("on_state_error: fial\n", 1, "on_state_error", "allowed: one of fail, build; did you mean fail?"),
        ("queue_timeout: 5\n", 1, "queue_timeout", "allowed: a duration such as 90s"),
        ("lease_ttl: 0s\n", 1, "lease_ttl", "at least 1s"),
        ("history: {keep: 1h}\n", 1, "history.keep", "at least 1d"),
        ('warehouse_id: ""\n', 1, "warehouse_id", "the value is empty"),
        ("defaults: any\n", 1, "defaults", "a mapping of keys to values is expected here, not a single value"),
        ("volatile_env_vars: CI\n", 1, "volatile_env_vars", "a list is expected here, not a single value"),
        ("state_url: mysql://u:pw@h/db\n", 1, "state_url", "state cannot be kept in mysql://u:***@h/db"),
        ("- plugin\n", 1, None, "a mapping of keys to values is expected here, not a list"),
        ("just text\n", 1, None, "a mapping of keys to values is expected here, not a single value"),
        ("plugin: true\nplugin: false\n", 2, "plugin", "the key is there twice (first in line 1)"),
        ("tests:\n  inherit: true\n  inherit: true\n", 3, "tests.inherit", "the key is there twice"),
        ("tests:\n\tinherit: true\n", 2, None, "YAML does not allow tabs: indent with spaces"),
        ("tests: {inherit: true\n", 2, None, "not valid YAML"),
        ('state_url: "sqlite\n', 2, None, "not valid YAML"),
        ("plugin: true\n---\nplugin: false\n", 2, None, "remove the `---`"),
        ("plugin: *nowhere\n", 1, None, "not valid YAML: found undefined alias"),
        ("state_url: {{ env_var('X') }}\n", 1, "state_url", "put quotes around Jinja"),
        ("state_url: {% if x %}y\n", 1, None, "not valid YAML"),
        ("environments: &a\n  b: *a\n", 1, "environments.b", "the value holds itself"),
        ("plugin: tr\x00ue\n", 1, None, "a character that YAML does not allow"),
        ("""state_url: "{{ env_var('NOT_SET') }}"\n""", 1, "state_url", "the environment variable NOT_SET is not set|give a default"),
        ("""queue_timeout: "{{ var('x') }}"\n""", 1, "queue_timeout", "only `env_var` is known here"),
        ("""queue_timeout: "{{ env_var('x' }}"\n""", 1, "queue_timeout", "not valid Jinja"),
        ("""queue_timeout: "{{ ''.__class__.__mro__ }}"\n""", 1, "queue_timeout", "cannot be rendered (SecurityError)"),
        ("environments: {prod: {treads: 4}}\n", 1, "environments.prod.treads", "did you mean `threads`?"),
        ("environments: {prod: {threads: 0}}\n", 1, "environments.prod.threads", "a whole number, at least 1"),
        ("jobs: {hourly: {timeout: 1h}}\n", 1, "jobs.hourly", "the key `steps` is missing"),
        ("jobs: {hourly: {steps: []}}\n", 1, "jobs.hourly.steps", "the list is empty"),
        ("jobs:\n  a:\n    steps: [build]\n    schedule: hourly\n", 4, "jobs.a.schedule", "a mapping of keys to values"),
        ("jobs: {a: {steps: [build], retries: {max: two}}}\n", 1, "jobs.a.retries.max", "a whole number"),
        ("jobs: {a: {steps: [build], environment: prod}}\n", 1, "jobs.a", "the environment `prod` does not exist"),
        ("jobs: {a: {steps: [build], after: {jobs: [b]}}}\n", 1, "jobs.a", "the job `b` does not exist|there are: a"),
        ("server: {port: 80}\n", 1, "server.port", "allowed keys: auth, listen, run_slots"),
    ],
)
def test_a_mistake_is_one_error_with_its_place_and_what_would_be_right(mistakes, text, line, key, says):
    ((at, name, what, hint),) = mistakes(text)
    assert (at, name) == (line, key)
    assert all(part in f"{what}; {hint}" for part in says.split("|"))


def test_all_mistakes_of_a_file_are_reported_together_in_the_order_of_the_file(mistakes):
    text = "plugn: true\nqueue_timeout: soon\njobs:\n  a: {steps: build}\n  b: {stps: [build]}\n"
    assert [(line, key) for line, key, *_ in mistakes(text)] == [
        (1, "plugn"),
        (2, "queue_timeout"),
        (4, "jobs.a.steps"),
        (5, "jobs.b.stps"),
        (5, "jobs.b"),
    ]


def test_a_mistake_in_the_environment_or_on_the_command_line_names_it(project):
    with pytest.raises(UsageError, match="environment variable AFRESH_LEASE_TTL: 'x' is not allowed"):
        project("", env={"AFRESH_LEASE_TTL": "x"})
    with pytest.raises(UsageError, match="option --queue-timeout: 'x' is not allowed"):
        project("", cli={"queue_timeout": "x"})
    with pytest.raises(UsageError, match="environment variable AFRESH_STATE_URL: the value is empty"):
        project("", env={"AFRESH_STATE_URL": ""})


@pytest.mark.parametrize(
    ("text", "env", "cli"),
    [
        ("""state_url: "{{ env_var('URL') }}"\n""", {"URL": "mysql://u:S3CR3T@h/d"}, {}),
        ("""state_url: "{{ env_var('URL') }}"\n""", {"URL": "S3CR3T"}, {}),
        ("""queue_timeout: "{{ env_var('URL') }}"\n""", {"URL": "S3CR3T"}, {}),
        ("state_url: S3CR3T\n", {}, {}),
        ("", {"AFRESH_STATE_URL": "S3CR3T"}, {}),
        ("", {}, {"state_url": "redis://:S3CR3T@h"}),
        ("jobs: {a: {steps: [build], notify: {to: {x: S3CR3T}}}}\n", {}, {}),
        ("server: {auth: {tokens: S3CR3T}}\n", {}, {}),
        ("state_url: 'x\n  S3CR3T\n", {}, {}),
        ("""queue_timeout: "{{ env_var('URL') | int('x', 1/0) }}"\n""", {"URL": "S3CR3T"}, {}),
    ],
)
def test_no_error_shows_what_may_be_a_secret(project, text, env, cli):
    with pytest.raises(UsageError) as caught:
        project(text, env=env, cli=cli)
    assert "S3CR3T" not in str(caught.value)


def test_settings_can_be_printed_without_their_password(project):
    settings = project("state_url: postgresql://ada:S3CR3T@h/db\n")
    assert "S3CR3T" not in repr(settings)
    assert settings.state_shown == "postgresql://ada:***@h/db"


def test_text_that_is_not_utf_8_is_refused(mistakes):
    ((_, _, what, _),) = mistakes("plugin: true # größe".encode("latin-1"))
    assert what == "the file is not UTF-8 text"


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "afresh.yml").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path, env={})


def test_a_link_to_nothing_is_not_taken_for_no_file(tmp_path):
    (tmp_path / "afresh.yml").symlink_to(tmp_path / "gone.yml")
    with pytest.raises(UsageError, match="points to nothing"):
        load(tmp_path, env={})


def test_a_file_under_another_ending_is_not_passed_over(tmp_path):
    (tmp_path / "afresh.yaml").write_text("plugin: true\n")
    with pytest.raises(UsageError, match=r"must be called afresh\.yml"):
        load(tmp_path, env={})


def test_an_unreadable_file_is_refused(tmp_path):
    file = tmp_path / "afresh.yml"
    file.write_text("plugin: true\n")
    file.chmod(0)
    if os.access(file, os.R_OK):  # root reads everything; then only that it loads can be seen
        assert load(tmp_path, env={}).plugin
        return
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        load(tmp_path, env={})


def test_a_file_nested_without_end_is_refused(mistakes):
    ((_, _, what, _), *_) = mistakes("a: " + "[" * 5_000)
    assert what == "the file is nested too deeply"


def assert_each_has_a_place(error, file):
    assert {problem.where.file for problem in error.problems} == {file}


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(["plugin", ":", " ", "\n", "-", "{{", "}}", "jobs", "[", "]", "&a", "*a", "<<", "true"])).map("".join),
    )
)
def test_any_text_is_settings_or_one_error(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("project")
    (folder / "afresh.yml").write_text(text, encoding="utf-8", newline="")
    try:
        assert isinstance(read(folder).file, Path)
    except SettingsError as error:
        assert_each_has_a_place(error, str(folder / "afresh.yml"))


# --- opting in, and what is read without effect -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("plugin: false\n", False),
        ("plugin: true\n", True),
        ("plugin:\nqueue_timeout: soon\n", False),
        ("# plugin: true\nno_such_key: 1\n", False),
        ("plugin: yes\nqueue_timeout: soon\nqueue_timeout: later\n", True),
        ("plugin: \"{{ env_var('PLUG', 'false') }}\"\n", True),
    ],
)
def test_whether_a_project_opts_in_is_told_whatever_else_is_wrong(tmp_path, text, expected):
    (tmp_path / "afresh.yml").write_text(text)
    assert opts_in(tmp_path, env={"PLUG": "true", "AFRESH": "0"}) is expected


def test_a_project_without_a_file_does_not_opt_in(tmp_path):
    assert opts_in(tmp_path, env={}) is False


@pytest.mark.parametrize(
    "text", ["plugin: perhaps\n", "plugin: [\n", "- plugin\n", "plugin: true\nplugin: false\n", "plugin: \"{{ env_var('NOT_SET') }}\"\n"]
)
def test_a_file_that_does_not_tell_whether_it_opts_in_is_a_mistake(tmp_path, text):
    (tmp_path / "afresh.yml").write_text(text)
    with pytest.raises(SettingsError):
        opts_in(tmp_path, env={})


@pytest.mark.parametrize(
    ("text", "env", "expected"),
    [
        (FULL, {}, ("tests.inherit", "tests.aggregate", "environments", "jobs", "server")),
        ("tests: {inherit: false}\nplugin: true\njobs: {}\n", {}, ()),
        ("", {"AFRESH_TESTS_INHERIT": "1"}, ("tests.inherit",)),
    ],
)
def test_settings_on_which_nothing_acts_yet_are_told_in_one_sentence(project, text, env, expected):
    found = project(text, env=env)
    assert found.without_effect == expected
    assert [sentence for sentence in found.warnings if "does not act yet" in sentence] == (
        [f"this version does not act yet on settings that are given: {', '.join(f'`{name}`' for name in expected)}"] if expected else []
    )


def test_a_variable_that_looks_like_ours_and_is_none_is_told_with_the_nearest(project):
    env = {"AFRESH_STATE_ULR": "x", "AFRESH_JOB": "hourly", "AFRESH_PW": "secret", "AFRESH_PLUGIN": "1", "AFRESH_ZZZZ": "1", "AFRESH": "1"}
    plugin, first, second = project("state_url: \"postgresql://u:{{ env_var('AFRESH_PW') }}@h/d\"\n", env=env).warnings
    assert first == "the environment variable `AFRESH_STATE_ULR` is none of ours and is ignored; did you mean `AFRESH_STATE_URL`?"
    assert plugin.endswith("`AFRESH_PLUGIN` is none of ours and is ignored; did you mean `AFRESH`?")
    assert second.startswith("the environment variable `AFRESH_ZZZZ` is none of ours and is ignored; there are: AFRESH, AFRESH_JOB, ")
