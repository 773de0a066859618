"""What is recorded of a relation, as people and programs read it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from afresh.core import reason as why
from afresh.render.json import reason_view
from afresh.render.relation import RelationLine, named_lines, relation_text, relations_text, summary_text
from afresh.render.relation_json import relations_json
from afresh.render.views import InputLine, LastBuild, LeaseLine
from unit.render.examples import AT, NOW, RUN, golden
from unit.render.test_json import VALIDATOR

LEASE = LeaseLine("model.shop.orders", RUN, "etl-1", 11, "hourly", AT, NOW, building=True)
ORDERS = RelationLine(
    node="model.shop.orders",
    relation="shop.main.orders\x1b[2J",
    target="prod",
    resource_type="model",
    relation_type="table",
    last_build=LastBuild(RUN, "hourly", AT, AT + timedelta(seconds=41), 41.0),
    version=RUN,
    build_reasons=("code_changed", "new_data"),
    columns=(("id", "INTEGER"), ("amount", "DECIMAL(12,2)")),
    inputs=(
        InputLine("source.shop.raw.orders", "source raw.orders", "t1", "t1", same=True),
        InputLine("model.shop.items", "items", None, None, same=False, note="another run was building it"),
    ),
    standing=(reason_view(why.Invalidated("ada@etl-1", AT, "bad load"), NOW), reason_view(why.LastBuildFailed(RUN, AT, "no\nspace"), NOW)),
    lease=LEASE,
    decided_at=NOW,
)
ADOPTED = RelationLine("seed.shop.lands", "shop.main.lands", None, "seed", "table", LastBuild(RUN, "", AT, AT, None, adopted=True))
NEVER = RelationLine("model.shop.late", "shop.main.late", "prod", "model")
TEST = RelationLine("test.shop.unique_id.0a1b2c", "", "prod", "test", last_build=LastBuild(RUN, "", AT, AT, 0.1), test_status="fail")
ALL = (ORDERS, ADOPTED, NEVER, TEST)


def test_what_is_recorded_reads_as_reviewed():
    whole = "\n".join(relation_text(line, NOW, width=80, color=False) for line in ALL)
    text = "\n".join([whole, relations_text(ALL, NOW), summary_text(ALL), summary_text([TEST]), *named_lines(ALL)])
    assert golden("relation.txt", text) == text
    assert "\x1b" not in text


def test_colour_adds_nothing_but_colour():
    assert "\x1b[1m" in relation_text(TEST, NOW, width=80, color=True)


def test_nothing_is_one_empty_list():
    assert named_lines([]) == []


@pytest.mark.parametrize("lines", [ALL, (ORDERS,), ()])
def test_the_document_fits_the_published_schema(lines):
    document = json.loads(relations_json(lines))
    VALIDATOR.validate(document)
    assert [relation["unique_id"] for relation in document["relations"]] == [line.node for line in lines]
    assert document["target"] == ("prod" if len(lines) == 1 else None)
