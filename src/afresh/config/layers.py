"""The places where a setting can be given, the strongest first: command line, environment, ``afresh.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from afresh.config.jinja import JinjaError, is_template, rendered
from afresh.config.keys import SCALAR_KEYS, Key
from afresh.config.problems import Problem
from afresh.config.shapes import not_allowed
from afresh.config.yaml_tree import Scalar
from afresh.errors import InternalError, Location

T = TypeVar("T")

_SWITCH = {"1": "true", "0": "false"}


@dataclass(frozen=True, slots=True)
class _Given:
    """The text of one setting, where it was given, and how that place is called for people."""

    text: str
    where: Location
    origin: str
    secret: bool = False


class Layers:
    """Takes each setting from the strongest layer that has it; collects what cannot be used, and where the rest came from."""

    def __init__(
        self,
        *,
        file: Path | None,
        scalars: Mapping[str, Scalar],
        env: Mapping[str, str],
        cli: Mapping[str, str | None],
    ) -> None:
        unknown = sorted(set(cli) - {key.path for key in SCALAR_KEYS})
        if unknown:
            raise InternalError(f"the command line gives settings that do not exist: {', '.join(unknown)}")
        self._file, self._scalars, self._env, self._cli = file, scalars, env, cli
        self.problems: list[Problem] = []
        self.origins: dict[str, str] = {}

    def value(self, key: Key[T], default: T) -> T:
        """The setting, ``default`` where no layer has it; also ``default`` after a mistake, which is collected."""
        given = self._given(key)
        if given is None:
            return default
        self.origins[key.path] = given.origin
        try:
            return key.kind.parse(given.text)
        except ValueError as error:
            self.problems.append(not_allowed(given.text, key.kind, given.where, error=error, secret=given.secret))
            return default

    def texts(self, path: str, given: tuple[Scalar, ...] | None, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of texts, which only the file can hold."""
        if given is None:
            return default
        self.origins[path] = str(self._file)
        return tuple(found.text for scalar in given if (found := self._of_file(path, scalar)) is not None)

    def _given(self, key: Key[T]) -> _Given | None:
        from_cli, from_env = self._cli.get(key.path), self._env.get(key.variable)
        if from_cli is not None:
            return _Given(from_cli, Location(f"option {key.option}"), key.option)
        if from_env is not None:
            text = _SWITCH.get(from_env, from_env) if key.kind.choices == ("true", "false") else from_env
            return _Given(text, Location(f"environment variable {key.variable}"), key.variable)
        scalar = self._scalars.get(key.path)
        return None if scalar is None else self._of_file(key.path, scalar)

    def _of_file(self, path: str, scalar: Scalar) -> _Given | None:
        file = str(self._file)
        where, origin = Location(file, scalar.line, path), f"{file}:{scalar.line}"
        if not is_template(scalar.text):
            return _Given(scalar.text, where, origin)
        try:
            # What a variable holds may be a secret, so a rendered value is never shown.
            return _Given(rendered(scalar.text, self._env), where, origin, secret=True)
        except JinjaError as error:
            hint = "set it, or give a default: {{ env_var('NAME', 'default') }}" if "is not set" in str(error) else None
            self.problems.append(Problem(str(error), where, hint))
            return None
