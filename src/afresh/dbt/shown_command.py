"""A command line as it may be remembered: without the values of vars, which may be secrets, and without passwords."""

from __future__ import annotations

import re

_WITH_VALUE = re.compile(r"(?P<option>--vars(?:=|\s+)).*?(?=\s--?[a-zA-Z]|$)", re.DOTALL)
_PASSWORD = re.compile(r"(?P<before>\w+://[^\s:/@]*:)[^\s@]+(?=@)")


def shown_command(command: str) -> str:
    """The command with ``…`` in place of everything that is nobody's business."""
    return _PASSWORD.sub(r"\g<before>…", _WITH_VALUE.sub(r"\g<option>…", command))
