"""Whether two SQL texts are the same query, by ever closer looks: the text, its words, its tree (semantics §1, "Stage 2").

Nothing here raises on any text. What cannot be cut up is compared as text; what cannot be parsed is compared by words.
The parser is imported when the first text has to be looked into: most runs find all texts as they were.
"""

from __future__ import annotations

from enum import Enum

from afresh.fingerprint.dialects import dialect_of
from afresh.fingerprint.digest import digest_of, digest_of_text

__all__ = ["RAW_MARK", "Equality", "dialect_of", "same_sql", "token_digest"]

RAW_MARK = "raw:"
"""Begins the digest of a text that is compared as it stands; no digest of words begins so."""


class Equality(str, Enum):
    """How two SQL texts were found equal; the last one says that they were not."""

    IDENTICAL = "identical"
    TOKENS = "tokens"
    TREE = "tree"
    DIFFERENT = "different"


def token_digest(sql: str, dialect: str | None) -> str:
    """The digest of the words of ``sql`` without comments, white space outside literals, the case of keywords, trailing semicolons.

    Hints (``/*+ … */``) and executable comments (``/*! … */``) are words; literals, quoted and unquoted names count as spelled. A text
    that cannot be cut up with certainty, or in which white space names a column, has the digest of its raw text, marked.
    """
    from afresh.fingerprint.tokens import stream, words_of
    from afresh.fingerprint.trees import names_by_spelling

    words = words_of(sql, dialect)
    if words is None or names_by_spelling(sql, dialect):
        return RAW_MARK + digest_of_text(sql)
    return digest_of(list(stream(words)))


def same_sql(a: str, b: str, dialect: str | None) -> Equality:
    """Whether two texts are the same query, and by which look. A doubt is a difference."""
    if a == b:
        return Equality.IDENTICAL
    from afresh.fingerprint.trees import same_tree

    if token_digest(a, dialect) == token_digest(b, dialect):
        return Equality.TOKENS
    return Equality.TREE if same_tree(a, b, dialect) else Equality.DIFFERENT
