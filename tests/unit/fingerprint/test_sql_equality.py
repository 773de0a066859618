"""Which SQL texts are the same query. The false cases are the ones that matter: a wrong "equal" is a stale table."""

import pytest

from afresh.fingerprint.sql import RAW_MARK, Equality, dialect_of, same_sql, token_digest

SAME_WORDS = [
    ("duckdb", "select a from t", "select a\n\tfrom   t"),
    ("duckdb", "select a from t", "SELECT a FROM t"),
    ("duckdb", "select a from t", "select a from t;"),
    ("duckdb", "select a from t", "select a from t ; \n;"),
    ("duckdb", "select a from t", "-- why\nselect a -- which\nfrom t /* from where */"),
    ("duckdb", "select a+b as c from t", "select a + b as c from t"),
    ("duckdb", "select f(a,b) as c from t", "select f( a, b ) as c from t"),
    ("duckdb", "select case when a then 1 else 2 end as x from t", "select CASE WHEN a THEN 1 ELSE 2 END as x from t"),
    ("duckdb", "with x as (select 1 as a) select * from x", "WITH x AS (SELECT 1 AS a) SELECT * FROM x"),
    ("duckdb", "select 7 // 2 as x", "select 7 //2 as x"),
    ("postgres", "select a from t /* outer */", "select a from t"),
    ("postgres", "select 'it''s -- not a comment' as a", "SELECT 'it''s -- not a comment' AS a -- a comment"),
    ("postgres", "select $$a -- b$$ as a", "select $$a -- b$$ as a -- c"),
    ("bigquery", "select a from `p.d.t` # comment", "select a from `p.d.t`"),
    ("mysql", "select a as a from t # comment", "select a as a from t"),
    ("mysql", "select a as a from t -- comment", "select a as a from t"),
    ("snowflake", "select a as a from t // comment", "select a as a from t"),
    ("snowflake", "select a:b::int as c from t", "select a:b::int as c\nfrom t"),
    ("spark", "select 1L as a, 2.5BD as b from t", "SELECT 1L as a,  2.5BD as b FROM t"),
    ("clickhouse", "select a as a from t settings x=1", "select a as a from t settings x = 1"),
    (None, "select a from t", "select a -- c\nfrom t"),
]


@pytest.mark.parametrize(("dialect", "a", "b"), SAME_WORDS)
def test_comments_white_space_keyword_case_and_trailing_semicolons_are_not_words(dialect, a, b):
    assert token_digest(a, dialect) == token_digest(b, dialect)
    assert same_sql(a, b, dialect) is Equality.TOKENS


SAME_TREE = [
    ("duckdb", "select (a) as x from t where (a = 1)", "select a as x from t where a = 1"),
    ("duckdb", "select a as x from t where (a = 1) and (b = 2)", "select a as x from t where a = 1 and b = 2"),
    ("duckdb", "select a as x from t where ((a = 1))", "select a as x from t where a = 1"),
    ("duckdb", "select a as x from t where (a = 1 and b = 2) or c = 3", "select a as x from t where a = 1 and b = 2 or c = 3"),
    ("duckdb", "select x::int as y from t", "select cast(x as int) as y from t"),
    ("duckdb", "select cast(x as INT) as y from t", "select cast(x as int) as y from t"),
    ("duckdb", "select SUM(a) as s from t", "select sum(a) as s from t"),
    ("duckdb", "select a x from t", "select a as x from t"),
    ("duckdb", "select a as x from t as u", "select a as x from t u"),
    ("duckdb", "select a as x from t where a != 1", "select a as x from t where a <> 1"),
    ("duckdb", "select t.a as x from t inner join u on (t.a = u.a)", "select t.a as x from t join u on t.a = u.a"),
    ("duckdb", "select t.a as x from t left outer join u on t.a = u.a", "select t.a as x from t left join u on t.a = u.a"),
    ("duckdb", "select case when (a = 1) then 2 end as x from t", "select case when a = 1 then 2 end as x from t"),
    ("postgres", "select A, Sum(B) as Total from T group by A", "select a, sum(b) as total from t group by a"),
    ("redshift", "select A as B from T", "select a as b from t"),
    ("snowflake", "select A as B from T", "select a as b from t"),
    ("oracle", "select A as B from T", "select a as b from t"),
]


