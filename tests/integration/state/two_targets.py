"""A small project that is built in two targets, each with a schema of its own."""

from __future__ import annotations

import yaml

from support.project import Project

FILES = {
    "models/a.sql": "{{ config(materialized='table', tags=['night']) }} select 1 as id",
    "models/b.sql": "{{ config(materialized='table') }} select id from {{ ref('a') }}",
    "models/stg_c.sql": "{{ config(materialized='view') }} select 1 as n",
    "models/schema.yml": "{version: 2, models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]}",
}
STATE = ".afresh/state.db"


def add_target(project: Project, name: str) -> None:
    """Another target in the same warehouse."""
    profiles = yaml.safe_load(project.read("profiles.yml"))
    outputs = profiles["test"]["outputs"]
    outputs[name] = {**outputs["dev"], "schema": name}
    project.write({"profiles.yml": yaml.safe_dump(profiles)})
