"""`eider tables`, `eider describe` and `eider tail` as programs, with tables of the stock client."""

import json
import os
import select
import signal
import subprocess
import time

import fluss
import pyarrow as pa
import pytest
from harness import process, sql, streams
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


def rows(first, last):
    return pa.table({"id": range(first, last), "name": [f"n{i}" for i in range(first, last)]}, schema=SCHEMA)


def tool(server, *words, code=0):
    done = process.run(*words, "--server", server.address)
    assert done.returncode == code, done.stderr
    return done.stdout


class Tail:
    def __init__(self, server, table, *words):
        command = [str(process.binary()), "tail", table, "--server", server.address, "--sql", server.info["postgres"]]
        self.child = subprocess.Popen(
            [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=process.environment()
        )
        self.seen = b""

    def lines(self, count, seconds=PATIENCE_S):
        """Waits for at least so many lines."""
        end = time.monotonic() + seconds
        while self.seen.count(b"\n") < count and time.monotonic() < end:
            if select.select([self.child.stdout], [], [], 0.2)[0]:
                piece = os.read(self.child.stdout.fileno(), 65536)
                assert piece, self.child.stderr.read().decode()
                self.seen += piece
        assert self.seen.count(b"\n") >= count, self.seen
        return [json.loads(line) for line in self.seen.decode().splitlines()]

    def end(self):
        self.child.send_signal(signal.SIGINT)
        out, errors = self.child.communicate(timeout=PATIENCE_S)
        assert self.child.returncode == 0 and errors == b"", errors
        return out


def test_it_goes_on_after_a_lost_connection(server):
    server.options["postgres.listeners"] = server.info["postgres"]  # the same port again
    ids = 1
    with sql.connect(server) as c:
        c.execute("create table t (id bigint, name text) with ('bucket.num' = '1')")
        c.execute("insert into t values (0, 'first')")
    tail = Tail(server, "fluss.t", "--from", "earliest", "--columns", "id")
    tail.lines(1)  # without a connection to begin with it ends
    for end in (server.kill, server.terminate, server.kill):
        with sql.connect(server) as c:
            for _ in range(3):
                c.execute(f"insert into t select i, 'x' from range({ids}, {ids + 4000}) r(i)")
                ids += 4000
        end()  # while it may be reading them
        time.sleep(0.7)
        server.start()
    with sql.connect(server) as c:
        c.execute("insert into t values (%s, 'last')", [ids])
        assert sql.one(c, "select count(*) from t") == ids + 1
    assert [row["id"] for row in tail.lines(ids + 1)] == list(range(ids + 1))
    with sql.connect(server) as c:
        c.execute("drop table t; create table t (id bigint)")
    _, errors = tail.child.communicate(timeout=PATIENCE_S)
    assert tail.child.returncode == 1 and b"made anew" in errors
    assert b"goes on when the server is there again" in errors


async def test_a_log_table_is_followed(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=2)
    await streams.append_table(table, rows(0, 100))
    tail = Tail(server, f"{db}.t", "--from", "earliest", "--columns", "id, name")
    assert sorted(r["id"] for r in tail.lines(100)) == list(range(100))
    for i in range(100, 103):
        await streams.append_table(table, rows(i, i + 1))
        assert {"id": i, "name": f"n{i}"} in tail.lines(i + 1)
    assert len(tail.lines(103)) == 103
    tail.end()


async def test_conditions_offsets_and_limits(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=1)
    await streams.append_table(table, rows(0, 100))
    tail = Tail(server, f"{db}.t", "--from=offset:90", "--where", "id % 2 = 0 -- even", "--limit", "3")
    assert [(r["_log_offset"], r["id"]) for r in tail.lines(3)] == [(90, 90), (92, 92), (94, 94)]
    assert tail.child.wait(timeout=PATIENCE_S) == 0
    tail = Tail(server, f"{db}.t", "--from", "time:2020-01-01 00:00:00+00", "--limit", "100")
    assert len(tail.lines(100)) == 100
    assert tail.child.wait(timeout=PATIENCE_S) == 0
    tail = Tail(server, f"{db}.t", "--from", "earliest", "--limit", "2", "--format", "csv", "--columns=name")
    assert tail.child.communicate(timeout=PATIENCE_S)[0] == b"name\nn0\nn1\n"


async def test_changes_of_a_primary_key_are_followed(server, client, db):
    path = fluss.TablePath(db, "k")
    schema = fluss.Schema(pa.schema([pa.field("id", pa.int64(), False), ("name", pa.string())]), primary_keys=["id"])
    await client.get_admin().create_table(path, fluss.TableDescriptor(schema, bucket_count=1))
    table = await client.get_table(path)
    writer = table.new_upsert().create_writer()
    writer.upsert({"id": 1, "name": "a"})
    await writer.flush()
    tail = Tail(server, f"{db}.k", "--from", "earliest", "--columns", "_change_type,id,name")
    assert tail.lines(1) == [{"_change_type": "insert", "id": 1, "name": "a"}]
    writer.upsert({"id": 1, "name": "b"})
    await writer.flush()
    assert [r["_change_type"] for r in tail.lines(3)] == ["insert", "update_before", "update_after"]
    tail.end()


async def test_new_partitions_are_followed(server, client, db):
    path = fluss.TablePath(db, "p")
    descriptor = fluss.TableDescriptor(fluss.Schema(SCHEMA), partition_keys=["name"], bucket_count=1)
    await client.get_admin().create_table(path, descriptor)
    table = await client.get_table(path)
    await client.get_admin().create_partition(path, {"name": "x"}, False)
    await streams.append_table(table, pa.table({"id": [1], "name": ["x"]}, schema=SCHEMA))
    tail = Tail(server, f"{db}.p", "--from", "earliest", "--columns", "name")
    assert tail.lines(1) == [{"name": "x"}]
    await client.get_admin().create_partition(path, {"name": "y"}, False)
    await streams.append_table(table, pa.table({"id": [1], "name": ["y"]}, schema=SCHEMA))
    assert tail.lines(2) == [{"name": "x"}, {"name": "y"}]
    tail.end()


async def test_errors_are_told(server, client, db):
    await streams.make(client, db, SCHEMA)
    for words, code in (
        ([f"{db}.nothing"], 1),
        (["nothing"], 2),
        ([f"{db}.t", "--from", "when"], 2),
        ([f"{db}.t", "--format", "json"], 2),
        ([f"{db}.t", "--limit", "0"], 2),
        ([f"{db}.t", "--sql", "127.0.0.1:1"], 2),
    ):
        words = words if "--sql" in words else [*words, "--sql", server.info["postgres"]]
        assert process.run("tail", *words, "--server", server.address).returncode == code, words
    tail = Tail(server, f"{db}.t", "--where", "no_such_column = 1", "--from", "earliest")
    await streams.append_table(await client.get_table(fluss.TablePath(db, "t")), rows(0, 1))
    _, errors = tail.child.communicate(timeout=PATIENCE_S)
    assert tail.child.returncode == 1 and b"no_such_column" in errors


async def test_tables_and_one_of_them(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=2)
    await streams.append_table(table, rows(0, 10))
    listed = [json.loads(line) for line in tool(server, "tables", "--format", "jsonl").splitlines()]
    mine = [t for t in listed if t["database"] == db]
    assert [(t["table"], t["kind"], t["columns"], t["buckets"], t["partitions"]) for t in mine] == [("t", "log", 2, 2, None)]
    assert tool(server, "tables", db, "--format=csv").splitlines()[1].startswith(f"{db},t,log,")
    columns = [json.loads(line) for line in tool(server, "describe", f"{db}.t", "--format=jsonl").splitlines()]
    assert [(c["column"], c["type"]) for c in columns] == [("id", "BIGINT"), ("name", "STRING")]
    buckets = [json.loads(line) for line in tool(server, "describe", f"{db}.t", "--buckets", "--format=jsonl").splitlines()]
    assert [b["bucket"] for b in buckets] == [0, 1] and sum(b["next offset"] for b in buckets) == 10
    shown = tool(server, "describe", f"{db}.t")
    assert "a log table" in shown and "2 buckets" in shown and "│ id     │ BIGINT" in shown
    tool(server, "tables", "no_such", code=1)
    tool(server, "describe", f"{db}.no_such", code=1)
    assert process.run("tables", "--server", "127.0.0.1:1").returncode == 2
    assert process.run("describe").returncode == 2
