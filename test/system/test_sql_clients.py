"""The PostgreSQL protocol with psql and psycopg: metadata, parameters, portals, errors, cancel, stop."""

import os
import struct
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest
from harness import patience, process, sql, streams, world
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
ITEMS = pa.schema([("id", pa.int64()), ("name", pa.string()), ("price", pa.decimal128(10, 2))])
LONG = "select count(*) from range(100000000) a(x), range(100000) b(y) where x + y = 7"


def items(count):
    return pa.table(
        {"id": range(count), "name": [f"item {i}" for i in range(count)], "price": [Decimal(i) for i in range(count)]},
        schema=ITEMS,
    )


@pytest.fixture
async def table(client, db):
    made = await streams.make(client, db, ITEMS)
    await streams.append_table(made, items(1000))
    return made


# ---- psql ----


async def test_psql_lists_and_describes(server, db, table):
    assert "eider" in sql.psql(server, "\\l", database=db)
    assert db in sql.psql(server, "\\dn", database=db)
    listed = sql.psql(server, "\\dt", database=db, flags=["-A", "-t"]).split()
    assert f"{db}|t|table|eider" in listed and f"{db}|t$changelog|table|eider" in listed
    described = sql.psql(server, "\\d t", database=db, flags=["-A", "-t"]).splitlines()
    assert [line.split("|")[:2] for line in described] == [
        ["id", "bigint"],
        ["name", "text"],
        ["price", "numeric(10,2)"],
    ]
    assert "t$changelog" in sql.psql(server, f"\\dt {db}.*", database="fluss")


async def test_psql_prints_rows(server, db, table):
    out = sql.psql(server, "\\timing on", "select * from t where id < 2 order by id", database=db, flags=["-A", "-q"])
    assert out.splitlines()[:3] == ["id|name|price", "0|item 0|0.00", "1|item 1|1.00"]
    assert sql.psql(server, f"select count(*) from {db}.t; select 2", flags=["-A", "-t"]) == "1000\n2\n"


# ---- parameters and portals ----

PARAMETERS = [
    (7, "bigint"),
    (-(2**62), "bigint"),
    (1.25, "double"),
    (True, "boolean"),
    ("it's", "varchar"),
    (b"\x00\xff", "blob"),
    (Decimal("-12345678901234.000150"), "decimal(30, 6)"),
    (date(1999, 12, 31), "date"),
    (datetime(2026, 8, 22, 13, 14, 15, 123456), "timestamp"),
    (datetime(2026, 8, 22, 13, 14, 15, tzinfo=UTC), "timestamptz"),
    (UUID("12345678-1234-5678-9234-567812345678"), "uuid"),
    (None, "integer"),
]


@pytest.mark.parametrize("marker", ["%s", "%b", "%t"])
def test_parameters(server, marker):
    with sql.connect(server) as c:
        for value, kind in PARAMETERS:
            for binary in (False, True):
                found = sql.rows(c, f"select {marker}::{kind}", [value], binary)
                assert found == [(value,)], (value, kind)


async def test_prepared_statements(server, db, table):
    with sql.connect(server, db, prepare_threshold=0) as c:
        for i in (3, 999, 5):
            assert sql.rows(c, "select name from t where id = %s", [i]) == [(f"item {i}",)]
        assert sql.rows(c, "select name from t where id = %s", [10**6]) == []
        assert sql.rows(c, "select id from t order by id limit %s offset %s", [2, 10]) == [(10,), (11,)]


async def test_a_portal_gives_some_rows_at_a_time(server, db, table):
    with sql.connect(server, db) as c:
        pg = c.pgconn
        pg.send_prepare(b"", b"select id from t order by id")
        while pg.get_result():
            pass
        rows = [row[0] for row in c.cursor().stream("select id from t order by id")]
        assert rows == list(range(1000))


