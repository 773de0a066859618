"""The plugin module is imported by every dbt command in the environment: it must be found, and must cost nothing."""

import subprocess
import sys

from dbt.plugins.manager import PluginManager, dbtPlugin

import dbt_afresh


def test_dbt_discovers_the_plugin():
    assert dbt_afresh in PluginManager.get_prefixed_modules().values()
    assert [issubclass(plugin, dbtPlugin) for plugin in dbt_afresh.plugins] == [True]


def test_importing_the_plugin_imports_nothing_of_afresh_and_none_of_its_libraries():
    code = "import sys, dbt_afresh; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert "dbt" in imported
    assert {"afresh", "alembic", "sqlalchemy", "sqlglot", "ulid"}.isdisjoint(imported)


def test_the_plugin_has_no_get_nodes_hook():
    assert "get_nodes" not in vars(dbt_afresh.AfreshPlugin)
