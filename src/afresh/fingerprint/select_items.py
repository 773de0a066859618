"""Whether a value in a query only fills an output column, or may decide which rows there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterable

# `unix_timestamp()` is a conversion of the current timestamp to the parser.
_WRAPPERS = (exp.Cast, exp.TryCast, exp.AtTimeZone, exp.Paren, exp.StrToUnix)
_AROUND_SUBQUERY = (exp.From, exp.Join, exp.CTE, exp.Subquery, type(None))
_CONTAINERS = (exp.CTE, exp.Subquery, exp.From, exp.Join, exp.With)


def output_name(node: exp.Expr) -> str | None:
    """The output column that ``node`` is, when it is a whole select-list item (cast, ``at time zone``, alias allowed); else ``None``.

    An item without a name gives the empty string.
    """
    item = _item_of(node)
    if item is None:
        return None
    return item.alias if isinstance(item, exp.Alias) else ""


def only_fills_output(node: exp.Expr) -> bool:
    """Whether ``node`` is a whole select-list item whose column goes to the final output and decides nothing on its way.

    Cautious: a name used anywhere but as a bare select item, a ``distinct``, a grouping by position, a whole-row use, a set operation
    that compares rows – each makes the answer no.
    """
    item = _item_of(node)
    if item is None or not isinstance(item.parent, exp.Select):
        return False
    name = output_name(node) or ""
    select, tree = item.parent, item.root()
    if _is_output(select):
        return not _compares_rows(select) and not _above_compares(select) and (not name or not _used(tree, {name.lower()}))
    return bool(name) and _reachable(select) and not _anywhere_compares(tree) and not _used(tree, _renamed(tree, name))


def _item_of(node: exp.Expr) -> exp.Expr | None:
    """The select-list item that ``node`` is the whole of."""
    while isinstance(node.parent, _WRAPPERS) and node.arg_key == "this":
        node = node.parent
    if isinstance(node.parent, exp.Alias) and node.arg_key == "this":
        node = node.parent
    return node if isinstance(node.parent, exp.Select) and node.arg_key == "expressions" else None


# --- where a select list goes -----------------------------------------------------------------------------------------


def _is_output(select: exp.Expr) -> bool:
    """Whether the select list is the statement's own output: it is the statement, or a branch of its outermost ``union all``."""
    node = select
    while isinstance(node.parent, (exp.Subquery, exp.SetOperation)):
        node = node.parent
        if isinstance(node, exp.Subquery) and (node.args.get("alias") or node.args.get("pivots")):
            return False
    return node.parent is None


def _above_compares(select: exp.Expr) -> bool:
    node = select.parent
    while node is not None:
        if isinstance(node, exp.SetOperation) and (_is_distinct_operation(node) or _orders(node)):
            return True
        node = node.parent
    return False


def _orders(node: exp.Expr) -> bool:
    return node.args.get("order") is not None


def _reachable(select: exp.Expr) -> bool:
    """Whether a select list goes on by name: as a CTE or a subquery in ``from``, in no set operation, with no column list to rename it."""
    node = select.parent
    while node is not None:
        if isinstance(node, (exp.CTE, exp.Subquery)) and _has_column_list(node):
            return False
        if isinstance(node, exp.Subquery) and not isinstance(node.parent, _AROUND_SUBQUERY):
            return False
        if not isinstance(node, (*_CONTAINERS, exp.Select)):
            return False
        node = node.parent
    return True


def _has_column_list(node: exp.Expr) -> bool:
    alias = node.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


# --- what compares rows -----------------------------------------------------------------------------------------------


def _is_distinct_operation(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Except, exp.Intersect)) or (isinstance(node, exp.Union) and node.args.get("distinct") is not False)


def _compares_rows(select: exp.Expr) -> bool:
    """Whether a select looks at whole rows or at columns by their position."""
    if select.args.get("distinct") is not None:
        return True
    group, order = select.args.get("group"), select.args.get("order")
    grouped = group is not None and (bool(group.args.get("all")) or _has_position(group.expressions))
    return grouped or (order is not None and _has_position([entry.this for entry in order.expressions if isinstance(entry, exp.Ordered)]))


def _has_position(entries: Iterable[exp.Expr]) -> bool:
    return any((isinstance(entry, exp.Literal) and not entry.is_string) or entry.sql().lower() in ("all", "*") for entry in entries)


def _anywhere_compares(tree: exp.Expr) -> bool:
    if any(_compares_rows(select) for select in tree.find_all(exp.Select)):
        return True
    if tree.find(exp.Pivot, exp.Lateral) is not None or any(True for _ in tree.find_all(exp.SetOperation)):
        return True
    return any(join.method.upper() == "NATURAL" or join.args.get("using") for join in tree.find_all(exp.Join)) or _whole_rows(tree)


def _whole_rows(tree: exp.Expr) -> bool:
    """Whether a row is used as a value: ``hash(*)``, ``to_json(t)``."""
    stars = (star for star in tree.find_all(exp.Star) if not isinstance(star.parent, (exp.Select, exp.Count)))
    if any(not (isinstance(star.parent, exp.Column) and isinstance(star.parent.parent, exp.Select)) for star in stars):
        return True
    names = {source.alias_or_name.lower() for source in tree.find_all(exp.Table, exp.Subquery, exp.CTE)}
    return any(column.name.lower() in names and not column.table for column in tree.find_all(exp.Column))


# --- by name ----------------------------------------------------------------------------------------------------------


def _renamed(tree: exp.Expr, name: str) -> set[str]:
    """``name`` and every name that select lists pass it on under."""
    names = {name.lower()}
    while True:
        more = {
            alias.alias.lower()
            for alias in tree.find_all(exp.Alias)
            if isinstance(alias.this, exp.Column) and alias.this.name.lower() in names and isinstance(alias.parent, exp.Select)
        }
        if more <= names:
            return names
        names |= more


def _used(tree: exp.Expr, names: set[str]) -> bool:
    """Whether a column of one of these names is read anywhere but as a bare select-list item."""
    return any(
        column.name.lower() in names and (_item_of(column) is None or column.find_ancestor(exp.Window) is not None)
        for column in tree.find_all(exp.Column)
    )
