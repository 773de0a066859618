"""Reads ``afresh.yml`` beside ``dbt_project.yml`` and lays the environment and the command line over it.

Precedence: command line > environment (``AFRESH_*``) > ``afresh.yml`` > default. No file is fine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from afresh.config import keys
from afresh.config.environment import unknown_variables
from afresh.config.jinja import is_template
from afresh.config.layers import Layers
from afresh.config.problems import Problem, raise_if_any
from afresh.config.settings import DEFAULT_STATE_URL, Defaults, History, OnStateError, Settings, TestSettings
from afresh.config.shapes import FILE_SHAPE, mistakes
from afresh.config.state_url import is_sqlite, located
from afresh.config.yaml_tree import Listing, Scalar, Section, Tree, plain, read_tree
from afresh.errors import Location

FILE_NAME = "afresh.yml"


@dataclass(frozen=True, slots=True)
class AfreshYml:
    """One file, checked for form; templates in it are not rendered yet."""

    file: Path | None = None
    scalars: Mapping[str, Scalar] = field(default_factory=dict)
    volatile_env_vars: tuple[Scalar, ...] | None = None
    environments: Mapping[str, Any] = field(default_factory=dict)
    jobs: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


def load(project_dir: Path, *, env: Mapping[str, str] | None = None, cli: Mapping[str, str | None] | None = None) -> Settings:
    """The settings of the project in ``project_dir``: its file, this process's environment (or ``env``) and the command line.

    Raises:
        SettingsError: a :class:`~afresh.errors.UsageError` with every mistake.
    """
    return resolve(read(project_dir), os.environ if env is None else env, cli or {}, project_dir=project_dir)


def read(project_dir: Path) -> AfreshYml:
    """The file of the project, checked: every key known, every value that is no template of its kind.

    Raises:
        SettingsError: with every mistake of the file.
    """
    path = project_dir / FILE_NAME
    text = _text(path)
    _refuse_other_name(project_dir)
    if text is None:
        return AfreshYml()
    tree, problems = read_tree(text, str(path))
    if tree is not None:
        problems += mistakes(tree, FILE_SHAPE, file=str(path))
        problems += _unknown_names(tree, str(path))
    raise_if_any(problems, title=str(path))
    return replace(_yml(path, tree if isinstance(tree, Section) else None), text=text)


def opts_in(project_dir: Path, *, env: Mapping[str, str] | None = None) -> bool:
    """Whether the file asks for plain ``dbt`` to be state-aware, whatever else is wrong with it.

    Raises:
        SettingsError: the file cannot be read so far as to tell.
    """
    path = project_dir / FILE_NAME
    text = _text(path)
    if text is None:
        return False
    tree, problems = read_tree(text, str(path))
    if isinstance(tree, Section):
        problems = [problem for problem in problems if problem.where.key == keys.PLUGIN.path]
        tree = Section({key: tree.values[key] for key in tree.values if key == keys.PLUGIN.path}, tree.lines, tree.line)
    if tree is not None:
        problems += mistakes(tree, FILE_SHAPE, file=str(path))
    raise_if_any(problems, title=str(path))
    scalar = _scalar(tree, keys.PLUGIN.path) if isinstance(tree, Section) else None
    layers = Layers(file=path, scalars={} if scalar is None else {keys.PLUGIN.path: scalar}, env=_without_switch(env), cli={})
    wanted = layers.value(keys.PLUGIN, default=False)
    raise_if_any(layers.problems, title=str(path))
    return wanted


def _without_switch(env: Mapping[str, str] | None) -> Mapping[str, str]:
    given = os.environ if env is None else env
    return {name: value for name, value in given.items() if name != keys.PLUGIN.variable}


def resolve(
    yml: AfreshYml,
    env: Mapping[str, str],
    cli: Mapping[str, str | None],
    *,
    project_dir: Path,
) -> Settings:
    """Each setting from the strongest layer that has it.

    ``cli`` names settings by their path in the file (``defaults.updates_on``); ``None`` there is not given.

    Raises:
        SettingsError: with every value that cannot be used, in whichever layer.
    """
    project = project_dir.resolve()
    layers = Layers(file=yml.file, scalars=yml.scalars, env=env, cli=cli)
    url = _state_url(layers, project)
    base = Settings(project, url, OnStateError.BUILD if is_sqlite(url) else OnStateError.FAIL)
    settings = replace(
        base,
        on_state_error=layers.value(keys.ON_STATE_ERROR, base.on_state_error),
        plugin=layers.value(keys.PLUGIN, base.plugin),
        queue_timeout=layers.value(keys.QUEUE_TIMEOUT, base.queue_timeout),
        lease_ttl=layers.value(keys.LEASE_TTL, base.lease_ttl),
        warehouse_id=layers.value(keys.WAREHOUSE_ID, base.warehouse_id),
        volatile_env_vars=layers.texts("volatile_env_vars", yml.volatile_env_vars, base.volatile_env_vars),
        defaults=_defaults(layers, base.defaults),
        history=History(layers.value(keys.HISTORY_KEEP, base.history.keep)),
        tests=_tests(layers, base.tests),
        environments=yml.environments,
        jobs=yml.jobs,
        server=yml.server,
        file=yml.file,
        unknown_variables=tuple(unknown_variables(env, file_text=yml.text)),
    )
    raise_if_any(layers.problems, title="the settings")
    return replace(settings, origins=MappingProxyType(layers.origins), without_effect=_without_effect(settings))


def _without_effect(settings: Settings) -> tuple[str, ...]:
    """What was given and does not come to the same as leaving it out."""
    sections = (("environments", settings.environments), ("jobs", settings.jobs), ("server", settings.server))
    tests = ((keys.TESTS_INHERIT, settings.tests.inherit), (keys.TESTS_AGGREGATE, settings.tests.aggregate))
    return (
        *(key.path for key, wanted in tests if wanted),
        *(name for name, section in sections if section),
    )


def _state_url(layers: Layers, project: Path) -> str:
    url = layers.value(keys.STATE_URL, DEFAULT_STATE_URL)
    try:
        return located(url, project)
    except ValueError as error:
        layers.problems.append(Problem(str(error), Location(str(project)), "move the project, or keep the state elsewhere"))
        return url


def _defaults(layers: Layers, base: Defaults) -> Defaults:
    updates_on, lag_tolerance = layers.value(keys.UPDATES_ON, base.updates_on), layers.value(keys.LAG_TOLERANCE, base.lag_tolerance)
    wanted = {"updates_on": keys.UPDATES_ON, "lag_tolerance": keys.LAG_TOLERANCE}
    places = {
        name: f"{Path(layers.origins[key.path]).name}, key `{key.path}`" for name, key in wanted.items() if key.path in layers.origins
    }
    return Defaults(updates_on, lag_tolerance, places)


def _tests(layers: Layers, base: TestSettings) -> TestSettings:
    return TestSettings(layers.value(keys.TESTS_INHERIT, base.inherit), layers.value(keys.TESTS_AGGREGATE, base.aggregate))


def _refuse_other_name(project_dir: Path) -> None:
    """A file under the other usual ending would be passed over in silence."""
    other = project_dir / "afresh.yaml"
    if other.exists():
        raise_if_any([Problem(f"the file must be called {FILE_NAME}", Location(str(other)), "rename it")], title=str(other))


def _text(path: Path) -> str | None:
    """The text of the file, ``None`` where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        problem = Problem("cannot be read: the link points to nothing", Location(str(path)))
    except UnicodeDecodeError:
        problem = Problem("the file is not UTF-8 text", Location(str(path)), "save it as UTF-8")
    except OSError as error:
        problem = Problem(f"cannot be read: {error.strerror or error}", Location(str(path)))
    raise_if_any([problem], title=str(path))
    return None