async def test_many_rows_pass_a_slow_reader(server, client, db):
    table = await streams.make(client, db, ITEMS, bucket_count=2)
    for _ in range(10):
        await streams.append_table(table, items(20000))
    with sql.connect(server, db) as c:
        count = 0
        for row in c.cursor().stream("select * from t"):
            count += 1
            if count % 50000 == 0:
                time.sleep(0.2)
            assert row[1] == f"item {row[0]}"
        assert count == 200000


def test_two_hundred_connections(server):
    connections = [sql.connect(server) for _ in range(200)]
    for number, c in enumerate(connections):
        assert sql.one(c, "select %s::int", [number]) == number
    for c in connections:
        c.close()


# ---- transactions and settings ----


def test_transactions_are_tolerated(server):
    with sql.connect(server) as c:
        with c.transaction():
            assert sql.one(c, "select 1") == 1
            with pytest.raises(psycopg.errors.UndefinedTable), c.transaction():
                sql.rows(c, "select * from missing")
        c.execute("begin")
        with pytest.raises(psycopg.errors.UndefinedTable):
            sql.rows(c, "select * from missing")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            sql.rows(c, "select 1")
        c.execute("rollback")
        assert sql.one(c, "select 1") == 1


def test_settings(server):
    with sql.connect(server, application_name="tests") as c:
        assert c.info.parameter_status("application_name") == "tests"
        assert sql.one(c, "show server_version") == "14.0"
        c.execute("set application_name to 'others'")
        assert sql.one(c, "show application_name") == "others"
        c.execute("set client_encoding to 'UTF8'")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            c.execute("set client_encoding to 'LATIN1'")
        with pytest.raises(psycopg.errors.UndefinedObject):
            c.execute("set threads to 4")
        c.execute("discard all")


# ---- errors ----

ERRORS = [
    ("selec 1", "42601"),
    ("select missing from (select 1)", "42703"),
    ("select * from missing", "42P01"),
    ("select * from missing.t", "42P01"),
    ("select missing(1)", "42883"),
    ("select 'x'::int", "22P02"),
    ("select 2::tinyint * 100::tinyint", "22003"),
    ("create function f(a) as a", "0A000"),
    ("drop view fluss.t", "0A000"),
    ("explain analyze create table t (a int)", "0A000"),
    ("insert into pg_class select 1", None),
    ("copy (select 1) to '/dev/null'", None),
    ("select * from read_csv('/etc/hostname')", "42501"),
    ("attach ':memory:' as other", "25006"),
    ("install httpfs", "25006"),
    ("load parquet", "25006"),
    ("pragma threads=8", None),
    ("select 1; select", "42601"),
    ("select * from eider_scan(99, 0, 1)", None),
    ("select * from eider_scan(-1, 7, -1)", None),
]


@pytest.mark.parametrize("query, state", ERRORS)
def test_errors(server, query, state):
    with sql.connect(server) as c:
        with pytest.raises(psycopg.Error) as e:
            c.execute(query)
        assert state is None or e.value.sqlstate == state, e.value
        assert sql.one(c, "select 1") == 1


def test_no_statement_hides_behind_another(server):
    """What one side takes for a comment or a text, the other must, too."""
    with sql.connect(server) as c:
        for hidden in (
            "select 1 -- \r; create macro eider.eider_pg.hidden() as 1; select 2",
            "select 'a\\'; create macro eider.eider_pg.hidden() as 1; select 'b'",
            "select $a$ $b$; create macro eider.eider_pg.hidden() as 1; select $b$ $a$",
            "select /* /* */ ; create macro eider.eider_pg.hidden() as 1; */ 1",
        ):
            try:
                c.execute(hidden)
            except psycopg.Error:
                pass
        assert sql.one(c, "select count(*) from duckdb_functions() where function_name = 'hidden'") == 0


def test_a_query_beyond_its_memory_fails_alone(launch):
    server = launch(options={**sql.OPTIONS, "eider.sql.memory": "64mb"})
    with sql.connect(server) as c, sql.connect(server) as other:
        with pytest.raises(psycopg.errors.OutOfMemory):
            c.execute("select count(*) from (select distinct a, repeat('x', 50) || a from range(50000000) r(a))")
        assert sql.one(c, "select 1") == 1 and sql.one(other, "select 2") == 2


