"""Python models: what counts as their code, and when their inputs cannot be known."""

import pytest

from afresh.fingerprint.python_model import python_config_keys, python_digest, python_io

MODEL = """
def model(dbt, session):
    dbt.config(materialized="table")
    df = dbt.ref("orders").df()
    return df[df.amount > 1]
"""


@pytest.mark.parametrize(
    "text",
    [
        MODEL + "# a comment\n",
        '"""About."""\n' + MODEL,
        MODEL.replace("    dbt.config", '    """About."""\n    dbt.config'),
        MODEL.replace('"table"', "'table'"),
        MODEL.replace("df[df.amount > 1]", "(df[ df.amount  >  1 ])"),
        MODEL.replace("1]", "0x1]"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(text):
    assert python_digest(text) == python_digest(MODEL)


@pytest.mark.parametrize(
    "text",
    [
        MODEL.replace("> 1", ">= 1"),
        MODEL.replace("> 1", "> 1.0"),
        MODEL.replace("> 1", "> True"),
        MODEL.replace("> 1", "> '1'"),
        MODEL.replace("> 1", "> b'1'"),
        MODEL.replace("amount", "Amount"),
        MODEL.replace('"orders"', '"orders "'),
        MODEL.replace("    return", "    'kept'\n    return"),
        MODEL + "\n'not a docstring'\n",
        "import pandas\n" + MODEL,
        MODEL.replace("def model", "async def model"),
    ],
)
def test_everything_else_counts(text):
    assert python_digest(text) != python_digest(MODEL)


def test_code_that_reads_its_own_text_is_compared_as_text():
    code = 'def model(dbt, session):\n    """{}"""\n    return model.__doc__\n'

    assert python_digest(code.format("a")) != python_digest(code.format("b"))


def test_a_text_that_is_not_python_is_compared_as_text():
    assert python_digest("def model(").startswith("raw:")
    assert python_digest("def model(") != python_digest("def model( ")


PURE = [
    MODEL,
    "import pandas as pd\nimport numpy as np\n" + MODEL,
    "from datetime import datetime, timedelta\nfrom decimal import Decimal\nimport json, re, math\n" + MODEL,
    "import pyspark.sql.functions as F\nfrom pyspark.sql import functions as f, Window\nfrom pyspark.sql.types import StringType\n" + MODEL,
    "from snowflake.snowpark import functions as F\nfrom snowflake.snowpark.functions import col\n" + MODEL,
    "from sklearn.linear_model import LinearRegression\n" + MODEL,
    MODEL.replace("df[df.amount > 1]", "df.query('amount > 1').merge(dbt.source('a', 'b').df())"),
    MODEL.replace("df[df.amount > 1]", "session.createDataFrame(df)"),
    MODEL.replace("df[df.amount > 1]", "df.assign(x=json.loads('1'), y=dbt.config.get('a'), z=dbt.this.name)"),
    MODEL.replace("df = dbt", "if dbt.is_incremental:\n        pass\n    df = dbt"),
]


@pytest.mark.parametrize("source", PURE)
def test_a_model_that_reads_only_what_dbt_gives_it_has_known_inputs(source):
    assert python_io(source) == ()


def returning(expression):
    return MODEL.replace("df[df.amount > 1]", expression)


READERS = [
    "import requests\n" + MODEL,
    "import os\n" + MODEL,
    "import urllib.request\n" + MODEL,
    "import boto3\n" + MODEL,
    "import my_local_module\n" + MODEL,
    "from . import sibling\n" + MODEL,
    "from .sibling import f\n" + MODEL,
    "import time\n" + MODEL,
    "import duckdb\n" + MODEL,
    "from pathlib import Path\n" + MODEL,
    "from pandas import read_csv\n" + MODEL,
    "from sklearn import datasets\n" + MODEL,
    "from sklearn.datasets import load_iris\n" + MODEL,
    "import pyarrow.parquet as pq\n" + MODEL,
    "import importlib\n" + MODEL,
    returning("open('x').read()"),
    returning("pd.read_csv('x.csv')"),
    returning("pl.scan_parquet('x')"),
    returning("np.loadtxt('x')"),
    returning("np.load('x')"),
    returning("session.sql('select 1')"),
    returning("session.execute('select 1')"),
    returning("session.table('t')"),
    returning("session.read.parquet('x')"),
    returning("spark.sql('select 1')"),
    returning("spark.table('t')"),
    returning("df.sql_ctx.table('t')"),
    returning("df.query('v', 'select * from t')"),
    returning("df.query('select * from t')"),
    returning("df.query(text)"),
    returning("helper(session)"),
    returning("helper(dbt)"),
    returning("helper(s=session)"),
    returning("os.environ['A']"),
    returning("os.getenv('A')"),
    returning("eval('1')"),
    returning("exec('1')"),
    returning("__import__('os')"),
    returning("getattr(df, name)()"),
    returning("globals()['x']"),
    returning("df.__class__.__subclasses__()"),
    returning("datetime.now()"),
    returning("pd.Timestamp.today()"),
    returning("F.current_timestamp()"),
    returning("dbt.ref(name)"),
    returning("dbt.load_result('x')"),
    "def model(",
]


@pytest.mark.parametrize("source", READERS)
def test_a_model_that_may_read_anything_else_says_why(source):
    assert python_io(source) != ()


@pytest.mark.parametrize(
    ("use", "keys"),
    [
        ("dbt.config(materialized='table')", set()),
        ("dbt.config.get('a')", {"a"}),
        ("dbt.config.get('a', dbt.config.get('tags'))", {"a", "tags"}),
        ("dbt.config.meta_get('k')", {"meta"}),
        ("dbt.config.get(name)", None),
        ("f(dbt.config)", None),
        ("dbt.config['a']", None),
        ("[x for x in dbt.config]", None),
    ],
)
def test_the_configs_that_a_model_reads_are_known_by_key(use, keys):
    assert python_config_keys(returning(use)) == keys


def test_a_text_that_is_not_python_may_read_any_config():
    assert python_config_keys("def model(") is None