@pytest.mark.parametrize(("dialect", "a", "b"), SAME_TREE)
def test_texts_with_one_structure_are_one_query(dialect, a, b):
    assert same_sql(a, b, dialect) is Equality.TREE
    assert same_sql(b, a, dialect) is Equality.TREE


NEVER_EQUAL = [
    # Literals.
    ("duckdb", "select 'a b' as x", "select 'a  b' as x"),
    ("duckdb", "select 'a' as x", "select 'A' as x"),
    ("duckdb", "select 'a -- b' as x", "select 'a -- c' as x"),
    ("duckdb", "select '/* a */' as x", "select '/* b */' as x"),
    ("duckdb", "select 'it''s' as x", "select 'its' as x"),
    ("duckdb", "select $$a -- b$$ as x", "select $$a -- c$$ as x"),
    ("duckdb", "select E'a\\nb' as x", "select 'a\\nb' as x"),
    ("postgres", "select E'a\\'b -- c' as x", "select E'a\\'b -- d' as x"),
    ("postgres", "select $q$a -- b$q$ as x", "select $q$a -- c$q$ as x"),
    ("postgres", "select U&'d\\0061t' as x", "select 'd\\0061t' as x"),
    ("postgres", "select 'a'\n'b' as x", "select 'a' 'b' as x"),
    ("postgres", "select x'ab' as y", "select x 'ab' as y"),
    ("postgres", "select b'1' as y from t", "select b '1' as y from t"),
    ("bigquery", "select r'a\\n' as x", "select 'a\\n' as x"),
    ("bigquery", "select 'it\\'s -- a' as x", "select 'it\\'s -- b' as x"),
    ("bigquery", "select '''it's -- a''' as x", "select '''it's -- b''' as x"),
    ("oracle", "select q'[it's -- a]' as x from dual", "select q'[it's -- b]' as x from dual"),
    ("redshift", "select $$a -- b$$ as x", "select $$a -- c$$ as x"),
    (None, "select 'it\\'s -- a' as x", "select 'it\\'s -- b' as x"),
    (None, "select `a -- b` as x", "select `a -- c` as x"),
    (None, "select [a -- b] as x\n from t", "select [a -- c] as x\n from t"),
    (None, "select 1 as x # 2", "select 1 as x # 3"),
    # Numbers.
    ("duckdb", "select .1 as x", "select 0.1 as x"),
    ("duckdb", "select .5 as x", "select . 5 as x"),
    ("postgres", "select 1_01.5 as x", "select 1_01 .5 as x"),
    ("duckdb", "select 1 as x", "select 1.0 as x"),
    ("duckdb", "select 1e0 as x", "select 1 as x"),
    ("duckdb", "select 1 e0", "select 1e0"),
    ("duckdb", "select 10/4 as x", "select 10//4 as x"),
    ("spark", "select 1L as x", "select 1 as x"),
    # Names.
    ("duckdb", "select a from t", "select A from t"),
    ("duckdb", "select 1 as Date", "select 1 as date"),
    ("duckdb", "select 1 as End", "select 1 as end"),
    ("duckdb", "select 1 as Total", "select 1 as total"),
    ("bigquery", "select a as Total from t", "select a as total from t"),
    ("bigquery", "select d.MyFn(a) as x from t", "select d.myfn(a) as x from t"),
    ("spark", "select a Order from t", "select a order from t"),
    ("spark", "select a End, b from t", "select a end, b from t"),
    ("clickhouse", "select Sum(a) as x from t", "select sum(a) as x from t"),
    ("clickhouse", "select a as x from T", "select a as x from t"),
    ("trino", "select a as Total from t", "select a as total from t"),
    ("postgres", 'select "A" from t', "select a from t"),
    ("postgres", 'select "A" from t', 'select "a" from t'),
    ("postgres", "select É from t", "select é from t"),
    ("postgres", "select (a).b from t", "select a.b from t"),
    ("postgres", "select a from t", "select t.a from t"),
    ("snowflake", 'select "a" from t', 'select "A" from t'),
    ("snowflake", "select payload:Path as x from t", "select payload:path as x from t"),
    ("snowflake", "select payload:a.Path as x from t", "select payload:a.path as x from t"),
    ("snowflake", "select a as x from @Stage/Path", "select a as x from @stage/path"),
    ("snowflake", "select a+b from t", "select a + b from t"),
    ("sqlite", "select a+b from t", "select a + b from t"),
    ("mysql", "select a+b from t", "select a + b from t"),
    ("mysql", "select * from (select a+b from t) x", "select * from (select a + b from t) x"),
    ("mysql", "with x as (select a+b from t) select * from x", "with x as (select a + b from t) select * from x"),
    # Comments that act, and marks that only look like comments.
    ("spark", "select /*+ broadcast(t) */ a from t", "select /*+ merge(t) */ a from t"),
    ("spark", "select /*+ broadcast(t) */ a from t", "select a from t"),
    ("oracle", "select --+ full(t)\n a from t", "select a from t"),
    ("postgres", "/*+ SeqScan(t) */ select a from t", "select a from t"),
    ("mysql", "select /*!40001 SQL_NO_CACHE */ a from t", "select a from t"),
    ("mysql", "select a /*!, b */ from t", "select a /*!, c */ from t"),
    ("mysql", "select a /*M!, b */ from t", "select a from t"),
    ("mysql", "select 5--1\n as x", "select 5--2\n as x"),
    ("duckdb", "select 1 as x /* /* */ , 2 as y -- */", "select 1 as x /* /* */ , 3 as y -- */"),
    ("bigquery", "select 1 as x /* /* */ , 2 as y -- */", "select 1 as x"),
    ("duckdb", "select 7 // 2 as x", "select 7 // 3 as x"),
    ("postgres", "select 7 # 2 as x", "select 7 # 3 as x"),
    ("postgres", "select j #>> '{a}' as x from t", "select j #> '{a}' as x from t"),
    ("clickhouse", "select a as x #1\n from t", "select a as x #2\n from t"),
    ("duckdb", "select 1 as x -- a\r, 2 as y", "select 1 as x -- a\r, 3 as y"),
    # Structure.
    ("duckdb", "select (a or b) and c as x from t", "select a or b and c as x from t"),
    ("duckdb", "select a - (b - c) as x from t", "select a - b - c as x from t"),
    ("duckdb", "select (a + b) * c as x from t", "select a + b * c as x from t"),
    ("duckdb", "select not (a and b) as x from t", "select not a and b as x from t"),
    ("duckdb", "select -(a) ** 2 as x from t", "select (-a) ** 2 as x from t"),
    ("duckdb", "select a as x from t order by (1)", "select a as x from t order by 1"),
    ("duckdb", "select a as x, count(*) as n from t group by (1)", "select a as x, count(*) as n from t group by 1"),
    ("duckdb", "select (a, b) as x from t", "select a, b as x from t"),
    ("duckdb", "select a as x from t where b in (1)", "select a as x from t where b = 1"),
    ("duckdb", "select case a when (b = 1) then 2 end as x from t", "select case a when b then 2 end as x from t"),
    ("duckdb", "select a as x from t join u on true join v on v.a = u.a", "select a as x from t join u join v on v.a = u.a on true"),
    # What sqlglot normalises and engines do not.
    ("duckdb", "select count(*) as x from t", "select count(1) as x from t"),
    ("duckdb", "select try_cast(a as int) as x from t", "select cast(a as int) as x from t"),
    ("spark", "select try_cast(a as int) as x from t", "select cast(a as int) as x from t"),
    ("databricks", "select try_cast(a as int) as x from t", "select cast(a as int) as x from t"),
    ("tsql", "select top 3 a from t", "select a from t limit 3"),
    ("duckdb", "select distinct a from t", "select a from t"),
    ("duckdb", "select a from t union select a from u", "select a from t union all select a from u"),
    ("duckdb", "select a from t order by a", "select a from t order by a nulls first"),
    ("duckdb", "select a from t order by a", "select a from t order by a nulls last"),
    ("duckdb", "select a from t order by a", "select a from t order by a asc"),
    ("postgres", "select a::timestamp as x from t", "select a::timestamptz as x from t"),
    ("duckdb", "select a::timestamp as x from t", "select a::datetime as x from t"),
    ("duckdb", "select a::float as x from t", "select a::double as x from t"),
    ("postgres", "select a::real as x from t", "select a::float as x from t"),
    ("duckdb", "select a::varchar as x from t", "select a::text as x from t"),
    ("snowflake", "select a::number as x from t", "select a::number(38,0) as x from t"),
    ("duckdb", "select ifnull(a, b) as x from t", "select coalesce(a, b) as x from t"),
    ("duckdb", "select date_diff('day', a, b) as x from t", "select date_diff('day', b, a) as x from t"),
    ("snowflake", "select nvl(a, b) as x from t", "select coalesce(a, b) as x from t"),
    ("duckdb", "select a from t, u", "select a from t cross join u"),
    ("duckdb", "select a as x from t limit 5", "select a as x from t fetch first 5 rows only"),
    ("duckdb", "select a as x from t where a is not null", "select a as x from t where a is null"),
    ("duckdb", "select a ilike 'x' as x from t", "select a like 'x' as x from t"),
    ("duckdb", "select a as x from t where a is distinct from b", "select a as x from t where a <> b"),
    ("duckdb", "select a from t sample 10%", "select a from t sample 20%"),
    ("duckdb", "select first(a) as x from t", "select any_value(a) as x from t"),
    ("duckdb", "select interval '1' day as x", "select interval '1 day' as x"),
    ("postgres", "select a from only t", "select a from t"),
    ("postgres", "select distinct on (a) a, b from t", "select distinct a, b from t"),
    ("duckdb", "with x as materialized (select 1 as a) select * from x", "with x as (select 1 as a) select * from x"),
    ("duckdb", "select a, from t", "select a from t"),
    # What sqlglot accepts and engines do not.
    ("duckdb", "select a as x from t", "select as a x from t"),
    ("duckdb", "select (a) as x from t", "select (a as) x from t"),
    ("duckdb", "select cast(a as integer) as x from t", "select cast(a as integer()) as x from t"),
    ("postgres", "select 5 @-1 as x", "select 5 @ -1 as x"),
    # Statements that are no queries, or no SQL.
    ("duckdb", "explain select 1", "explain select 2"),
    ("duckdb", "create table x as select 1 as a", "create table x as select 2 as a"),
    ("duckdb", "call f(1)", "call f(2)"),
    ("duckdb", "select 'open", "select 'opened"),
    ("duckdb", "select 1; select 2", "select 1; select 3"),
    ("duckdb", "", "select 1"),
]


