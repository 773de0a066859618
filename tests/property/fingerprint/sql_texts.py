"""Random queries over two small tables, as lists of words, and the edits that must or must not be seen."""

from hypothesis import strategies as st

COLUMNS = ("a", "b", "c")
TABLES = ("t", "u")
LITERALS = ("0", "1", "2.5", "'x'", "'X'", "'a  b'", "'-- no comment'", "'it''s'", "null", "true")
NUMBERS = ("0", "1", "2", "7", "0.5", "0.50")
KEYWORDS = frozenset(
    {
        "select",
        "from",
        "where",
        "group",
        "by",
        "having",
        "join",
        "left",
        "inner",
        "outer",
        "on",
        "and",
        "or",
        "not",
        "as",
        "case",
        "when",
        "then",
        "else",
        "end",
        "in",
        "is",
        "null",
        "between",
        "union",
        "all",
        "distinct",
        "true",
    }
)

_number = st.sampled_from(NUMBERS).map(lambda text: [text])
_column = st.sampled_from(COLUMNS).map(lambda name: [name])


def _binary(children):
    return st.tuples(children, st.sampled_from(["+", "-", "*"]), children).map(lambda parts: [*parts[0], parts[1], *parts[2]])


def _wrapped(children):
    return children.map(lambda words: ["(", *words, ")"])


def _call(children):
    one = st.tuples(st.sampled_from(["abs", "ABS", "sign"]), children).map(lambda parts: [parts[0], "(", *parts[1], ")"])
    two = st.tuples(st.sampled_from(["coalesce", "greatest", "least", "Least"]), children, children).map(
        lambda parts: [parts[0], "(", *parts[1], ",", *parts[2], ")"]
    )
    return st.one_of(one, two)


def _cast(children):
    as_cast = children.map(lambda words: ["cast", "(", *words, "as", "integer", ")"])
    as_colons = _column.map(lambda words: [*words, "::", "integer"])
    return st.one_of(as_cast, as_colons, children.map(lambda words: ["try_cast", "(", *words, "as", "integer", ")"]))


numbers = st.recursive(
    st.one_of(_column, _number),
    lambda children: st.one_of(_binary(children), _wrapped(children), _call(children), _cast(children)),
    max_leaves=6,
)


def _test(values):
    compared = st.tuples(values, st.sampled_from(["=", "<>", "!=", "<", ">="]), values).map(lambda parts: [*parts[0], parts[1], *parts[2]])
    null = st.tuples(values, st.sampled_from([["is", "null"], ["is", "not", "null"]])).map(lambda parts: [*parts[0], *parts[1]])
    inside = st.tuples(values, _number, _number).map(lambda parts: [*parts[0], "in", "(", *parts[1], ",", *parts[2], ")"])
    between = st.tuples(values, _number, _number).map(lambda parts: [*parts[0], "between", *parts[1], "and", *parts[2]])
    return st.one_of(compared, null, inside, between)


def _joined(children):
    both = st.tuples(children, st.sampled_from(["and", "or"]), children).map(lambda parts: [*parts[0], parts[1], *parts[2]])
    return st.one_of(both, children.map(lambda words: ["not", *words]), _wrapped(children))


conditions = st.recursive(_test(numbers), _joined, max_leaves=4)


@st.composite
def queries(draw):
    """A query that DuckDB runs over ``t`` and ``u``, as a list of words."""
    items = draw(st.lists(numbers, min_size=1, max_size=3))
    words = ["select", *(["distinct"] if draw(st.booleans()) else [])]
    for position, item in enumerate(items):
        words += [*([","] if position else []), *item, *(["as"] if draw(st.booleans()) else []), f"x{position}"]
    words += ["from", draw(st.sampled_from(TABLES)), *draw(st.sampled_from([[], ["as", "s"], ["s"]]))]
    if draw(st.booleans()):
        words += ["where", *draw(conditions)]
    if draw(st.booleans()):
        words += ["union", *(["all"] if draw(st.booleans()) else []), *["select", ",".join("0" for _ in items), "from", "u"]]
    return words


_GAPS = (" ", "\n", "  ", "\t", " /* c */ ", " -- c\n", "\n\n", " /* ' */ ", ' -- "\n')


@st.composite
def respelled(draw, words):
    """The same words with other white space, comments, keyword case and trailing semicolons."""
    text = draw(st.sampled_from(("", *_GAPS)))
    for word in words:
        cased = draw(st.sampled_from([word, word.upper(), word.title()])) if word in KEYWORDS else word
        text += cased + draw(st.sampled_from(_GAPS))
    return text + draw(st.sampled_from(["", ";", " ; ;"]))


@st.composite
def reshaped(draw, words):
    """The words with small edits, many of which keep the meaning and many of which do not."""
    words = list(words)
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(words) - 1))
        edit = draw(st.sampled_from(["drop", "double", "swap", "case", "not_equal", "wrap", "unwrap", "replace"]))
        words = _edited(draw, words, position, edit)
    return words


