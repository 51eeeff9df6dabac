"""What a query's predicates leave unread never changes its answer.

A subquery keeps predicates away from the relation inside it, so each query has a twin that reads
everything: `select .. from t where p` and `select .. from (from t) t where p`.
"""

import concurrent.futures
import contextlib
import datetime
import itertools
import random
import re
import struct

import fluss
import psycopg
import pyarrow as pa
import pytest
from harness import rows as row_forms
from harness import batches, sql, streams, tables

pytestmark = pytest.mark.sql_server

DAY = datetime.date(2026, 1, 1)
EVENTS = pa.schema([("a", pa.int32()), ("b", pa.string()), ("c", pa.int64())])
EVENT_TYPES = {"a": tables.INT, "b": tables.STRING, "c": tables.BIGINT}


def pushed(connection, query, parameters=None):
    told = dict(sql.rows(connection, "explain " + query, parameters))
    return told["pushed"]


def part(text, name):
    """(kept, all) of what is said about batches, buckets or partitions."""
    kept, there = re.search(rf"{name} (\d+) of (\d+)", text).groups()
    return int(kept), int(there)


def bound(columns, pick):
    """An aligned row: null bits from bit 8 of the header on, then the values."""
    row = row_forms.aligned_row(EVENT_TYPES.values(), [pick(c) if c else d for c, d in zip(columns, (0, "", 0))])
    return struct.pack("<q", sum(1 << (8 + i) for i, c in enumerate(columns) if not c)) + row[8:]


def statistics(batch):
    """Of all columns, as newer clients write them."""
    columns = [[v for v in c.to_pylist() if v is not None] for c in batch.columns]
    low, high = bound(columns, min), bound(columns, max)
    nulls = [len(batch) - len(c) for c in columns]
    head = struct.pack("<bh3h3i", 1, 3, 0, 1, 2, *nulls)
    return head + struct.pack("<i", len(low)) + low + struct.pack("<i", len(high)) + high


def events(rng, count):
    start = rng.randrange(-50, 50)
    return pa.RecordBatch.from_pydict(
        {
            "a": [None if rng.random() < 0.1 else start + rng.randrange(10) for _ in range(count)],
            "b": [None if rng.random() < 0.1 else f"{rng.choice('abé')}{rng.randrange(9)}" for _ in range(count)],
            "c": [rng.randrange(-(2**62), 2**62) if start % 2 else start for _ in range(count)],
        },
        schema=EVENTS,
    )


OPERATORS = ["=", "<>", "<", "<=", ">", ">="]


def comparison(rng, columns):
    column, values = rng.choice(columns)
    value = values(rng)
    shape = rng.random()
    if shape < 0.55:
        return f"{column} {rng.choice(OPERATORS)} {value}"
    if shape < 0.65:
        return f"{value} {rng.choice(OPERATORS)} {column}"
    if shape < 0.8:
        return f"{column} in ({', '.join(values(rng) for _ in range(rng.randrange(1, 4)))})"
    if shape < 0.9:
        return f"{column} between {value} and {values(rng)}"
    return f"{column} is {'not ' if rng.random() < 0.5 else ''}null"


def predicate(rng, columns, depth=0):
    shape = rng.random()
    if depth > 2 or shape < 0.45:
        return comparison(rng, columns)
    if shape < 0.75:
        return f"({predicate(rng, columns, depth + 1)} and {predicate(rng, columns, depth + 1)})"
    if shape < 0.92:
        return f"({predicate(rng, columns, depth + 1)} or {predicate(rng, columns, depth + 1)})"
    return f"not ({predicate(rng, columns, depth + 1)})"


def check(connection, columns, shapes, rng, count):
    """shapes: (from, from without a way through) of the same relation, as its alias t."""
    pruned = 0
    for _ in range(count):
        where = predicate(rng, columns)
        one, other = rng.choice(shapes)
        query = "select {} from {} where {}"
        names = "t.*"
        if rng.random() < 0.3:
            names = "count(*)"
        found = sql.rows(connection, query.format(names, one, where))
        expected = sql.rows(connection, query.format(names, other, where))
        assert sorted(found, key=repr) == sorted(expected, key=repr), where
        told = pushed(connection, query.format(names, one, where)).splitlines()
        pruned += any("all rows" not in line for line in told)
    assert pruned > count / 4


def integer(low, high):
    return lambda rng: rng.choice([str(rng.randrange(low, high)), f"'{rng.randrange(low, high)}'", "3000000000", "2.5"])


def text(letters):
    return lambda rng: f"'{rng.choice(letters)}{rng.choice(['', rng.randrange(9)])}'"


