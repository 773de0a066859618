"""The small part of Jinja that ``afresh.yml`` knows: ``env_var('NAME')`` and ``env_var('NAME', 'default')``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2.sandbox import SandboxedEnvironment


class JinjaError(Exception):
    """A template that cannot be rendered; the message says why and never holds a rendered value."""


class _MissingVariableError(Exception):
    """An environment variable without a default is not set."""


def is_template(text: str) -> bool:
    """Whether ``text`` has to be rendered."""
    return "{{" in text or "{%" in text


def check_template(text: str) -> None:
    """Whether ``text`` is well-formed, without rendering it.

    Raises:
        JinjaError: it is not.
    """
    import jinja2

    try:
        _environment().parse(text)
    except jinja2.TemplateSyntaxError as error:
        raise JinjaError(f"not valid Jinja: {error.message}") from None


def rendered(text: str, env: Mapping[str, str]) -> str:
    """``text`` with its variables filled in from ``env``.

    Raises:
        JinjaError: it is not valid, asks for a variable that is not set, or for anything but ``env_var``.
    """
    import jinja2

    def env_var(name: str, default: object = None) -> str:
        if name in env:
            return env[name]
        if default is None:
            raise _MissingVariableError(name)
        return str(default)

    try:
        return _environment().from_string(text, globals={"env_var": env_var}).render()
    except _MissingVariableError as error:
        raise JinjaError(f"the environment variable {error} is not set") from None
    except jinja2.TemplateSyntaxError as error:
        raise JinjaError(f"not valid Jinja: {error.message}") from None
    except jinja2.UndefinedError as error:
        raise JinjaError(f"only `env_var` is known here: {error.message}") from None
    except Exception as error:  # noqa: BLE001 - the expression is the user's; its failures can be of any kind and may quote a secret
        raise JinjaError(f"cannot be rendered ({type(error).__name__})") from None


def _environment() -> SandboxedEnvironment:
    """A sandbox without any global: what is not named here does not exist."""
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.globals.clear()
    return environment
