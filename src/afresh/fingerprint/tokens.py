"""SQL as a stream of words: what is left when comments and white space outside literals are taken away.

sqlglot cuts the text; what lies between its tokens is checked here against what the engine itself calls a comment. Whatever is not
certainly a comment stays in the stream, and a text whose quotes might end elsewhere for the engine is not cut at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import TokenType
from sqlglot.dialects.dialect import Dialect

from afresh.fingerprint.dialects import DOLLAR_QUOTES, HASH_COMMENTS, MYSQL_LIKE, SLASH_COMMENTS
from afresh.fingerprint.name_sets import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import Token


@dataclass(frozen=True, slots=True)
class Word:
    """One token as the text spells it; ``type`` is ``None`` for a comment that acts. ``glued`` when nothing parts it from the last one."""

    text: str
    type: TokenType | None
    start: int = 0
    glued: bool = False
    newline_before: bool = False

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self.start + len(self.text)


def words_of(sql: str, dialect: str | None) -> tuple[Word, ...] | None:
    """The words of ``sql``, trailing semicolons left off; ``None`` if it cannot be cut up with certainty."""
    return None if _ambiguous_quotes(sql, dialect) else _cut_up(sql, dialect)


def likely_words_of(sql: str, dialect: str | None) -> tuple[Word, ...] | None:
    """The words of ``sql`` as its engine cuts it with default settings: good for reading, never for equality."""
    return words_of(sql, dialect) if dialect is None else _cut_up(sql, dialect)


def acting_comments(sql: str, dialect: str | None) -> tuple[str, ...]:
    """The comments of ``sql`` that are not certainly idle: hints, executable comments, whatever an engine might not take for a comment."""
    return tuple(word.text for word in likely_words_of(sql, dialect) or () if word.type is None)


@lru_cache(maxsize=64)
def _cut_up(sql: str, dialect: str | None) -> tuple[Word, ...] | None:
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(sql)
    except Exception:  # noqa: BLE001 - sqlglot raises its own and Python's errors on malformed text; all mean "cannot be cut up"
        return None
    words = _words(sql, tokens, dialect)
    return None if words is None else _without_trailing_semicolons(words)


# --- quotes -----------------------------------------------------------------------------------------------------------

_BACKSLASH_QUOTE = re.compile(r"""\\['"`]""")
_DOLLAR_QUOTE = re.compile(r"\$\w*\$")
_PREFIXED_QUOTE = re.compile(r"(?i)\b(?:n?q|u&)'")
_TRIPLE_QUOTE = re.compile(r"'''|\"\"\"|```")
_LITERAL_STARTS = "'\"`$"


def _ambiguous_quotes(sql: str, dialect: str | None) -> bool:
    """Whether a literal might end elsewhere for the engine than for sqlglot, so that comment marks might stand inside of it.

    A backslash before a quote depends on the engine, its version and its settings; ``q'[…]'`` and ``$tag$`` exist in some engines only.
    """
    if _BACKSLASH_QUOTE.search(sql) or _PREFIXED_QUOTE.search(sql):
        return True
    if dialect not in DOLLAR_QUOTES and _DOLLAR_QUOTE.search(sql):
        return True
    return dialect is None and ("`" in sql or "[" in sql or _TRIPLE_QUOTE.search(sql) is not None)


# --- tokens and what lies between them --------------------------------------------------------------------------------


def _words(sql: str, tokens: list[Token], dialect: str | None) -> list[Word] | None:
    words: list[Word] = []
    position = 0
    for token in tokens:
        if token.end < token.start:
            return None
        if token.start < position:
            if token.end + 1 == position:  # Spark's `1L` is cut into a number and a cast that share one place
                continue
            return None
        gap = sql[position : token.start]
        words.extend(_acting_words(gap, position, dialect))
        text = sql[token.start : token.end + 1]
        newline = "\n" in gap or "\r" in gap
        words.append(Word(text, token.token_type, token.start, glued=not gap and position > 0, newline_before=newline))
        position = token.end + 1
    words.extend(_acting_words(sql[position:], position, dialect))
    return words


def _acting_words(gap: str, position: int, dialect: str | None) -> Iterator[Word]:
    for offset, text in _acting_comments(gap, dialect):
        yield Word(text, None, position + offset)


_GAP_PIECE = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
    |(?P<block>/\*.*?\*/)
    |(?P<line>(?:--|\#|//)[^\r\n]*)""",
    re.VERBOSE | re.DOTALL,
)


@lru_cache(maxsize=4096)
def _acting_comments(gap: str, dialect: str | None) -> tuple[tuple[int, str], ...]:
    """The parts of a gap between two tokens that are not certainly idle: hints, executable comments, anything unexpected."""
    if not gap or gap.isspace():
        return () if gap.isascii() else ((0, gap),)
    kept: list[tuple[int, str]] = []
    position = 0
    while position < len(gap):
        piece = _GAP_PIECE.match(gap, position)
        if piece is None:
            return ((0, gap),)
        if not _idle(piece, dialect):
            kept.append((position, piece.group()))
        position = piece.end()
    # A carriage return ends a line comment for some engines only.
    return ((0, gap),) if "\r" in gap.replace("\r\n", "\n") else tuple(kept)


def _idle(piece: re.Match[str], dialect: str | None) -> bool:
    text = piece.group()
    if piece.lastgroup == "space":
        return True
    if piece.lastgroup == "block":
        body = text[2:-2]
        # Some engines nest comments and some do not, so what a second opening mark hides is uncertain.
        return not body.lstrip().startswith(("+", "!", "M!")) and "/*" not in body
    return _idle_line(text, dialect)


def _idle_line(text: str, dialect: str | None) -> bool:
    if text.startswith("--"):
        body = text[2:]
        # In MySQL `5--1` is arithmetic: a comment needs white space after the dashes.
        return not body.lstrip().startswith("+") and (dialect not in MYSQL_LIKE or not body or body[0].isspace())
    if text.startswith("#"):
        return dialect in HASH_COMMENTS and (dialect != "clickhouse" or text[1:2] in (" ", "!"))
    return dialect in SLASH_COMMENTS


def _without_trailing_semicolons(words: list[Word]) -> tuple[Word, ...]:
    end = len(words)
    while end and words[end - 1].type is TokenType.SEMICOLON:
        end -= 1
    return tuple(words[:end])


# --- the stream that is compared --------------------------------------------------------------------------------------

_KEYWORDS = names(
    """
    all and as between by case cross distinct else end except exists false from full group having in inner intersect into is join left
    like not null on or order outer over partition right select then true union using when where with limit qualify window asc desc cast
    ilike
    """
)
"""Words of which no engine gives the case to see where they are keywords."""
_NAME_BEFORE = frozenset({TokenType.DOT, TokenType.ALIAS, TokenType.COLON, TokenType.PARAMETER, TokenType.DCOLON})
_NAME_AFTER = frozenset({TokenType.COLON, TokenType.DOT, TokenType.COLON_EQ, TokenType.FARROW})
_KEYWORD_BEFORE_END = frozenset({"end", "null", "true", "false", "asc", "desc"})
_ITEM_ENDS = frozenset({TokenType.COMMA, TokenType.FROM, TokenType.R_PAREN, TokenType.SEMICOLON})
_LITERAL_TYPES = frozenset(
    {
        TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING, TokenType.UNICODE_STRING,
        TokenType.BYTE_STRING, TokenType.BIT_STRING, TokenType.HEX_STRING, TokenType.IDENTIFIER,
    }
)  # fmt: skip
_STRINGS = _LITERAL_TYPES - {TokenType.IDENTIFIER}


def stream(words: tuple[Word, ...]) -> Iterator[str]:
    """The words as they are compared: keywords in one case, all else as spelled, and a mark where the lack of a space matters."""
    open_cases = 0
    for index, word in enumerate(words):
        before = words[index - 1] if index else None
        if before is not None and space_matters(before, word):
            yield "\x00glued" if word.glued else "\x00newline"
        lowered = word.text.lower()
        after = words[index + 1] if index + 1 < len(words) else None
        if lowered in _KEYWORDS and _is_keyword(lowered, word, before, after) and (lowered != "end" or open_cases):
            open_cases += {"case": 1, "end": -1}.get(lowered, 0)
            yield lowered
        else:
            yield word.text


def space_matters(before: Word, word: Word) -> bool:
    """Whether the space between two words, or its lack, may mean something.

    ``x'ab'`` is one literal to some engines and a name beside a literal to others; two literals on two lines are one in PostgreSQL.
    """
    if before.type in _STRINGS and word.type in _STRINGS:
        return word.glued or word.newline_before
    if not word.glued:
        return False
    last, first = before.text[-1:], word.text[:1]
    if (last == "." and first.isdigit()) or (first == "." and last.isdigit()):
        return True
    # Operators of an engine may be longer than the pieces sqlglot cuts them into.
    return (_wordlike(last) and _wordlike(first)) or (last in _OPERATOR_CHARACTERS and first in _OPERATOR_CHARACTERS)


_OPERATOR_CHARACTERS = frozenset("+-*/<>=~!@#%^&|?:")


def _wordlike(character: str) -> bool:
    return character.isalnum() or character in ("_", "'", '"', "`", "$", "#", "@") or not character.isascii()


def _is_keyword(lowered: str, word: Word, before: Word | None, after: Word | None) -> bool:
    """Whether a reserved word stands where it cannot be a name: dialects without reserved words accept ``select 1 Order``."""
    if word.type in _LITERAL_TYPES or word.type is None:
        return False
    if before is not None and before.type in _NAME_BEFORE and not (before.type is TokenType.ALIAS and lowered in ("select", "with")):
        return False
    if after is not None and after.type in _NAME_AFTER:
        return False
    return lowered in _KEYWORD_BEFORE_END or (after is not None and after.type not in _ITEM_ENDS)