@pytest.mark.parametrize(("dialect", "a", "b"), NEVER_EQUAL)
def test_what_an_engine_may_tell_apart_is_never_equal(dialect, a, b):
    assert token_digest(a, dialect) != token_digest(b, dialect)
    assert same_sql(a, b, dialect) is Equality.DIFFERENT
    assert same_sql(b, a, dialect) is Equality.DIFFERENT


def test_equal_texts_are_identical_whatever_they_are():
    assert same_sql("select 'open", "select 'open", "duckdb") is Equality.IDENTICAL


@pytest.mark.parametrize(
    "text", ["", " ", ";", "'", '"', "/*", "--", "\x00", "\ud800", "(" * 500, "select " + "(" * 2000, "{{ x }}", "🦆", "$$", "\\"]
)
@pytest.mark.parametrize("dialect", [None, "duckdb", "postgres", "snowflake", "bigquery", "mysql"])
def test_no_text_is_an_error(text, dialect):
    assert isinstance(token_digest(text, dialect), str)
    assert same_sql(text, "select 1", dialect) is Equality.DIFFERENT


def test_what_cannot_be_cut_up_has_the_digest_of_its_text_and_says_so():
    assert token_digest("select 'open", "duckdb").startswith(RAW_MARK)
    assert not token_digest("select 1 as a", "duckdb").startswith(RAW_MARK)


@pytest.mark.parametrize(
    ("adapter", "dialect"),
    [
        ("duckdb", "duckdb"),
        ("postgres", "postgres"),
        ("greenplum", "postgres"),
        ("sqlserver", "tsql"),
        ("synapse", "tsql"),
        ("fabric", "fabric"),
        ("Snowflake", "snowflake"),
        ("athena", "athena"),
        ("glue", "spark"),
        ("nobody_knows_it", None),
    ],
)
def test_an_adapter_has_the_dialect_of_its_engine(adapter, dialect):
    assert dialect_of(adapter) == dialect


def test_every_dialect_in_the_table_is_one_that_sqlglot_has():
    from sqlglot.dialects.dialect import Dialect

    from afresh.fingerprint.dialects import _DIALECTS

    assert [name for name in set(_DIALECTS.values()) if Dialect.get(name) is None] == []
