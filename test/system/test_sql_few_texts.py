"""Texts of few different values are kept as codes and given to DuckDB as dictionaries. Everything that may take them
another way than plain texts is asked here, and DuckDB on the same rows is the judge. What the server gives back to the
heap is overwritten, so that a text that was kept without a copy is a wrong one."""

import io
import random
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from harness import process, sql, streams

pytestmark = pytest.mark.own_server
BATCH = 8292  # four vectors of 2048 rows, and 100 rows that share one with the next batch
COUNT = 7 * BATCH
ALL = "select count(distinct state), count(place), count(bound), count(beyond), count(raw), count(nothing), count(same) from t"
QUERIES = {
    "all": ALL,
    "rows": "select id, state, place, bound, beyond, raw, nothing, same from t",
    "group": "select state, count(*), sum(id), avg(noise % 1000) from t group by state",
    "group of long ones": "select place, count(*), min(id), max(state) from t group by place",
    "group at the bound": "select bound, count(*), sum(id) from t group by bound",
    "group beyond the bound": "select beyond, count(*), sum(id) from t group by beyond",
    "group of bytes": "select raw, count(*), sum(id) from t group by raw",
    "group of nulls": "select nothing, count(*) from t group by nothing",
    "one group": "select same, count(*), min(id) from t group by same",
    "group without counts": "select state from t group by state",
    "two columns": "select state, place, count(*) from t group by state, place",
    "text and number": "select state, id % 5, count(*), sum(id) from t group by state, id % 5",
    "grouping sets": "select state, same, count(*) from t group by rollup (state, same)",
    "group by a function": "select upper(state), length(place) l, count(*) from t group by 1, 2",
    "having": "select place, count(*) n from t group by place having n > 1000",
    "of rows that stay": "select state, count(*) from t where id % 97 = 5 group by state",
    "of few rows that stay": "select place, count(*) from t where noise % 1009 = 5 group by place",
    "filter in the aggregate": "select state, count(*) filter (where id % 3 = 0), sum(id) filter (where same = 'x') from t group by 1",
    "equal": "select count(*), sum(id) from t where state = 'paid'",
    "not equal": "select count(*), sum(id) from t where place <> 'Åland, the 3rd of all places of slice 0'",
    "range": "select count(*), min(bound), max(bound) from t where bound between '1' and '2'",
    "like": "select count(*), sum(id) from t where place like '%the 3rd of all%' or state like 'p%'",
    "in": "select count(*) from t where state in ('paid', '', 'gone') and bound not in ('7', '8')",
    "is null": "select count(*), sum(id) from t where state is null and place is not null",
    "limit": "select count(*) from (select state, place from t limit 9000 offset 8000)",
    "limit in order": "select state, id from t order by id limit 300 offset 8200",
    "sort": "select state, place, id from t where id % 3 = 0 order by state desc nulls last, place, id",
    "top": "select place, id from t order by place desc, id limit 20",
    "distinct": "select distinct state, same from t",
    "distinct on": "select distinct on (place) place, state, id from t order by place, id",
    "count distinct": "select count(distinct place), count(distinct bound), count(distinct beyond), approx_count_distinct(same) from t",
    "functions": "select id, upper(state), state || '/' || place, substring(place, 3, 9), length(bound), trim(state), place[2:],"
    " replace(state, 'a', 'é'), md5(place), coalesce(state, 'none'), nullif(state, 'paid'), string_split(place, ' ')"
    " from t where id % 7 = 0",
    "unary": "select sum(length(state)), sum(strlen(place)), sum(ascii(bound)), bit_xor(hash(place)) from t",
    "case": "select case when id % 2 = 0 then state else place end x, count(*) from t group by x",
    "cast": "select sum(try_cast(bound as int)), sum(bound::double) from t",
    "casts that fail": "select count(try_cast(place as int)), count(try_cast(state as date)) from t",
    "json": "select id, to_json({'s': state, 'p': place}) from t where id % 50 = 0",
    "first and last": "select state, first(place order by id), last(place order by id), arg_max(place, id) from t group by state",
    "list": "select id // 5000, md5(list(place order by id)::varchar), md5(list(state order by id)::varchar) from t group by 1",
    "string_agg": "select id // 1000, md5(string_agg(place, ',' order by id)) from t group by 1",
    "histogram": "select histogram(state), histogram(place) from t",
    "mode": "select mode(case when id % 3 = 0 then 'the most frequent of all' else bound end), quantile_disc(place, 0.5) from t",
    "join": "select a.id, a.place, b.state from t a join t b on a.id = b.id + 1 where b.id % 5 = 0",
    "join on texts": "select count(*), min(a.place) from t a join (select distinct place from t where id % 10 = 3) b on a.place = b.place",
    "join with two": "select v.n, count(*), max(place) from t join (values ('paid', 1), ('', 2)) v(s, n) on state = s group by 1",
    "left join": "select a.place, b.state from t a left join t b on a.id = b.id * 2 where a.id % 3 = 0",
    "semi join": "select count(*) from t where place in (select place from t where state = 'sent')",
    "anti join": "select count(*) from t where beyond not in (select beyond from t where id < 100)",
    "window": "select id, place, lag(place, 3) over (order by id), first_value(state) over (partition by place order by id) from t",
    "streaming window": "select count(*) from (select state, row_number() over () from t)",
    "running": "select id, max(place) over (order by id rows between 5 preceding and current row) from t",
    "once for two": "with x as materialized (select id, place, state from t where id % 4 = 0)"
    " select a.place, b.state from x a join x b on a.id = b.id + 4",
    "union": "select place from t union select state from t union select bound from t",
    "union all": "select x, count(*) from (select state x from t union all select place from t) group by x",
    "except": "select place from t except select place from t where id % 2 = 0",
    "nested": "select {'a': state, 'b': [place, bound]}, map([same], [state]) from t where id % 10 = 0",
    "unnest": "select id, unnest([state, place]) from t where id % 10 = 0",
    "pivot": "select * from (pivot (select id % 4 k, state, place from t) on k in (0, 1, 2, 3) using max(place) group by state)",
    "correlated": "select a.id, (select max(b.place) from t b where b.state = a.state and b.id < 3000) from t a where a.id < 500",
    "enum": "select state::enum('paid', 'sent', '') e, count(*) from t where state in ('paid', 'sent', '') group by e",
    "beside what is no text": "select state, noise, id from t where id between 8200 and 8400",
}