# ---- cancel, timeout, stop ----


def test_cancel(server):
    with sql.connect(server) as c:
        with sql.cancelled(c):
            c.execute(LONG)
        assert sql.one(c, "select 1") == 1


def shard_seconds(server):
    """Of each thread that serves."""
    tasks = [t for t in Path(f"/proc/{server.pid}/task").iterdir() if (t / "comm").read_text().startswith("shard-")]
    return [int((t / "schedstat").read_text().split()[0]) / 1e9 for t in sorted(tasks)]


def test_connections_move_to_their_rows(launch):
    """One that keeps asking for rows of one bucket is served by the thread that has it, and is found there."""
    server = launch(options={**sql.OPTIONS, "eider.shards": "3"})
    connections = [sql.connect(server, prepare_threshold=0) for _ in range(6)]
    connections[0].execute("create table t (id int not null, v int, primary key (id)) with ('bucket.num' = '1')")
    connections[0].execute("insert into t select i, 2 * i from range(10) r(i)")

    def ask(times):
        for c in connections:
            for i in range(times):
                assert sql.rows(c, "select v from t where id = %b", (i % 10,)) == [(i % 10 * 2,)]

    ask(30)
    before = shard_seconds(server)
    ask(200)
    used = sorted(after - b for after, b in zip(shard_seconds(server), before, strict=True))
    assert used[-2] < used[-1] / 5, used
    for c in connections[:3]:
        with sql.cancelled(c):
            c.execute(LONG)
    ask(10)
    connections[1].close()
    server.terminate()


def test_statement_timeout(server):
    with sql.connect(server) as c:
        c.execute("set statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            c.execute(LONG)
        c.execute("reset statement_timeout")
        assert sql.one(c, "select 1") == 1


def send_queries(c, count):
    """So many Query messages, without a look at the answers."""
    text = LONG.encode() + b"\0"
    os.write(c.pgconn.socket, (b"Q" + struct.pack(">i", len(text) + 4) + text) * count)


def cpu_share(server, seconds=0.5):
    """How much of a processor it takes."""
    used = []
    for wait in (seconds, 0):
        used.append(world.cpu_seconds(server))
        time.sleep(wait)
    return (used[1] - used[0]) / seconds


def test_a_stop_ends_queries(server):
    c = sql.connect(server)
    failed = []

    def ask():
        try:
            c.execute(LONG)
        except psycopg.Error as e:
            failed.append(e)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    server.terminate()
    asking.join(PATIENCE_S)
    assert failed


def test_a_stop_ends_queries_that_wait(server):
    """They have come with the first: each would take long."""
    c = sql.connect(server)
    send_queries(c, 8)
    time.sleep(0.5)
    server.terminate()


@pytest.mark.parametrize("count", [1, 8])
def test_a_client_that_vanishes_ends_its_queries(server, count):
    c = sql.connect(server)
    before = world.cpu_seconds(server)
    send_queries(c, count)
    patience.until(lambda: world.cpu_seconds(server) > before + 0.2, "the queries do not run")
    c.pgconn.finish()
    with sql.connect(server) as other:
        assert sql.one(other, "select 1") == 1
    patience.until(lambda: cpu_share(server, 1) <= 0.05, "the queries go on")


# ---- without ----


def test_without_the_library_everything_else_works(launch):
    server = launch(options={**sql.OPTIONS, "eider.sql.library": "/nowhere/libduckdb.so"})
    with pytest.raises(psycopg.OperationalError, match="cannot be loaded"):
        sql.connect(server)
    server.check()


def test_a_taken_port_only_matters_when_it_was_asked_for(server, tmp_path):
    other = process.Server(tmp_path / "other", options={"postgres.listeners": server.info["postgres"]})
    with pytest.raises(AssertionError, match="in use"):
        other.start()


def test_none_listens_nowhere(launch):
    assert "postgres" not in launch(options={"postgres.listeners": "none"}).info
