"""Python models: what their code says, and whether it may read what dbt does not know (semantics §1, "Parts" and "Inputs")."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from afresh.fingerprint.digest import digest_of, digest_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_SELF_READING = ("__doc__", "getsource", "inspect", "__code__", "co_firstlineno")
"""Words of code that may look at its own text, so that comments and docstrings are code too."""


def python_digest(source: str) -> str:
    """The digest of a Python model: its syntax tree without comments, docstrings and positions.

    A text that is not Python (or that may read its own text) has the digest of the text, marked. The tree is spelled by our own rules,
    because the standard library's dump changes from one Python version to the next.
    """
    tree = _parsed(source)
    if tree is None or any(word in source for word in _SELF_READING):
        return "raw:" + digest_of_text(source)
    try:
        return digest_of(_spelled(tree))
    except RecursionError:
        return "raw:" + digest_of_text(source)


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


_WITH_DOCSTRING = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _spelled(node: object) -> object:
    if isinstance(node, ast.Constant):
        return ["Constant", type(node.value).__name__, repr(node.value)]
    if isinstance(node, ast.AST):
        fields = [(name, _spelled(value)) for name, value in _fields(node) if value is not None and value != []]
        return [type(node).__name__, fields]
    if isinstance(node, list):
        return [_spelled(item) for item in node]
    return [type(node).__name__, repr(node)]


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, _WITH_DOCSTRING):
            yield name, _without_docstring(node.body)
        elif name not in ("type_comment", "type_ignores", "kind", "ctx"):
            yield name, value


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return body[1:] if is_docstring else body


# --- inputs that dbt does not know ------------------------------------------------------------------------------------

_PURE_MODULES: frozenset[str] = frozenset(
    {
        "__future__", "abc", "array", "base64", "bisect", "cmath", "collections", "copy", "dataclasses", "decimal", "difflib", "enum",
        "fractions", "functools", "graphlib", "hashlib", "heapq", "html", "itertools", "json", "math", "numbers", "numpy", "operator",
        "pandas", "polars", "pyarrow", "pydantic", "re", "scipy", "sklearn", "statistics", "statsmodels", "string", "struct", "textwrap",
        "types", "typing", "typing_extensions", "unicodedata", "unidecode", "zlib", "zoneinfo", "datetime", "dateutil", "pytz",
    }
)  # fmt: skip
_PURE_SUBMODULES: tuple[str, ...] = (
    "pyspark.sql.functions", "pyspark.sql.types", "pyspark.sql.window", "pyspark.pandas", "pyspark.ml", "snowflake.snowpark.functions",
    "snowflake.snowpark.types", "snowflake.snowpark.window", "urllib.parse",
)  # fmt: skip
_PURE_NAMES = {
    "pyspark.sql": {"functions", "types", "Window", "DataFrame", "Column", "Row"},
    "snowflake.snowpark": {"functions", "types", "Window", "DataFrame", "Column", "Row"},
}
_IMPURE_SUBMODULES = (
    "sklearn.datasets",
    "statsmodels.datasets",
    "statsmodels.api.datasets",
    "scipy.datasets",
    "scipy.io",
    "pandas.io",
    "pyarrow.fs",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "pyarrow.csv",
    "pyarrow.feather",
    "pyarrow.json",
    "pyarrow.orc",
    "pyarrow.flight",
)

_READING_NAMES = frozenset(
    {"open", "eval", "exec", "compile", "__import__", "globals", "locals", "vars", "input", "breakpoint", "delattr", "setattr", "getattr"}
)
_READING_ATTRIBUTES = frozenset(
    {
        "sql", "execute", "executemany", "read", "table", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "from_query", "query_df",
        "fetch", "urlopen", "environ", "getenv", "catalog", "from_parquet", "from_csv_auto", "read_sql", "parquet", "streamToTable",
        "readStream", "textFile", "open", "open_dataset", "read_table", "dataset", "datasets", "view", "values_from_file",
        "fromDF", "call", "sproc", "procedure", "udf_from_file", "range_from_file",
    }
)  # fmt: skip
_READING_PREFIXES = ("read_", "scan_", "fetch_", "load_", "from_parquet", "from_csv")
_CLOCKS = frozenset(
    {"now", "utcnow", "today", "time_ns", "current_timestamp", "current_date", "localtimestamp", "now_utc", "getdate", "sysdate"}
)
_DBT_MEMBERS = frozenset({"ref", "source", "config", "this", "is_incremental", "session", "args"})
_PURE_SESSION_MEMBERS = frozenset({"createDataFrame", "create_dataframe", "from_df", "from_arrow", "from_pandas", "createDataset"})


def python_io(source: str) -> tuple[str, ...]:
    """Why the inputs of a Python model cannot be known, one sentence each; empty when it reads only what dbt gives it.

    What is not known to be pure counts as a reader: an import that is not on the list of pure libraries, a call that may read a file,
    the network, the environment, the clock, or SQL in a text.
    """
    tree = _parsed(source)
    if tree is None:
        return ("its code is not valid Python",)
    found: list[str] = []
    session = _session_name(tree)
    for node in ast.walk(tree):
        found.extend(_of_import(node))
        found.extend(_of_use(node, session))
    return tuple(dict.fromkeys(found))


def python_config_keys(source: str) -> frozenset[str] | None:
    """The config keys that a Python model reads with ``dbt.config.get``; ``None`` if it may read any."""
    tree = _parsed(source)
    if tree is None:
        return None
    keys: set[str] = set()
    uses = sum(_is_config(node) for node in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_config(node.func):
            uses -= 1
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_config(node.func.value):
            key = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if isinstance(key, str):
                keys.add("meta" if node.func.attr.startswith("meta_") else key)
                uses -= 1
    # A use that is neither `dbt.config(…)` nor `dbt.config.get("key")` may read anything.
    return None if uses else frozenset(keys)


def _is_config(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "config" and isinstance(node.value, ast.Name) and node.value.id == "dbt"


def _session_name(tree: ast.Module) -> str | None:
    """The name of the second argument of ``def model(dbt, session)``."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "model" and len(statement.args.args) > 1:
            return statement.args.args[1].arg
    return None