def _edited(draw, words, position, edit):
    before, word, after = words[:position], words[position], words[position + 1 :]
    if edit == "drop" and word in ("as", "inner", "outer", "distinct", "all", "not"):
        return before + after
    if edit == "double" and word in ("not", "-"):
        return [*before, word, word, *after]
    if edit == "swap" and after:
        return [*before, after[0], word, *after[1:]]
    if edit == "case":
        return [*before, word.swapcase(), *after]
    if edit == "not_equal" and word in ("<>", "!="):
        return [*before, "!=" if word == "<>" else "<>", *after]
    if edit == "wrap":
        end = draw(st.integers(position + 1, len(words)))
        return [*before, "(", *words[position:end], ")", *words[end:]]
    if edit == "unwrap" and word == "(" and ")" in after:
        closing = _closing(words, position)
        return words if closing is None else [*before, *words[position + 1 : closing], *words[closing + 1 :]]
    if edit == "replace":
        return [*before, draw(st.sampled_from([*COLUMNS, *NUMBERS, "+", "-", "and", "or", word])), *after]
    return words


def _closing(words, position):
    depth = 0
    for index in range(position, len(words)):
        depth += {"(": 1, ")": -1}.get(words[index], 0)
        if depth == 0:
            return index
    return None


ODD_PIECES = (
    *(
        "a",
        "b",
        "1",
        "2",
        "1.5",
        ".5",
        "1e2",
        "1_0",
        "x",
        "_",
        "é",
        "int",
        "text",
        "null",
        "NULL",
        "t",
        "from",
        "END",
        "case",
        "when",
        "then",
    ),
    *(
        "'x'",
        "'a  b'",
        "'--'",
        "'/*'",
        "'it''s'",
        "E'a\\nb'",
        "e'x'",
        "'",
        "''",
        '"a"',
        '"A"',
        '"',
        "$$",
        "$$x$$",
        "$q$",
        "u&'x'",
        "x'ab'",
        "b'1'",
    ),
    *("--", "/*", "*/", "/* c */", "-- c\n", "\n", "\r", "\t", " ", " ", " ", "\u00a0"),
    *(
        "-",
        "+",
        "*",
        "/",
        "//",
        "%",
        "^",
        "||",
        "::",
        "(",
        ")",
        ",",
        "=",
        "<",
        ">",
        "!=",
        "<>",
        "!",
        "~",
        "@",
        "#",
        "&",
        "|",
        "?",
        ":",
        ";",
    ),
    *("AS", "as", "and", "AND", "not", "is", "in", "[", "]", "{", "}", "\\"),
)
SPACES = (" ", "\n", "\t", "\r", "\f", "\x0b", " -- c\n", " /* c */ ", "\r\n", "--\n", "/**/", "--+ x\n", "\u00a0", "")


@st.composite
def odd_texts(draw):
    """A query with a random sequence of literals, marks and operators in it, few of which an engine accepts."""
    pieces = draw(st.lists(st.tuples(st.sampled_from(ODD_PIECES), st.sampled_from(["", " "])), min_size=1, max_size=6))
    frame = draw(st.sampled_from(["select {} from t", "select {} as x from t", "select a from t where {}", "select {}\n, b from t"]))
    return frame.format("".join(piece + space for piece, space in pieces))


@st.composite
def touched(draw, text):
    """The text with a space, a comment, a parenthesis or another case somewhere."""
    for _ in range(draw(st.integers(1, 3))):
        position = draw(st.integers(0, len(text)))
        before, here, after = text[:position], text[position : position + 1], text[position + 1 :]
        edits = [before + draw(st.sampled_from([*SPACES, "(", ")"])) + here + after, before + here.swapcase() + after]
        if here.isspace():
            edits.append(before + draw(st.sampled_from(SPACES)) + after)
        text = draw(st.sampled_from(edits))
    return text


@st.composite
def nested_queries(draw, depth=3):
    """A query with CTEs, subqueries, joins and set operations over a handful of names, some of which are both CTEs and relations."""
    name = st.sampled_from(["t", "u", "v", "T"])
    source = draw(st.sampled_from(["name", "name", "name", "sub"])) if depth else "name"
    table = draw(name) if source == "name" else f"({draw(nested_queries(depth=depth - 1))}) s"
    text = f"select 1 as a from {table}"
    if depth and draw(st.booleans()):
        text += f" join {draw(name)} j on true"
    if depth and draw(st.booleans()):
        text += f" where 1 in ({draw(nested_queries(depth=depth - 1))})"
    if depth and draw(st.booleans()):
        text = f"{text} union all ({draw(nested_queries(depth=depth - 1))})"
    if depth and draw(st.booleans()):
        ctes = draw(st.lists(name, min_size=1, max_size=3, unique_by=str.lower))
        text = "with " + ", ".join(f"{cte} as ({draw(nested_queries(depth=depth - 1))})" for cte in ctes) + " " + text
    return text
