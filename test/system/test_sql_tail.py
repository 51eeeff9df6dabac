"""SELECT … FROM TAIL('db.t'): rows as they arrive, through stock clients."""

import asyncio
import threading
import time

import asyncpg
import psycopg
import pyarrow as pa
import pytest
from harness import sql, streams
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


def rows(first, last):
    return pa.table({"id": range(first, last), "name": [f"n{i}" for i in range(first, last)]}, schema=SCHEMA)


class Follower:
    """A connection whose rows a thread collects until it is cancelled or the query ends.

    Rows with a number below 0 only show that it has begun (begin())."""

    def __init__(self, server, db, query, parameters=None):
        self.connection = sql.connect(server, db)
        self.all, self.rows, self.error = [], [], None
        self.thread = threading.Thread(target=self.run, args=(query, parameters))
        self.thread.start()

    def run(self, query, parameters):
        try:
            with self.connection.cursor() as cursor:
                for row in cursor.stream(query, parameters):
                    self.all.append(row)
                    if not any(isinstance(value, int) and value < 0 for value in row):
                        self.rows.append(row)
        except psycopg.Error as e:
            self.error = e

    def wait(self, count):
        end = time.monotonic() + PATIENCE_S
        while len(self.rows) < count and self.thread.is_alive() and time.monotonic() < end:
            time.sleep(0.005)
        assert len(self.rows) >= count, (len(self.rows), self.error)

    def begun(self):
        return len(self.all) > len(self.rows)

    def cancel(self):
        self.connection.cancel()
        self.end()
        assert isinstance(self.error, psycopg.errors.QueryCanceled), self.error

    def end(self):
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.connection.close()


async def begin(table, *followers):
    """Appends rows that do not count until each of them has seen one."""
    end = time.monotonic() + PATIENCE_S
    while not all(f.begun() for f in followers):
        assert time.monotonic() < end, [f.error for f in followers]
        await streams.append_table(table, rows(-1, 0))
        await asyncio.sleep(0.1)


def in_order(found):
    """Rows (bucket, offset, …): each bucket from its first offset on, without a gap and none twice."""
    by_bucket = {}
    for bucket, offset, *_ in found:
        by_bucket.setdefault(bucket, []).append(offset)
    return all(offsets == list(range(offsets[0], offsets[0] + len(offsets))) for offsets in by_bucket.values())


async def test_every_row_comes_once_and_in_order(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=3)
    await streams.append_table(table, rows(0, 500))
    query = "select _bucket, _offset, id, name from tail('{}.t'{})"
    everything = Follower(server, db, query.format(db, ", 'earliest'"))
    everything.wait(500)
    latest = Follower(server, db, query.format(db, ""))
    half = Follower(server, db, query.format(db, "") + " where id % 2 = 0 or id < 0 limit 100")
    await begin(table, everything, latest, half)
    for i in range(500, 1500, 10):
        await streams.append_table(table, rows(i, i + 10))
    for follower, first in ((everything, 0), (latest, 500)):
        follower.wait(1500 - first)
        assert sorted(r[2] for r in follower.rows) == list(range(first, 1500))
        assert in_order(follower.all)
        follower.cancel()
    half.end()
    assert half.error is None and len(half.all) == 100
    assert all(r[2] % 2 == 0 and r[2] >= 500 for r in half.rows)


async def test_where_it_begins(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=1)
    await streams.append_table(table, rows(0, 100))
    with sql.connect(server, db) as c:
        tail = "select id from tail('t', '{}') limit {}"
        assert sql.rows(c, tail.format("earliest", 3)) == [(0,), (1,), (2,)]
        assert sql.rows(c, tail.format("offset:97", 3)) == [(97,), (98,), (99,)]
        assert sql.rows(c, tail.format("time:2020-01-01 00:00:00+00", 1)) == [(0,)]
        assert sql.rows(c, tail.format("time:1577836800000", 1)) == [(0,)]
        assert sql.rows(c, "select id from tail('t', 'earliest') limit %s", (2,)) == [(0,), (1,)]
        assert sql.rows(c, "select id from tail('t') limit 0") == []
        assert [d.name for d in c.execute("select * from tail('t') limit 0").description] == ["id", "name"]
        c.execute("create table k (a int primary key, b text)")
        c.execute("insert into k values (1, 'x')")
        c.execute("update k set b = 'y' where a = 1")
        changes = sql.rows(c, "select _change_type, a, b from tail('k', 'earliest') limit 3")
        assert changes == [("insert", 1, "x"), ("update_before", 1, "x"), ("update_after", 1, "y")]


REFUSED = [
    "select count(*) from tail('t')",
    "select geomean(id) from tail('t')",
    "select distinct id from tail('t')",
    "select id from tail('t') order by id",
    "select id from tail('t') group by id",
    "select id from tail('t') limit 3 offset 1",
    "select id from tail('t') limit 3%",
    "select row_number() over () from tail('t')",
    "select id from tail('t') union all select 1",
    "select * from tail('t') join t using (id)",
    "select * from (select * from tail('t')) x",
    "with x as (from tail('t')) select * from x",
    "select id from tail('t') where id in (select id from t)",
    "select id from t where exists (from tail('t'))",
    "explain select * from tail('t')",
    "insert into t select * from tail('t')",
]


