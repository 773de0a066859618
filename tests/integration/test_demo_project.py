"""The demo's project under plain dbt: it must be a good example on every version."""

import pytest

from afresh.demo import scenario
from support.project import Project
from support.warehouse import DuckDBFile


@pytest.fixture
def shop(tmp_path):
    folder = scenario.create(tmp_path / "shop")
    return Project(folder, DuckDBFile(folder / scenario.DATABASE))


@pytest.mark.smoke
def test_the_demo_project_builds_without_a_warning(shop):
    outcome = shop.dbt("build")

    assert outcome.exit_code == 0
    assert set(outcome.statuses.values()) <= {"success", "pass", "no-op"}
    assert [line for line in outcome.stdout.splitlines() if "[WARNING]" in line and "This version of dbt" not in line] == []
    assert len(outcome.executed_models) >= 20


def test_new_orders_and_the_edited_model_reach_the_marts(shop):
    shop.dbt("build")
    orders = shop.query("select sum(orders) from daily_sales")

    scenario.add_orders(shop.root, count=10)
    scenario.edit_model(shop.root)

    assert shop.dbt("build").exit_code == 0
    assert shop.query("select count(*) from fct_orders") == [(4010,)]
    assert shop.query("select sum(orders) - 10 from daily_sales") == orders
    assert shop.query("select count(average_price) from best_sellers") == [(10,)]
