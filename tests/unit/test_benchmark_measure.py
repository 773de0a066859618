import json

import pytest
from benchmarks.measure import Comparison, Cost, Fact, Report, Series, as_markdown, in_turns


def series(label, *cpu_seconds):
    return Series(label, tuple(Cost(cpu, cpu * 2, 100.0) for cpu in cpu_seconds))


def test_a_ratio_is_that_of_the_medians_so_that_one_slow_run_does_not_count():
    comparison = Comparison("cpu_seconds", ours=series("ours", 1.0, 1.0, 9.0), plain=series("plain", 2.0, 2.0, 2.0))

    assert comparison.ratio == pytest.approx(0.5)


@pytest.mark.parametrize(("limit", "kept"), [(0.4, False), (0.5, True), (None, None)])
def test_a_ratio_is_judged_by_its_limit_if_it_has_one(limit, kept):
    comparison = Comparison("wall_seconds", ours=series("ours", 1.0), plain=series("plain", 2.0), limit=limit)

    assert comparison.kept is kept


def test_commands_are_measured_in_turns():
    calls = []

    def measurement(label):
        def measure():
            calls.append(label)
            return Cost(1.0, 1.0, 1.0)

        return measure

    measured = in_turns(3, {"ours": measurement("ours"), "plain": measurement("plain")})

    assert calls == ["ours", "plain"] * 3
    assert len(measured["ours"].runs) == 3


def test_a_report_is_a_table_for_people_and_complete_for_programs():
    comparison = Comparison("cpu_seconds", ours=series("afresh build", 1.3), plain=series("dbt ls", 1.0), limit=1.2)
    report = Report("nothing_changed", comparisons=(comparison,), facts=(Fact("state per node", 4.0, "KB", limit=5),))

    table = as_markdown([report])

    assert "| nothing_changed | cpu_seconds | `afresh build` 1.30 | `dbt ls` 1.00 | 1.300 | ≤ 1.20 | **over** |" in table
    assert "| nothing_changed | state per node | 4.00 KB | ≤ 5 KB | kept |" in table
    document = json.loads(json.dumps(report.as_json()))
    assert document["comparisons"][0]["ours"]["runs"] == [{"cpu_seconds": 1.3, "wall_seconds": 2.6, "peak_mb": 100.0}]
    assert document["facts"][0]["kept"] is True
