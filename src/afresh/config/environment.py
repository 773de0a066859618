"""The environment variables that are ours, and those that only look so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from afresh.config.keys import SCALAR_KEYS
from afresh.config.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JOB = "AFRESH_JOB"
"""Names the job in what is recorded; it is no setting."""

_WITHOUT_PREFIX = {"job": JOB, **{key.path.replace(".", "_"): key.variable for key in SCALAR_KEYS}}
"""The variable of each setting; what all begin with would make every name look near."""

VARIABLES: tuple[str, ...] = ("AFRESH", JOB, *(key.variable for key in SCALAR_KEYS if key.variable != "AFRESH"))
"""Every variable that is read."""


def unknown_variables(env: Mapping[str, str], *, file_text: str = "") -> Iterator[str]:
    """One sentence for each variable that begins as ours do and is none. Those that ``afresh.yml`` itself names are the user's own."""
    own = set(re.findall(r"\bAFRESH_\w+", file_text))
    for name in sorted(env):
        if name.startswith("AFRESH_") and name not in VARIABLES and name not in own:
            near = nearest(name.removeprefix("AFRESH_"), _WITHOUT_PREFIX)
            hint = f"did you mean `{_WITHOUT_PREFIX[near]}`?" if near else f"there are: {', '.join(VARIABLES)}"
            yield f"the environment variable `{name}` is none of ours and is ignored; {hint}"
