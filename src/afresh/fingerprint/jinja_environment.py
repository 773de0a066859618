"""Jinja as dbt speaks it, for reading templates without rendering them: dbt's own tags parse, nothing is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, nodes
from jinja2.ext import Extension

if TYPE_CHECKING:
    from jinja2.parser import Parser


class _BlockExtension(Extension):
    """Parses a dbt block as a macro of its body: head arguments are read for names, never evaluated."""

    def parse(self, parser: Parser) -> nodes.Node:
        """Read one block up to its end tag."""
        tag = next(parser.stream)
        node = nodes.Macro(lineno=tag.lineno)
        node.name = f"{tag.value}_{parser.parse_assign_target(name_only=True).name}"
        node.args, node.defaults = [], []
        if parser.stream.current.type == "lparen":
            parser.parse_signature(node)
        self._skip_head(parser, node)
        node.body = parser.parse_statements((f"name:end{tag.value}",), drop_needle=True)
        return node

    def _skip_head(self, parser: Parser, node: nodes.Macro) -> None:
        """``, adapter='x', supported_languages=['sql']`` of a materialization: constants that decide nothing here."""
        while parser.stream.skip_if("comma"):
            target = parser.parse_assign_target(name_only=True).name
            if parser.stream.skip_if("assign"):
                value = parser.parse_expression()
                node.args.append(nodes.Name(target, "param", lineno=node.lineno))
                node.defaults.append(value)


class MaterializationTag(_BlockExtension):
    """``{% materialization name, adapter='x' %}``."""

    tags = {"materialization"}  # noqa: RUF012 - Jinja's own convention


class TestTag(_BlockExtension):
    """``{% test name(model, column_name) %}`` and its newer spelling ``{% data_test … %}``."""

    __test__ = False
    tags = {"test", "data_test"}  # noqa: RUF012 - Jinja's own convention


class SnapshotTag(_BlockExtension):
    """``{% snapshot name %}``, which dbt cuts out of the file before it renders."""

    tags = {"snapshot"}  # noqa: RUF012 - Jinja's own convention


class DocsTag(_BlockExtension):
    """``{% docs name %}``."""

    tags = {"docs"}  # noqa: RUF012 - Jinja's own convention


ENVIRONMENT = Environment(  # noqa: S701 - it renders nothing, least of all HTML
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", MaterializationTag, TestTag, SnapshotTag, DocsTag],
)
"""The one environment for lexing and parsing. Nothing is ever rendered with it."""
