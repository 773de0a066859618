"""What was adopted, what was not, and what rests on trust."""

from __future__ import annotations

from datetime import timedelta

from afresh.render.adopt import AdoptLine, AdoptView, adopt_text
from unit.render.examples import AT, NOW, golden

WHOLE = AdoptView(
    began=AT,
    ended=AT + timedelta(minutes=4),
    now=NOW,
    adopted=(
        AdoptLine("orders", "shop.main.orders"),
        AdoptLine("customer_lifetime_value_by_acquisition_channel_and_month", "shop.main.clv"),
    ),
    refused=(AdoptLine("refunds", "its code changed since that run: sql"), AdoptLine("bad\x1b[2J", "it ended as `error`\nin that run")),
    dated=("source raw.items: the last data was loaded at 2026-11-22T05:00:00+00:00",),
    assumed=("source raw.orders",),
    unseen=("var.days of orders",),
    tests=45,
)


def test_it_reads_as_reviewed():
    nothing = AdoptView(AT, AT, NOW, (), WHOLE.refused[:1])
    some = AdoptView(AT, AT, NOW, WHOLE.adopted[:1], (), tests=1, dry_run=True)
    text = "\n".join(adopt_text(view, width=90, color=False) for view in (WHOLE, nothing, some))
    assert golden("adopt_90.txt", text) == text
    assert "\x1b" not in text


def test_colour_adds_nothing_but_colour():
    assert "\x1b[1;32m" in adopt_text(WHOLE, width=90, color=True)
