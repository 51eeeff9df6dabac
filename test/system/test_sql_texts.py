"""Texts longer than what a vector of DuckDB holds are lent to it until it asks for the next rows. Everything
that may keep some of them longer is asked here, and DuckDB on the same rows is the judge. What the server
gives back to the heap is overwritten, so that a text that was kept without a copy is a wrong one."""

import duckdb
import pyarrow as pa
import pytest
from harness import process, sql, streams

pytestmark = pytest.mark.own_server
COUNT = 60_000
QUERIES = {
    "rows": "select id, note, word from t",
    "part of them": "select note from t where id % 3 = 0",
    "a few of each batch": "select id, note, word from t where id % 97 = 5",
    "limit": "select count(*), min(note[:5]), max(note[:5]) from (select note from t where id < 50000 limit 30000)",
    "sort": "select note, id from t order by note desc, id",
    "top": "select note, id from t order by note, id limit 50 offset 100",
    "group": "select word, count(*), min(note), max(note) from t group by word",
    "many groups": "select note, count(*) from t group by note",
    "distinct": "select distinct note from t",
    "distinct on": "select distinct on (word) word, note from t order by word, id",
    "distinct inside": "select count(distinct note), count(distinct word) from t",
    "first and last": "select word, first(note order by id), last(note order by id) from t group by word",
    "any": "select count(*) from (select g, any_value(note) n from (select id // 7 g, note from t) group by g)"
    " where n not like 'note %'",
    "arg_max": "select word, arg_max(note, id), arg_min(note, id), max(note, 3) from t group by word",
    "list": "select id // 5000, md5(list(note order by id)::varchar) from t group by 1",
    "string_agg": "select id // 1000, md5(string_agg(note, ',' order by id)) from t group by 1",
    "mode": "select mode(case when id % 5 = 0 then 'the most frequent of all' else word end), quantile_disc(note, 0.5) from t",
    "histogram": "select histogram(word) from t",
    "join": "select a.id, a.note, b.note from t a join t b on a.id = b.id + 1 where b.id % 5 = 0",
    "join on texts": "select count(*), min(a.note), max(b.word) from t a join t b on a.note = b.note",
    "left join": "select a.note, b.word from t a left join t b on a.id = b.id * 2 where a.id < 30000",
    "semi join": "select count(*) from t where note in (select note from t where id % 11 = 0)",
    "anti join": "select note from t where note not in (select note from t where id > 300)",
    "range join": "select count(*), min(a.note || b.note) from t a join t b"
    " on a.id < b.id and a.id > b.id - 3 where a.id % 50 = 0",
    "inequality of texts": "select count(*) from (select note from t where id < 900) a"
    " join (select note from t where id < 900) b on a.note < b.note",
    "cross": "select count(*), max(a.note || b.word) from (select note from t where id % 10000 = 1) a, t b",
    "asof": "select a.id, b.note from (select id from t where id < 3000) a"
    " asof join (select id * 3 id, note from t) b on a.id >= b.id",
    "positional": "select a.note, b.note from (select note from t where id < 3 order by id) a"
    " positional join (select note from t where id > 59990 order by id) b",
    "window": "select id, note, lag(note, 3) over (order by id), first_value(note) over (partition by word order by id)"
    " from t",
    "running": "select id, max(note) over (order by id rows between 5 preceding and current row) from t",
    "once for two": "with x as materialized (select id, note from t where id % 4 = 0)"
    " select a.note, b.note from x a join x b on a.id = b.id + 4",
    "recursive": "with recursive r as (select 0 n, (select note from t where id = 0) note union all"
    " select n + 1, (select note from t where id = n + 1) from r where n < 3) select * from r",
    "union": "select note from t where id < 5000 union select word from t",
    "except": "select note from t except select note from t where id % 2 = 0",
    "part of a text": "select substring(note, 6, 30), trim(note), note[3:], case when id % 2 = 0 then note else word end,"
    " greatest(note, word), string_split(note, ' ') from t",
    "nested": "select {'a': note, 'b': [word, note]} from t where id % 10 = 0",
    "unnest": "select id, unnest(string_split(note, ' ')) from t where id % 10 = 0",
    "pivot": "select * from (pivot (select id % 4 k, word, note from t) on k in (0, 1, 2, 3)"
    " using max(note) group by word)",
    "correlated": "select a.id, (select max(b.note) from t b where b.word = a.word and b.id < 3000) from t a where a.id < 2000",
    "sample": "select count(*) from (select note from t using sample reservoir(5000 rows) repeatable (1))"
    " where note not like 'note %'",
    "filter late": "select note, word from t where note like '%7 of%' and length(word) > 14",
}


def table():
    """Lengths around the limit of 12, texts that repeat and such as do not, nulls."""
    ids = range(COUNT)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "note": pa.array([f"note {i * 7919 % COUNT} of {'x' * (i % 23)}é" for i in ids]),
            "word": pa.array([None if i % 31 == 0 else f"word number {i % 137:0{i % 7}}" for i in ids]),
        }
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two servers' worth of batches on one, NONE and ZSTD, and the judge."""
    options = {**sql.OPTIONS, "log.durability": "os"}
    server = process.Server(
        tmp_path_factory.mktemp("server"), options=options, environment={"MALLOC_PERTURB_": "85"}
    ).start()
    data = table()
    for codec in ("NONE", "ZSTD"):
        streams.load_slices(server, codec.lower(), data, 3000, {"table.log.arrow.compression.type": codec})
    with duckdb.connect() as judge:
        judge.register("t", data)
        yield server, judge
    server.finish()


def plain(rows):
    """Without the order of rows that nobody asked for; nested values as they are printed."""
    return sorted(repr(tuple(row)) for row in rows)


@pytest.mark.parametrize("title", QUERIES)
@pytest.mark.parametrize("kind", ["none", "zstd"])
def test_texts_are_right_after_their_batch(both, kind, title):
    server, judge = both
    as_text = f"select columns(*)::varchar from ({QUERIES[title]})"
    expected = plain(judge.execute(as_text).fetchall())
    with sql.connect(server, kind) as c:
        assert plain(sql.rows(c, as_text)) == expected


def test_slow_reader(both):
    """Results wait while nobody fetches them."""
    server, judge = both
    expected = judge.execute("select id, note, word from t").fetchall()
    with sql.connect(server, "zstd") as c, c.transaction(), c.cursor(name=None) as cursor:
        rows = list(cursor.stream("select id, note, word from t"))
    assert plain(rows) == plain(expected)


def test_copy_out(both):
    server, judge = both
    expected = judge.execute("select id, note from t order by id").fetchall()
    with sql.connect(server, "none") as c, c.cursor() as cursor, cursor.copy("copy (select id, note from t) to stdout") as copy:
        copy.set_types(["int8", "text"])
        assert sorted(copy.rows()) == expected
