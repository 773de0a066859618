"""SQL as a tree: the one gate to sqlglot's parser, and the text that two equal queries have in common.

sqlglot's ``==`` is never used: its parser calls things equal that engines tell apart. Two trees are equal here only if the generated
texts are, *and* the words they were parsed from are the same in the same order, but for a short list of words that carry no meaning
once the structure is known to be the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ErrorLevel

from afresh.fingerprint.dialects import FOLDS_NAMES, FUNCTION_CASE_COUNTS, NAMES_BY_SPELLING
from afresh.fingerprint.tokens import Word, likely_words_of, space_matters, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 200_000
"""Characters beyond which a text is not parsed: it would take seconds, and the token stream has decided most cases."""
_DEEPEST = 120
"""Nested parentheses beyond which a text is not parsed: sqlglot descends recursively."""

_QUERIES = (exp.Query, exp.Values)
_QUERY_STARTS = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.VALUES, TokenType.FROM})


@lru_cache(maxsize=16)
def parse_query(sql: str, dialect: str | None) -> exp.Expr | None:
    """The tree of one query; ``None`` if it is anything else, does not parse, or parses only as an opaque command.

    The tree is shared between callers: copy it before changing it.
    """
    words = likely_words_of(sql, dialect)
    if not words or len(sql) > _LONGEST or _depth(words) > _DEEPEST or words[0].type not in _QUERY_STARTS:
        return None
    try:
        trees = sqlglot.parse(sql, read=dialect, error_level=ErrorLevel.IMMEDIATE)
    except Exception:  # noqa: BLE001 - sqlglot raises its own and Python's errors (RecursionError) on malformed text
        return None
    queries = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(queries) != 1 or not isinstance(queries[0], _QUERIES) or queries[0].find(exp.Command) is not None:
        return None
    return queries[0]


def _depth(words: tuple[Word, ...]) -> int:
    depth = deepest = 0
    for word in words:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1, TokenType.CASE: 1, TokenType.END: -1}.get(word.type or TokenType.COMMA, 0)
        deepest = max(deepest, depth)
    return deepest


def qualified_name(function: exp.Anonymous) -> str:
    """The name of a function that sqlglot does not know, with the schema in front of it, if there is one."""
    name = str(function.this)
    node: exp.Expr = function
    while isinstance(node.parent, exp.Dot) and node.parent.expression is node:
        node = node.parent
        name = f"{node.this.sql(comments=False)}.{name}"
    table = function.parent
    if isinstance(table, exp.Table) and table.this is function:
        name = ".".join(part for part in (table.catalog, table.db, name) if part)
    return name


# --- equal trees ------------------------------------------------------------------------------------------------------


def same_tree(a: str, b: str, dialect: str | None) -> bool:
    """Whether both are queries that no engine of this dialect could tell apart by their structure."""
    left, right = words_of(a, dialect), words_of(b, dialect)
    if not left or not right or list(_content(left)) != list(_content(right)):
        return False
    first, second = _canonical(a, dialect), _canonical(b, dialect)
    if first is None or second is None or first.text != second.text:
        return False
    return _unexplained_parentheses(left, first) == _unexplained_parentheses(right, second)


@dataclass(frozen=True, slots=True)
class _Canonical:
    """The generated text of a tree without idle parentheses, and how many pairs of them it had."""

    text: str
    idle_pairs: int


def _unexplained_parentheses(words: tuple[Word, ...], canonical: _Canonical) -> int:
    """Pairs of parentheses that are neither provably idle nor those of a ``cast``: sqlglot drops some that engines refuse."""
    pairs = sum(word.type is TokenType.L_PAREN for word in words)
    casts = sum(_is_cast(word, after.type) for word, after in pairwise(words))
    return pairs - casts - canonical.idle_pairs


_IDLE = frozenset({TokenType.L_PAREN, TokenType.R_PAREN, TokenType.DCOLON})
"""Words that only show structure, which the trees compare."""
_BEFORE_IDLE_AS = frozenset(
    {
        TokenType.VAR, TokenType.IDENTIFIER, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.NUMBER, TokenType.STRING, TokenType.END,
        TokenType.NULL, TokenType.TRUE, TokenType.FALSE,
    }
)  # fmt: skip
_NOT_BEHIND_AS = frozenset({None, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA, TokenType.FROM, TokenType.ALIAS})
"""``AS`` is optional between an operand and a name. sqlglot takes it in other places too, where engines do not."""


def _content(words: tuple[Word, ...]) -> Iterator[tuple[str, str]]:
    """The words that carry meaning, names and keywords in one case: the trees compare the case of names."""
    for index, word in enumerate(words):
        after = words[index + 1].type if index + 1 < len(words) else None
        if index and space_matters(words[index - 1], word):
            yield "space", "" if word.glued else "newline"
        if word.type is TokenType.ALIAS and after not in _NOT_BEHIND_AS and _ends_operand(words[max(index - 2, 0) : index]):
            continue
        if word.type in _IDLE or _is_idle_join_word(word, after) or _is_cast(word, after):
            continue
        if word.type is None or word.type in _AS_SPELLED:
            yield "text", word.text
        else:
            yield "word", "<>" if word.text == "!=" else _ascii_lower(word.text)


def _ends_operand(words: tuple[Word, ...]) -> bool:
    """Whether an operand ends here: a name, a literal, a closing mark, or the type of ``x::type``."""
    if not words:
        return False
    return words[-1].type in _BEFORE_IDLE_AS or (len(words) > 1 and words[-2].type is TokenType.DCOLON)


_AS_SPELLED = frozenset(
    {
        TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.UNICODE_STRING,
        TokenType.BYTE_STRING, TokenType.BIT_STRING, TokenType.HEX_STRING, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.HINT,
        TokenType.UNKNOWN,
    }
)  # fmt: skip


def _is_idle_join_word(word: Word, after: TokenType | None) -> bool:
    return (word.type is TokenType.INNER and after is TokenType.JOIN) or (word.type is TokenType.OUTER and after is TokenType.JOIN)


def _is_cast(word: Word, after: TokenType | None) -> bool:
    """``cast(x as int)`` beside ``x::int``: one tree node, and the same words in the same order without these."""
    return word.text.lower() == "cast" and after is TokenType.L_PAREN


def _ascii_lower(text: str) -> str:
    """Lower case as engines fold names: ASCII letters only."""
    return text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _canonical(sql: str, dialect: str | None) -> _Canonical | None:
    tree = parse_query(sql, dialect)
    if tree is None or _output_named_by_spelling(tree, dialect):
        return None
    try:
        tree, idle_pairs = _without_idle_parentheses(tree.copy())
        tree = _with_plain_joins(tree)
        if dialect in FOLDS_NAMES and not _has_case_sensitive_paths(sql, dialect):
            tree = _with_folded_names(tree)
        normal = False if dialect in FUNCTION_CASE_COUNTS else "upper"
        text = tree.sql(dialect=dialect, comments=False, unsupported_level=ErrorLevel.IGNORE, normalize_functions=normal)
        return _Canonical(text, idle_pairs)
    except Exception:  # noqa: BLE001 - a generator that fails means only that the trees cannot be compared
        return None


def _has_case_sensitive_paths(sql: str, dialect: str | None) -> bool:
    """Snowflake keeps the case of ``payload:Path`` and of ``@stage/Path`` although neither is quoted."""
    words = words_of(sql, dialect) or ()
    return dialect == "snowflake" and any(word.type in (TokenType.COLON, TokenType.PARAMETER) or "@" in word.text for word in words)


def _with_plain_joins(tree: exp.Expr) -> exp.Expr:
    """``inner`` and ``outer`` say nothing where a condition or a side says it already."""
    for join in tree.find_all(exp.Join):
        idle = "INNER" if not join.side else "OUTER"
        if join.kind == idle and (join.args.get("on") is not None or join.args.get("using")):
            join.set("kind", None)
    return tree


def _with_folded_names(tree: exp.Expr) -> exp.Expr:
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.set("this", _ascii_lower(name.this))
    return tree


# --- names that are made from the text --------------------------------------------------------------------------------


def names_by_spelling(sql: str, dialect: str | None) -> bool:
    """Whether an output column's name depends on how its expression is spelled, white space and all."""
    if dialect not in NAMES_BY_SPELLING:
        return False
    tree = parse_query(sql, dialect)
    return tree is None or _output_named_by_spelling(tree, dialect)