async def test_random_predicates_over_a_log(server, cluster, db):
    rng = random.Random(1)
    table = tables.Table.create(cluster, db, "t", EVENT_TYPES, EVENTS, buckets=3)
    for number in range(60):
        batch = events(rng, rng.randrange(1, 40))
        raw = batches.arrow_batch(batch, magic=2, statistics=statistics(batch) if number % 5 else b"")
        table.append(raw, bucket=number % 3)
    columns = [
        ("a", integer(-60, 60)),
        ("t.b", text("abc€é")),
        ("c", lambda rng: str(rng.randrange(-(2**62), 2**62))),
        ("C", integer(-60, 60)),
    ]
    shapes = [("t", "(from t) t"), (f'{db}.T as t', f"(from {db}.t) t")]
    place = [
        ("_log_offset", integer(-5, 700)),
        ("_bucket", integer(-1, 4)),
        ("_commit_timestamp", lambda rng: f"timestamptz '{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S.%f}'"),
    ]
    with sql.connect(server, db) as c:
        check(c, columns, shapes, rng, 150)
        check(c, columns + place, [('"t$changelog" t', '(from "t$changelog") t')], rng, 100)
        joins = [("t join u using (a)", "(from t) t join u using (a)"), ("t left join u on t.b = u.b", "(from t) t left join u on t.b = u.b"),
                 ("u left join t on t.c = u.c", "u left join (from t) t on t.c = u.c"), ("u full join t using (b)", "u full join (from t) t using (b)")]
        tables.Table.create(cluster, db, "u", EVENT_TYPES, EVENTS, buckets=1).append(batches.arrow_batch(events(rng, 30)))
        check(c, [("t.a", integer(-60, 60)), ("t.b", text("abé"))], joins, rng, 60)


async def test_what_is_skipped_is_told(server, cluster, db):
    table = tables.Table.create(cluster, db, "t", EVENT_TYPES, EVENTS, buckets=2)
    for number in range(20):
        batch = pa.RecordBatch.from_pydict(
            {"a": [number] * 10, "b": [f"x{number}"] * 10, "c": [number] * 10}, schema=EVENTS
        )
        table.append(batches.arrow_batch(batch, magic=2, statistics=statistics(batch)), bucket=number % 2)
    with sql.connect(server, db) as c:
        assert part(pushed(c, "select * from t"), "batches") == (20, 20)
        assert part(pushed(c, "select * from t where a >= 18"), "batches") == (2, 20)
        assert part(pushed(c, "select count(*) from t where %s < a", (17,)), "batches") == (2, 20)
        assert part(pushed(c, "select * from t where b in ('x3', 'x4', 'y')"), "batches") == (2, 20)
        assert sql.one(c, "select count(*) from t where a >= 18") == 20
        told = pushed(c, 'select * from "t$changelog" where _bucket = 1 and _log_offset >= 50')
        assert part(told, "buckets") == (1, 2) and part(told, "batches")[0] == 5
        assert sql.one(c, 'select count(*) from "t$changelog" where _bucket = 1 and _log_offset >= 50') == 50
        assert "all rows" in pushed(c, "select * from t where a + 0 = 5")
        assert "all rows" in pushed(c, "select * from t x(b, a, c) where a = 'x1'")
        assert "all rows" in pushed(c, "select * from t tablesample 50% where a = 1")
        analyzed = dict(sql.rows(c, "explain analyze select sum(c) from t where a = 3"))["pushed"]
        assert part(analyzed, "batches") == (1, 20)


WRITTEN = """create table t (a int, b text, c bigint, d date, e timestamp(0), f timestamp(3), g timestamp(6), h char(3))
    with ('table.statistics.columns' = '*')"""


def test_random_predicates_over_what_sql_wrote(server, db):
    """Also where a column keeps less of a value than was given: whole seconds, and before 1970."""
    rng = random.Random(3)

    def moment(rng):
        return f"'{rng.choice(['1969-12-31 23:59', '2026-01-01 00:00'])}:{rng.randrange(50, 60)}{rng.choice(['', '.5', '.123456'])}'"

    kinds = [
        ("a", integer(-60, 60)),
        ("b", text("abé")),
        ("c", lambda rng: str(rng.randrange(-(2**62), 2**62))),
        ("d", lambda rng: f"'{DAY + datetime.timedelta(rng.randrange(-9, 9))}'"),
        ("e", moment),
        ("f", moment),
        ("g", moment),
        ("h", text("xyz")),
    ]
    with sql.connect(server, db) as c:
        c.execute(WRITTEN)
        for _ in range(50):
            made = [[str(rng.randrange(-60, 60)) if n == "a" else v(rng) for n, v in kinds] for _ in range(rng.randrange(1, 4))]
            made = ["(" + ", ".join("null" if rng.random() < 0.1 else v for v in row) + ")" for row in made]
            c.execute("insert into t values " + ", ".join(made))
        check(c, kinds, [("t", "(from t) t")], rng, 200)


