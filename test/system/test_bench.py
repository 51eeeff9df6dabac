"""The load generator, judged from outside: what it writes is read by the stock Python client."""

import json

import fluss
import pyarrow as pa
import pytest
from harness import process, streams

ROWS = 300  # per batch
BATCHES = 16  # different ones, then they repeat


def bench(mode, server, *options):
    done = process.run("bench", mode, "--server", server.address, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
async def test_what_it_writes_are_rows(server, client, db, compression):
    place = ("--database", db, "--table", "load")
    report = bench(
        "produce", server, *place, "--keep", "--rows", ROWS, "--requests", 20, "--idempotent",
        "--compression", compression,
    )
    assert report["rows"] == 20 * ROWS
    table = await client.get_table(fluss.TablePath(db, "load"))
    found = await streams.read(table)
    assert found.num_rows == 21 * ROWS  # one batch is sent before the clock starts
    expected = [i % (BATCHES * ROWS) for i in range(21 * ROWS)]
    assert found["id"].to_pylist() == expected
    assert found["seq"].to_pylist() == expected
    assert found["amount"].type == pa.decimal128(18, 2)
    assert found["event_time"].type == pa.timestamp("ms")
    first = found.slice(0, 1).to_pylist()[0]
    assert first["user_name"].startswith("user-") and len(first["note"]) == 40
    assert sum(c.null_count for c in found.columns) == 0
    for column in found.columns:
        for chunk in column.chunks:
            chunk.validate(full=True)


def test_what_it_reads_is_everything(server, db):
    place = ("--database", db, "--table", "load")
    bench("produce", server, *place, "--keep", "--rows", 1000, "--requests", 30, "--buckets", 3)
    whole = bench("fetch", server, *place, "--passes", 2)
    assert whole["rows"] == 2 * 33 * 1000 and whole["passes"] == 2
    some = bench("project", server, *place, "--columns", "0,8")
    assert some["rows"] == 33 * 1000
    assert some["bytes"] < whole["bytes"] / 10


def test_latencies(server, db):
    report = bench("latency", server, "--database", db, "--duration", "1s", "--warm", "200ms", "--rate", 200)
    assert report["rows"] == 200
    assert 0 < report["ack_p50_ms"] <= report["ack_p99_ms"] <= report["ack_max_ms"]
    assert 0 < report["arrival_p50_ms"] <= report["arrival_max_ms"]


async def test_what_it_upserts_are_rows(server, client, db):
    place = ("--database", db, "--table", "rows", "--keys", 3000)
    report = bench("upsert", server, *place, "--rows", 300, "--passes", 1, "--keep")
    assert report["rows"] == 3000
    table = await client.get_table(fluss.TablePath(db, "rows"))
    row = await table.new_lookup().create_lookuper().lookup([1234])
    assert row["id"] == 1234 and row["user_name"].startswith("user-") and len(row["note"]) == 40
    report = bench("lookup", server, *place, "--requests", 50, "--warm", "0s")
    assert report["rows"] == 50 * 128
    assert bench("limit", server, *place, "--limit", 700, "--requests", 3, "--warm", "0s")["rows"] == 2100


async def test_rows_of_an_id(server, client, db):
    place = ("--database", db, "--table", "items", "--keys", 3000, "--prefix-rows", 10)
    bench("upsert", server, *place, "--requests", 1, "--keep")
    table = await client.get_table(fluss.TablePath(db, "items"))
    rows = await table.new_lookup().lookup_by(["id"]).create_lookuper().lookup([77])
    assert [(row["id"], row["item"]) for row in rows] == [(77, i) for i in range(10)]
    report = bench("prefix", server, *place, "--requests", 5, "--keys-per-request", 20, "--warm", "0s")
    assert report["rows"] == 5 * 20 * 10


@pytest.mark.own_server
def test_usage_of_the_server(server, db):
    report = bench(
        "produce", server, "--database", db, "--rows", 1000, "--requests", 50,
        "--server-pids", server.info["pid"],
    )
    assert report["server_cpu_s"] > 0 and report["server_rss_peak_mib"] > 1