def _yml(path: Path, root: Section | None) -> AfreshYml:
    if root is None:
        return AfreshYml(path)
    names = root.values.get("volatile_env_vars")
    return AfreshYml(
        file=path,
        scalars={key.path: found for key in keys.SCALAR_KEYS if (found := _scalar(root, key.path)) is not None},
        volatile_env_vars=tuple(item for item in names.items if isinstance(item, Scalar)) if isinstance(names, Listing) else None,
        environments=_section(root, "environments"),
        jobs=_section(root, "jobs"),
        server=_section(root, "server"),
    )


def _scalar(root: Section, key: str) -> Scalar | None:
    found: Tree | None = root
    for name in key.split("."):
        found = found.values.get(name) if isinstance(found, Section) else None
    return found if isinstance(found, Scalar) and not found.is_null else None


def _section(root: Section, key: str) -> Mapping[str, Any]:
    found = root.values.get(key)
    value = None if found is None else plain(found)
    return value if isinstance(value, dict) else {}


def _unknown_names(tree: Tree, file: str) -> list[Problem]:
    """Jobs that name an environment or another job which the file does not have."""
    whole = plain(tree)
    if not isinstance(whole, dict) or not isinstance(tree, Section):
        return []
    environments, jobs = whole.get("environments") or {}, whole.get("jobs") or {}
    section = tree.values.get("jobs")
    if not (isinstance(environments, dict) and isinstance(jobs, dict) and isinstance(section, Section)):
        return []
    problems = []
    for name, job in jobs.items():
        if isinstance(job, dict):
            problems += _names_of_job(job, environments, jobs, where=Location(file, section.lines[name], f"jobs.{name}"))
    return problems


def _names_of_job(job: Mapping[str, Any], environments: Mapping[str, Any], jobs: Mapping[str, Any], *, where: Location) -> list[Problem]:
    environment, after = job.get("environment"), job.get("after")
    before = after.get("jobs") if isinstance(after, dict) else None
    wanted = [("environment", environment, environments)]
    wanted += [("job", name, jobs) for name in before] if isinstance(before, list) else []
    return [
        Problem(f"the {kind} `{name}` does not exist", where, f"there are: {', '.join(known) or 'none'}")
        for kind, name, known in wanted
        if isinstance(name, str) and not is_template(name) and name not in known
    ]
