"""The entry that dbt's plugin discovery finds: a top-level module named ``dbt_*`` with a list called ``plugins``.

dbt imports this module for every command in the environment, so it must stay light: all work is behind
:meth:`AfreshPlugin.initialize`, and everything of Afresh is imported there, not here. It must not define a
``get_nodes`` hook: dbt 1.12 refuses to parse a project while any plugin has one.
"""

from dbt.plugins.manager import dbtPlugin


class AfreshPlugin(dbtPlugin):
    """Makes plain ``dbt build`` state-aware in projects that opted in; in all others it changes nothing."""

    def initialize(self) -> None:
        """Install Afresh for the command that dbt is about to run, if this project or the environment asks for it."""
        from afresh.dbt import plugin

        plugin.initialize(self.project_name)


plugins = [AfreshPlugin]