def _of_import(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if not _is_pure(alias.name):
                yield f"it imports `{alias.name}`, which may read data that dbt does not know"
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            named = alias.name in _PURE_NAMES.get(module, ())
            if not named and not (_is_pure(module) and _is_pure(f"{module}.{alias.name}")):
                yield f"it imports `{module}`, which may read data that dbt does not know"
            if alias.name.startswith("read_") or (alias.name in _READING_ATTRIBUTES | _CLOCKS and not named):
                yield f"it imports `{alias.name}` of `{module}`, which may read data that dbt does not know"


def _is_pure(module: str) -> bool:
    if any(module == impure or module.startswith(impure + ".") for impure in _IMPURE_SUBMODULES):
        return False
    return module.partition(".")[0] in _PURE_MODULES or any(module == pure or module.startswith(pure + ".") for pure in _PURE_SUBMODULES)


def _of_use(node: ast.AST, session: str | None) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _of_call(node, session)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _READING_NAMES:
        yield f"it calls `{node.id}`, which may read anything"
    if isinstance(node, ast.Attribute):
        yield from _of_attribute(node, session)


def _of_attribute(node: ast.Attribute, session: str | None) -> Iterator[str]:
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    if owner == "dbt" and node.attr in _DBT_MEMBERS:
        return
    if owner == "dbt":
        yield f"it uses `dbt.{node.attr}`, which may read data that dbt's graph does not list"
    elif owner and owner == session:
        if node.attr not in _PURE_SESSION_MEMBERS:
            yield f"it uses `{session}.{node.attr}`, which may read relations by name"
    elif node.attr in _READING_ATTRIBUTES or node.attr.startswith(_READING_PREFIXES):
        yield f"it uses `.{node.attr}`, which may read data that dbt does not know"
    elif node.attr in _CLOCKS:
        yield f"it uses `.{node.attr}`, whose value is new at every run"
    elif node.attr.startswith("__") and node.attr not in ("__name__", "__class__", "__len__", "__init__"):
        yield f"it uses `.{node.attr}`, through which anything can be reached"


def _of_call(node: ast.Call, session: str | None) -> Iterator[str]:
    function = node.func
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    for argument in arguments:
        if isinstance(argument, ast.Name) and argument.id in ("dbt", session):
            yield f"it passes `{argument.id}` on, which may read relations by name"
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "dbt":
        constant = all(isinstance(argument, ast.Constant) for argument in arguments)
        if function.attr in ("ref", "source") and not constant:
            yield f"it calls `dbt.{function.attr}` with a computed name"
    if isinstance(function, ast.Attribute) and function.attr == "query" and (len(node.args) > 1 or not _is_filter(node)):
        yield "it calls `.query` with SQL, which may read relations by name"


def _is_filter(node: ast.Call) -> bool:
    """Whether ``frame.query(…)`` is given a constant condition, as in pandas, and not a statement."""
    first = node.args[0] if node.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return text is not None and not text.lstrip(" (\n\t").lower().startswith(("select", "with", "from", "values", "show", "describe"))
