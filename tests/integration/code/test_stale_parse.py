"""dbt 1.12 takes some edited files for unchanged; whatever dbt does, an edit is either parsed or reported."""

from __future__ import annotations

import os

from afresh.dbt.compat.stale_files import stale_parse_files


def _parsed_or_reported(lab, model):
    def look(task):
        stale = stale_parse_files(task.manifest, lab.root)
        return task.manifest.nodes[f"model.shop.{model}"].raw_code, [os.path.relpath(path, lab.root) for path in stale]

    return lab.with_task(look)


def test_an_edit_of_white_space_in_a_literal_is_parsed_or_reported(lab):
    lab.model("a", "select 'x  y' as t")
    lab.model("b", "select 1 as id")
    lab.build()
    lab.model("a", "select 'x y' as t")
    os.utime(lab.root / "models/a.sql", (1, 1))
    raw, stale = _parsed_or_reported(lab, "a")
    assert (raw == "select 'x y' as t") != (stale == ["models/a.sql"])


def test_a_touched_file_is_not_reported(lab):
    lab.model("a", "select 1 as id")
    lab.macro("m", "{% macro m() %}1{% endmacro %}")
    lab.write("models/a.yml", "models: [{name: a, description: x}]")
    lab.build()
    for path in ("models/a.sql", "macros/m.sql", "models/a.yml"):
        os.utime(lab.root / path, (1, 1))
    assert _parsed_or_reported(lab, "a")[1] == []