async def test_what_has_no_end_is_refused(server, client, db):
    await streams.make(client, db, SCHEMA)
    with sql.connect(server, db) as c:
        for query in REFUSED:
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                c.execute(query)
        for query, state in (
            ("select * from tail('nowhere')", "42P01"),
            ("select * from tail('t', 'sometime')", "22023"),
            ("select * from tail(3)", "42883"),
            ("select nothing from tail('t')", "42703"),
        ):
            with pytest.raises(psycopg.Error) as refused:
                c.execute(query)
            assert refused.value.sqlstate == state, query


async def test_how_it_ends(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=2)
    with sql.connect(server, db) as c:
        c.execute("set statement_timeout = 300")
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            c.execute("select * from tail('t')")
        assert time.monotonic() - began >= 0.3
        c.execute("set statement_timeout = 0")
        assert sql.one(c, "select count(*) from t") == 0
        dropped = Follower(server, db, "select * from tail('t')")
        gone = Follower(server, db, "select * from tail('t')")
        await begin(table, dropped, gone)
        await streams.append_table(table, rows(0, 10))
        dropped.wait(10)
        gone.wait(10)
        gone.connection.cancel()
        gone.end()
        c.execute("alter table t add column more int")
        await streams.append_table(table, rows(10, 20))
        dropped.wait(20)
        assert all(len(r) == 2 for r in dropped.rows)
        c.execute("drop table t")
        dropped.end()
        assert dropped.error.sqlstate == "42P01" and f"{db}.t" in str(dropped.error)
        last = Follower(server, db, "select * from tail('u')")
        last.end()
        assert last.error.sqlstate == "42P01"


async def test_partitions_that_come_later(server, client, db):
    with sql.connect(server, db) as c:
        c.execute("create table p (id bigint, day text) partitioned by (day) with ('bucket.num' = '2')")
        c.execute("insert into p values (0, 'a')")
        follower = Follower(server, db, "select id, day from tail('p')")
        while not follower.begun():
            c.execute("insert into p values (-1, 'a')")
            await asyncio.sleep(0.1)
        for i, day in enumerate("abcdabcd", 1):
            c.execute("insert into p values (%s, %s)", (i, day))
            follower.wait(i)
            assert follower.rows[-1] == (i, day)
        c.execute("alter table p drop partition (day = 'a')")
        c.execute("insert into p values (100, 'b')")
        follower.wait(9)
        follower.cancel()


async def test_cursors_of_asyncpg_and_portions(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=1)
    await streams.append_table(table, rows(0, 10))
    c = await asyncpg.connect(**sql.place(server), database=db)
    async with c.transaction():
        cursor = await c.cursor("select id from tail('t', 'earliest')")
        assert [r["id"] for r in await cursor.fetch(4)] == [0, 1, 2, 3]
        assert [r["id"] for r in await cursor.fetch(4)] == [4, 5, 6, 7]
        waiting = asyncio.ensure_future(cursor.fetch(4))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await streams.append_table(table, rows(10, 20))
        assert [r["id"] for r in await waiting] == [8, 9, 10, 11]
    assert await c.fetchval("select count(*) from t") == 20
    await c.close()


async def test_copy_to_stdout(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=1)
    await streams.append_table(table, rows(0, 3))
    with sql.connect(server, db) as c:
        with c.cursor().copy("copy (select id, _offset from tail('t', 'earliest') limit 3) to stdout") as out:
            assert list(out.rows()) == [("0", "0"), ("1", "1"), ("2", "2")]


async def test_many_wait_at_once(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=2)
    followers = [Follower(server, db, "select id from tail('t')") for _ in range(150)]
    await begin(table, *followers)
    with sql.connect(server, db) as c:  # more than statements can run at once
        assert sql.one(c, "select count(*) from t where id >= 0") == 0
    await streams.append_table(table, rows(0, 7))
    for follower in followers:
        follower.wait(7)
        assert sorted(r[0] for r in follower.rows) == list(range(7))
    for follower in followers:
        follower.cancel()


async def test_one_that_does_not_read_costs_only_itself(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=1)
    slow = sql.connect(server, db)
    slow.pgconn.send_query(b"select id, repeat(name, 1000) from tail('t')")
    slow.pgconn.flush()
    fast = Follower(server, db, "select id from tail('t')")
    await begin(table, fast)
    for i in range(0, 20000, 1000):
        await streams.append_table(table, rows(i, i + 1000))
    fast.wait(20000)
    fast.cancel()
    slow.close()
    with sql.connect(server, db) as c:
        assert sql.one(c, "select count(*) from t where id >= 0") == 20000