def table():
    """Each batch has other long texts; of `bound` 255 and null, of `beyond` one more."""
    chance = random.Random(1)
    states = ["paid", "sent", "", None, "returned to the shop", "gone"]
    ids = range(COUNT)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "noise": pa.array([chance.getrandbits(62) for _ in ids]),  # batches are large, whatever the rest is
            "state": pa.array([chance.choice(states) for _ in ids], pa.string()),
            "place": pa.array(
                [None if i % 31 == 0 else f"Åland, the {i * 7919 % 41}rd of all places of slice {i // BATCH}" for i in ids]
            ),
            "bound": pa.array([None if i % 256 == 9 else str(i % 256) for i in ids]),
            "beyond": pa.array([None if i % 257 == 9 else str(i % 257) for i in ids]),
            "raw": pa.array([bytes([255, i * i % 7]) * (i % 11) for i in ids], pa.binary()),
            "nothing": pa.array([None for _ in ids], pa.string()),
            "same": pa.array(["x" for _ in ids]),
        }
    )


def settings(cache):
    options = {**sql.OPTIONS, "log.durability": "os", "eider.sql.cache.memory": cache}
    return {"options": options, "environment": {"MALLOC_PERTURB_": "85"}}


def load(server):
    streams.load_slices(server, "few", table(), BATCH, {"table.log.arrow.compression.type": "ZSTD"})


@pytest.fixture(scope="module")
def judge():
    with duckdb.connect() as c:
        c.register("t", table())
        yield c


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = process.Server(tmp_path_factory.mktemp("server"), **settings("256mb")).start()
    try:
        load(server)
        with sql.connect(server, "few") as c:
            sql.rows(c, ALL)  # from now on from the cache
        yield server
    finally:
        server.finish()


def plain(rows):
    """Without the order of rows that nobody asked for; nested values as they are printed."""
    return sorted(repr(tuple(row)) for row in rows)


def texts(title):
    return f"select columns(*)::varchar from ({QUERIES[title]})"


@pytest.mark.parametrize("title", QUERIES)
def test_few_texts_are_as_any(server, judge, title):
    expected = plain(judge.execute(texts(title)).fetchall())
    with sql.connect(server, "few") as c:
        assert plain(sql.rows(c, texts(title))) == expected


@pytest.mark.parametrize("cache", ["0b", "300kb"])
def test_whatever_is_in_the_cache(launch, judge, cache):
    server = launch(**settings(cache))
    load(server)
    with sql.connect(server, "few") as c:
        for title in ("all", "group", "group of long ones", "two columns", "group at the bound", "sort"):
            for _ in range(4):
                assert plain(sql.rows(c, texts(title))) == plain(judge.execute(texts(title)).fetchall())


def test_results_as_they_are(server, judge):
    """Not as texts of the query: both formats of the protocol, COPY, Parquet."""
    query = "select id, state, place, nothing, raw from t order by id"
    expected = judge.execute(query).fetchall()
    with sql.connect(server, "few") as c:
        assert sql.rows(c, query) == expected
        assert sql.rows(c, query, binary=True) == expected
        unordered = "select state, place from t"
        with c.transaction(), c.cursor() as cursor:
            assert plain(cursor.stream(unordered)) == plain(judge.execute(unordered).fetchall())
        with c.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout") as copy:
            copy.set_types(["int8", "text", "text", "text", "bytea"])
            assert list(copy.rows()) == expected
        with c.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout (format parquet)") as copy:
            file = io.BytesIO(b"".join(bytes(part) for part in copy))
    assert [tuple(row.values()) for row in parquet.read_table(file).to_pylist()] == expected


def test_written_into_other_tables(server, judge):
    expected = judge.execute("select id, state, place from t where id % 3 = 0 order by id").fetchall()
    with sql.connect(server, "few") as c:
        c.execute("create table logged (id bigint, state text, place text)")
        c.execute("create table keyed (id bigint primary key, state text, place text)")
        for target in ("logged", "keyed"):
            c.execute(f"insert into {target} select id, state, place from t where id % 3 = 0")
            assert sql.rows(c, f"select id, state, place from {target} order by id") == expected
        c.execute("update keyed set state = (select max(place) from t where state = 'paid') where state = 'paid'")
        best = judge.execute("select max(place) from t where state = 'paid'").fetchone()[0]
        assert sql.rows(c, "select id, state, place from keyed order by id") == [
            (i, best if s == "paid" else s, p) for i, s, p in expected
        ]


def test_many_at_once(server, judge):
    titles = ["group", "group of long ones", "two columns", "group of bytes", "of rows that stay", "distinct"] * 4
    expected = {title: plain(judge.execute(texts(title)).fetchall()) for title in titles}

    def ask(title):
        with sql.connect(server, "few") as c:
            return title, plain(sql.rows(c, texts(title)))

    with ThreadPoolExecutor(8) as pool:
        for title, rows in pool.map(ask, titles):
            assert rows == expected[title]
