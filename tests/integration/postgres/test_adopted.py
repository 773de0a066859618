"""An existing warehouse on PostgreSQL: it is looked at, what plain dbt built is adopted, and every later change is seen."""

from __future__ import annotations

import shutil

from integration.postgres.conftest import MODELS, built


def adopt(shop, *args):
    return shop.afresh("state", "adopt", "-s", "*", "--as-of-run", "then/run_results.json", *args)


def by_dbt(shop):
    assert shop.dbt("build").exit_code == 0
    (shop.root / "then").mkdir()
    for name in ("run_results.json", "manifest.json"):
        shutil.copy(shop.root / "target" / name, shop.root / "then" / name)


def test_what_is_adopted_is_built_when_others_write_it_or_its_inputs_change(shop):
    by_dbt(shop)
    refused = adopt(shop)
    assert refused.exit_code == 1
    assert "nobody can tell whether source raw.orders changed since" in refused.stdout

    outcome = adopt(shop, "--assume-unchanged")
    assert outcome.exit_code == 0
    assert "source raw.customers has not changed since, on your word" in outcome.stdout
    assert built(shop.afresh("build")) == set()
    shop.execute("insert into analytics.customers values (9, 'Nobody')")
    assert built(outcome := shop.afresh("build")) == {"customers"}
    assert outcome.reasons("customers") == ("changed_outside",)
    shop.execute("insert into raw.orders values (3, 30)")
    assert built(shop.afresh("build")) >= {"orders", "totals"}
    assert built(shop.afresh("build", "--force")) == MODELS


def test_the_doctor_tells_of_sources_and_of_a_state_on_the_same_server(shop, floor):
    shop.execute(
        "drop table raw.customers",
        "create view raw.customers as select pid as id, application_name as name, backend_start as seen_at from pg_stat_activity",
    )
    url = floor[1].url
    document = shop.afresh("doctor", "--state-url", url, "--output", "json").json()
    orders, customers = sorted(document["sources"], key=lambda source: source["unique_id"], reverse=True)
    assert (orders["signal"], orders["strength"], orders["health"]) == ("statistics", "exact", "ok")
    assert (customers["strength"], customers["health"]) == ("none", "problem")
    assert "it reads the system catalogue" in customers["note"]
    assert customers["fix"].endswith("loaded_at_field: seen_at")
    checks = {check["name"]: check for check in document["checks"]}
    assert checks["warehouse"]["text"].startswith("reached with target dev: postgres")
    assert checks["state"]["text"].endswith("none yet, the first run makes it")
    assert checks["state"]["health"] == "ok"