def test_plans_know_how_many_rows_there_are(server, db):
    """Else DuckDB takes every relation for one row, and a join of 60,000 rows for a nested loop."""
    join = "select count(*), sum(b.v) from l a asof join l b on a.k = b.k and a.at_ >= b.at_"
    with sql.connect(server, db) as c:
        c.execute("create table l (at_ timestamp, k int, v bigint) with ('bucket.num' = '3')")
        c.execute("create table k (a int primary key, b text) with ('bucket.num' = '2')")
        c.execute("create table w (a int primary key, b text) with ('table.changelog.image' = 'WAL')")
        c.execute("create table p (a int, d text) partitioned by (d)")
        assert "~1 row" in plan(c, "select * from l, k")
        c.execute("insert into l select timestamp '2020-01-01' + to_seconds(i), i % 10, i from range(60000) r(i)")
        for table in "kw":
            c.execute(f"insert into {table} select i, 'x' from range(2000) r(i)")
            c.execute(f"update {table} set b = 'y' where a < 1000")
        c.execute("insert into p select i, 'd' || (i % 100) from range(1000) r(i)")
        assert sql.rows(c, join) == [(60000, 1799970000)]
        assert "ASOF_JOIN" in plan(c, join) and "NESTED_LOOP" not in plan(c, join)
        counts = {"l": "60,000", "k": "2,000", '"k$changelog"': "4,000", "w": "3,000", "p": "1,000"}
        for relation, count in counts.items():
            assert f"~{count} rows" in plan(c, f"select * from {relation}, (values (1)) v"), relation


def plan(connection, query):
    return dict(sql.rows(connection, "explain " + query))["physical_plan"]


ACCOUNTS = pa.schema([("day", pa.date32()), ("name", pa.string()), ("id", pa.int32()), ("v", pa.int64())])


async def test_random_predicates_over_keys(server, client, db):
    rng = random.Random(2)
    table = await keyed(client, db)
    writer = table.new_upsert().create_writer()
    for day, name, number in itertools.product(range(3), "abc", range(10)):
        writer.upsert({"day": DAY + datetime.timedelta(day), "name": name, "id": number, "v": rng.randrange(9)})
    await writer.flush()
    columns = [
        ("day", lambda rng: f"{rng.choice(['date ', ''])}'{DAY + datetime.timedelta(rng.randrange(5))}'"),
        ("name", text("abcd")),
        ("id", integer(-1, 12)),
        ("v", integer(0, 9)),
    ]
    keys = [(c, v) for c, v in columns[:3]]
    with sql.connect(server, db) as c:
        check(c, columns, [("t", "(from t) t")], rng, 150)
        for _ in range(60):
            where = " and ".join(f"{n} = {v(rng)}" if rng.random() < 0.7 else f"{n} in ({v(rng)}, {v(rng)})" for n, v in keys)
            assert sorted(sql.rows(c, f"select * from t where {where}")) == sorted(
                sql.rows(c, f"select * from (from t) where {where}")
            ), where


async def keyed(client, db):
    path = fluss.TablePath(db, "t")
    schema = fluss.Schema(ACCOUNTS, primary_keys=["day", "name", "id"])
    await client.get_admin().create_table(
        path, fluss.TableDescriptor(schema, bucket_count=3, bucket_keys=["day", "name"])
    )
    return await client.get_table(path)


async def test_rows_by_key_while_they_change(server, client, db):
    """Prepared queries of many connections, answered by lookups: never an older row than acknowledged."""
    table = await keyed(client, db)
    writer = table.new_upsert().create_writer()
    keys = [(DAY, name, number) for name in "ab" for number in range(20)]
    acknowledged = 0
    query = "select v, name, id, day from t where day = %b and name = %b and id = %b"
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(sql.connect(server, db, prepare_threshold=0)) for _ in range(8)]
        for round_ in range(1, 6):
            for day, name, number in keys:
                writer.upsert({"day": day, "name": name, "id": number, "v": round_})
            await writer.flush()
            acknowledged = round_

            def ask(c):
                for binary in (False, True):
                    for day, name, number in keys:
                        assert sql.rows(c, query, (day, name, number), binary) == [(acknowledged, name, number, day)]
                    assert sql.rows(c, query, (DAY, "nobody", 1), binary) == []

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(ask, connections))
        for number in range(2):
            for name, change in ((b"a", 100), (b"b", 1)):
                where = (change, DAY, name.decode(), 7)
                done = connections[0].execute("update t set v = v + %b where day = %b and name = %b and id = %b", where)
                assert done.rowcount == 1
        assert sql.rows(connections[0], query, (DAY, "a", 7))[0][0] == acknowledged + 200
        writer.delete({"day": DAY, "name": "a", "id": 1})
        await writer.flush()
        assert all(sql.rows(c, query, (DAY, "a", 1)) == [] for c in connections)
        await client.get_admin().drop_table(fluss.TablePath(db, "t"), False)
        with pytest.raises(psycopg.errors.UndefinedTable):
            sql.rows(connections[0], query, (DAY, "a", 2))