_NAMED = (exp.Alias, exp.Column, exp.Star, exp.Aliases, exp.Dot)
_OUTPUT_PARENTS = (exp.CTE, exp.From, exp.Join, exp.Lateral)


def _output_named_by_spelling(tree: exp.Expr, dialect: str | None) -> bool:
    if dialect in FOLDS_NAMES - NAMES_BY_SPELLING:
        return False
    return any(
        not isinstance(item, _NAMED) for select in tree.find_all(exp.Select) if _reaches_output(select) for item in select.expressions
    )


def _reaches_output(select: exp.Expr) -> bool:
    node = select
    while isinstance(node.parent, (exp.Subquery, exp.Paren, exp.SetOperation)):
        # The first branch of a set operation names its columns.
        if isinstance(node.parent, exp.SetOperation) and node.arg_key == "expression" and not node.parent.args.get("by_name"):
            return False
        node = node.parent
    return node.parent is None or isinstance(node.parent, _OUTPUT_PARENTS)


# --- parentheses ------------------------------------------------------------------------------------------------------

_CLOSED = (exp.Column, exp.Paren, exp.Anonymous, exp.Case, exp.Coalesce, exp.AggFunc)
"""Expressions with an end of their own: no neighbour can bind into them."""
_TESTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe)
_WHOLE_CONDITION = (exp.Where, exp.Having, exp.Qualify)


def _without_idle_parentheses(tree: exp.Expr) -> tuple[exp.Expr, int]:
    removed = 0
    for paren in list(tree.find_all(exp.Paren)):
        if paren.parent is not None and isinstance(paren.this, exp.Expr) and _is_idle(paren):
            paren.replace(paren.this)
            removed += 1
    return tree, removed


def _is_idle(paren: exp.Paren) -> bool:
    """Whether parentheses are provably redundant in every engine; in any other place they stay."""
    parent, inner = paren.parent, paren.this
    if isinstance(inner, exp.Query):
        return False
    if isinstance(parent, (*_WHOLE_CONDITION, exp.Paren)):
        return True
    if isinstance(parent, exp.Alias):
        return not isinstance(inner, (exp.Star, exp.Tuple))
    if isinstance(parent, (exp.Join, exp.If)):
        return paren.arg_key in ("on", "this") and not _is_branch_of_simple_case(parent)
    if isinstance(parent, (exp.And, exp.Or)):
        return isinstance(inner, (*_CLOSED, *_TESTS)) or (isinstance(parent, exp.Or) and isinstance(inner, exp.And))
    return isinstance(parent, (*_TESTS, *_ARITHMETIC)) and isinstance(inner, _CLOSED)


def _is_branch_of_simple_case(node: exp.Expr) -> bool:
    """Whether ``node`` belongs to ``case x when …``, where the condition is a value that is compared."""
    return isinstance(node, exp.If) and isinstance(node.parent, exp.Case) and node.parent.args.get("this") is not None
