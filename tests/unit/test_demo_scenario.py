import duckdb
import pytest

from afresh.demo import scenario
from afresh.errors import UsageError


def query(folder, sql):
    with duckdb.connect(folder / scenario.DATABASE, read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def shop(tmp_path):
    return scenario.create(tmp_path / "shop")


def test_the_demo_s_raw_data_are_the_same_every_time(shop, tmp_path):
    other = scenario.create(tmp_path / "other")

    for table in ("customers", "orders", "order_items", "payments", "products"):
        rows = query(shop, f"select * from raw.{table} order by id")
        assert rows == query(other, f"select * from raw.{table} order by id")
        assert rows != []


def test_the_demo_has_several_thousand_orders_and_each_belongs_to_a_customer(shop):
    assert query(shop, "select count(*) from raw.orders") == [(4000,)]
    assert query(shop, "select count(*) from raw.orders where customer_id not in (select id from raw.customers)") == [(0,)]


def test_an_order_costs_what_its_items_cost_and_is_paid_once(shop):
    wrong = """
        select orders.id
        from raw.orders as orders
        where orders.status <> 'placed'
            and (
                total_cents <> (select sum(quantity * unit_price_cents) from raw.order_items where order_id = orders.id)
                or total_cents <> (select sum(amount_cents) from raw.payments where order_id = orders.id)
            )
    """

    assert query(shop, wrong) == []


def test_the_demo_takes_an_empty_folder(tmp_path):
    assert scenario.create(tmp_path) == tmp_path.resolve()


def test_the_demo_leaves_a_folder_alone_that_holds_something(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work", encoding="utf-8")

    with pytest.raises(UsageError, match="folder of its own"):
        scenario.create(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_new_orders_come_after_all_others_and_change_no_other_source(shop):
    before = query(shop, "select max(id), max(updated_at) from raw.orders")
    payments = query(shop, "select * from raw.payments order by id")

    assert scenario.add_orders(shop, count=10) == 4010

    ((last_id, last_update),) = before
    new = query(shop, f"select count(*), min(updated_at) from raw.orders where id > {last_id}")
    assert new[0][0] == 10
    assert new[0][1] > last_update
    assert query(shop, "select * from raw.payments order by id") == payments


def test_editing_the_model_adds_a_column_once(shop):
    path = scenario.edit_model(shop)

    assert "average_price" in path.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="already edited"):
        scenario.edit_model(shop)
