"""Cursors of SQL, with psql's FETCH_COUNT and psycopg's named cursors, unmodified."""


import psycopg
import pyarrow as pa
import pytest
from harness import sql, streams, world

pytestmark = pytest.mark.sql_server
ITEMS = pa.schema([("id", pa.int32()), ("name", pa.string())])


@pytest.fixture
def block(server, db):
    """A connection that is in a transaction block whenever it has a statement under way."""
    with psycopg.connect(**sql.place(server), dbname=db) as connection:
        yield connection


def refused(connection, statement):
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    connection.rollback()
    return caught.value.sqlstate


def test_named_cursors_beside_each_other(block):
    block.execute("create table t (id int primary key, name text)")
    block.execute("insert into t select i, 'n' || i from range(20000) r(i)")
    with block.cursor(name='Some "name"') as first, block.cursor(name="second") as second:
        first.itersize = 777
        first.execute("select id, name from t where id >= %s order by id", (10,))
        second.execute("select id from t order by id desc", binary=True)
        assert [d.name for d in first.description] == ["id", "name"]
        seen = 0
        for row in first:
            assert row == (10 + seen, f"n{10 + seen}")
            if seen % 1000 == 0:
                block.execute("update t set name = 'other' where id = %s", (19000 + seen // 1000,))
                assert second.fetchmany(3) == [(19999 - seen // 1000 * 3 - i,) for i in range(3)]
            seen += 1
        assert seen == 19990
        assert first.fetchone() is None
        second.scroll(10)
        assert second.fetchone() == (19999 - 60 - 10,)
        assert len(second.fetchall()) == 20000 - 71
    assert sql.one(block, "select count(*) from t where name = 'other'") == 20


def test_with_hold(server, block, db):
    block.execute("create table t (id int)")
    block.execute("insert into t select * from range(5000)")
    with block.cursor(name="held", withhold=True) as held:
        held.execute("select id from t")
        block.commit()
        assert held.fetchone() is not None
        block.execute("insert into t values (1), (2)")
        block.execute("drop table t")
        block.commit()
        assert len(held.fetchall()) == 4999
    with sql.connect(server, db) as single:
        with pytest.raises(psycopg.Error) as caught, single.cursor(name="c") as c:
            c.execute("select 1")
        assert caught.value.sqlstate == "25P01"
        with single.cursor(name="c", withhold=True) as c:
            assert c.execute("select 1").fetchall() == [(1,)]


def test_what_is_refused(block):
    block.execute("create table t (id int)")
    block.commit()
    for statement, state in [
        ("declare c scroll cursor for select 1", "0A000"),
        ("declare c cursor for insert into t values (1)", "42601"),
        ("declare c cursor for copy t to stdout", "42601"),
        ("declare c cursor for select nothing from t", "42703"),
        ("declare c cursor for create table u (a int)", "42601"),
        ("fetch c", "34000"),
        ("close c", "34000"),
        ("fetch absolute 3 from c", "0A000"),
        ("declare c cursor", "42601"),
    ]:
        assert refused(block, statement) == state, statement
    for statement in ("fetch backward 1 from c", "fetch prior c", "move -1 c"):
        block.execute("declare c cursor for select * from range(5)")
        assert refused(block, statement) == "55000"
    assert refused(block, "fetch c") == "34000"
    block.execute("declare c cursor for select * from range(5)")
    assert refused(block, "declare c cursor for select 1") == "42P03"
    with pytest.raises(psycopg.Error):  # when it is declared or fetched: rows are computed ahead
        block.execute("declare c cursor for select case when i < 9000 then 1 else error('x') end from range(9500) r(i)")
        block.execute("fetch all c")
    assert refused(block, "fetch c") == "25P02"


def test_a_long_fetch_is_cancelled(block):
    """Of a query that gives rows for days: they are computed as they are asked for."""
    declare = "declare c cursor for select i from range(1000000000000) r(i)"
    block.execute(declare)
    assert block.execute("fetch 1000 c").rowcount == 1000
    with sql.cancelled(block):
        block.execute("move all c")
    block.rollback()
    block.execute(declare)
    block.execute("set statement_timeout = 300")
    with pytest.raises(psycopg.errors.QueryCanceled):
        block.execute("move all c")


def test_psql_fetches_portions(server, db):
    lines = sql.psql(
        server,
        "create table t (id int, name text)",
        "insert into t select i, 'n' || i from range(2500) r(i)",
        "\\set FETCH_COUNT 100",
        "select id, name from t order by id",
        "values (1, 'a'), (2, 'b')",
        database=db,
        flags=["-A", "-t", "-q"],
    ).splitlines()
    assert lines == [f"{i}|n{i}" for i in range(2500)] + ["1|a", "2|b"]


def test_rows_are_not_held(launch):
    """Rows of more bytes than the memory of all queries, read by a client that stops in between."""
    server = launch(options={**sql.OPTIONS, "eider.sql.memory": "64mb"})
    with sql.connect(server, "fluss") as c:
        c.execute("create table t (id int, name text)")
        for part in range(10):
            c.execute(f"insert into t select i, repeat(i::text, 40) from range({part * 40000}, {part * 40000 + 40000}) r(i)")
        assert sql.one(c, "select sum(length(name)) from t") > 80 << 20
        before = world.resident(server)
        with c.cursor(name="all", withhold=True) as cursor:
            cursor.itersize = 5000
            cursor.execute("select id, name from t")
            assert sum(1 for _ in cursor) == 400000
        assert world.sanitized() or world.resident(server) - before < 64 << 20


async def test_tail(client, block, db):
    table = await streams.make(client, db, ITEMS)
    with block.cursor(name="live") as live:
        live.itersize = 1
        live.execute("select id from tail('t', 'earliest')")
        for turn in range(3):
            rows = pa.table({"id": [3 * turn + i for i in range(3)], "name": ["x"] * 3}, schema=ITEMS)
            await streams.append_table(table, rows)
            assert live.fetchmany(3) == [(3 * turn + i,) for i in range(3)]
        assert block.execute("select count(*) from t").fetchall() == [(9,)]
        block.execute("set statement_timeout = 200")
        with pytest.raises(psycopg.errors.QueryCanceled):
            live.fetchone()
    block.rollback()
    block.execute("reset statement_timeout")
    with block.cursor(name="live") as live:
        live.execute("select id from tail('t')")
        await streams.append_table(table, rows)  # after DECLARE, before FETCH
        assert live.fetchmany(2) == [(6,), (7,)]
