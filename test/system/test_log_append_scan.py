"""Appending to log tables and reading them back with the stock Python client."""

import asyncio
import time

import fluss
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from harness import streams
from harness.patience import PATIENCE_S

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("score", pa.float64())])


def rows(first, count):
    ids = range(first, first + count)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": [None if i % 3 == 2 else f"name {i}" for i in ids],
            "score": [i / 8 for i in ids],
        },
        schema=SCHEMA,
    )


def by_id(table):
    return table.sort_by("id").combine_chunks()


async def test_rows(client, db):
    table = await streams.make(client, db, SCHEMA)
    writer = table.new_append().create_writer()
    expected = rows(0, 100).to_pylist()
    handles = [writer.append(row) for row in expected[:50]]
    handles += [writer.append(list(row.values())) for row in expected[50:]]
    await asyncio.gather(*[h.wait() for h in handles])
    assert (await streams.read(table)).to_pylist() == expected


async def test_arrow_batches(client, db):
    table = await streams.make(client, db, SCHEMA)
    writer = table.new_append().create_writer()
    for first in range(0, 1000, 100):
        await writer.write_arrow_batch(rows(first, 100).to_batches()[0]).wait()
    assert by_id(await streams.read(table)).equals(rows(0, 1000))


async def test_pandas(client, db):
    table = await streams.make(client, db, SCHEMA)
    frame = pd.DataFrame(
        {"id": range(500), "name": [f"n{i}" for i in range(500)], "score": np.arange(500) / 3}
    )
    writer = table.new_append().create_writer()
    writer.write_pandas(frame)
    await writer.flush()
    scanner = streams.subscribe(await table.new_scan().create_record_batch_log_scanner(), 1)
    found = await asyncio.wait_for(scanner.to_pandas(), PATIENCE_S)
    pd.testing.assert_frame_equal(found, frame, check_dtype=False)


async def test_an_empty_table(client, db):
    table = await streams.make(client, db, SCHEMA)
    found = await streams.read(table)
    assert found.num_rows == 0 and found.schema == SCHEMA


@pytest.mark.parametrize("columns", [[0], [2], [2, 0], ["name"], ["score", "name"], [0, 1, 2]], ids=str)
async def test_projection(client, db, columns):
    table = await streams.make(client, db, SCHEMA)
    await streams.append_table(table, rows(0, 1000))
    found = await streams.read(table, columns=columns)
    assert found.combine_chunks().equals(rows(0, 1000).select(columns).combine_chunks())


async def test_from_an_offset(client, db):
    table = await streams.make(client, db, SCHEMA)
    await streams.append_table(table, rows(0, 100))
    found = await streams.read(table, offset=37)
    assert found["id"].to_pylist() == list(range(37, 100))
    scanner = await table.new_scan().create_log_scanner()
    scanner.subscribe(0, 98)
    records = await streams.poll_rows(scanner, 2)
    assert [(r.offset, r.row["id"]) for r in records] == [(98, 98), (99, 99)]


async def test_from_a_timestamp(client, db):
    table = await streams.make(client, db, SCHEMA)
    await streams.append_table(table, rows(0, 10))
    await asyncio.sleep(0.05)
    middle = int(time.time() * 1000)
    await asyncio.sleep(0.05)
    await streams.append_table(table, rows(10, 10))
    path = fluss.TablePath(db, "t")
    offsets = await client.get_admin().list_offsets(path, [0], fluss.OffsetSpec.timestamp(middle))
    assert offsets == {0: 10}
    assert (await streams.read(table, offset=offsets[0]))["id"].to_pylist() == list(range(10, 20))


async def test_records_carry_offset_timestamp_and_kind(client, db):
    table = await streams.make(client, db, SCHEMA)
    before = time.time() * 1000
    await streams.append_table(table, rows(0, 10))
    records = await streams.poll_rows(await streams.row_scanner(table), 10)
    assert [r.offset for r in records] == list(range(10))
    assert all(before - 1000 < r.timestamp < before + 60_000 for r in records)
    assert all(r.change_type == fluss.ChangeType.AppendOnly for r in records)


async def test_a_tail_sees_what_comes(client, db):
    table = await streams.make(client, db, SCHEMA)
    scanner = await streams.row_scanner(table)
    assert list(await scanner.poll(200)) == []
    for i in range(5):
        await streams.append_table(table, rows(i * 3, 3))
        records = await streams.poll_rows(scanner, 3)
        assert [r.row["id"] for r in records] == list(range(i * 3, i * 3 + 3))


async def test_offsets_of_several_buckets(client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=4)
    for i in range(10):
        await streams.append_table(table, rows(i * 10, 10))
    path = fluss.TablePath(db, "t")
    admin = client.get_admin()
    ends = await admin.list_offsets(path, [0, 1, 2, 3], fluss.OffsetSpec.latest())
    assert sum(ends.values()) == 100
    starts = await admin.list_offsets(path, [0, 1, 2, 3], fluss.OffsetSpec.earliest())
    assert set(starts.values()) == {0}
    assert by_id(await streams.read(table)).equals(rows(0, 100))


async def test_bucket_keys_keep_equal_keys_together(client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=3, bucket_keys=["id"])
    for _ in range(3):
        writer = table.new_append().create_writer()
        for row in rows(0, 60).to_pylist():
            writer.append(row)
        await writer.flush()
    seen = {}
    for bucket in range(3):
        scanner = await table.new_scan().create_record_batch_log_scanner()
        scanner.subscribe(bucket, fluss.EARLIEST_OFFSET)
        found = await asyncio.wait_for(scanner.to_arrow(), PATIENCE_S)
        assert found.num_rows > 0
        for key in found["id"].to_pylist():
            seen.setdefault(key, []).append(bucket)
    assert sorted(seen) == list(range(60))
    assert all(len(b) == 3 and len(set(b)) == 1 for b in seen.values())


async def test_limit_scan(client, db):
    table = await streams.make(client, db, SCHEMA)
    await streams.append_table(table, rows(0, 100))
    bucket = fluss.TableBucket(table.get_table_info().table_id, 0)
    for limit, first in ((1, 99), (7, 93), (100, 0), (1000, 0)):
        found = await table.new_scan().limit(limit).create_bucket_batch_scanner(bucket).to_arrow()
        assert found["id"].to_pylist() == list(range(first, 100))
    projected = table.new_scan().project([2]).limit(3).create_bucket_batch_scanner(bucket)
    assert (await projected.to_arrow()).to_pylist() == [{"score": i / 8} for i in (97, 98, 99)]


async def test_large_batches(client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=2)
    big = rows(0, 300_000)
    await streams.append_table(table, big)
    assert by_id(await streams.read(table)).equals(big.combine_chunks())
    found = await streams.read(table, columns=[0])
    assert sorted(found["id"].to_pylist()) == list(range(300_000))


async def test_large_values(client, db):
    table = await streams.make(client, db, SCHEMA)
    names = ["x" * 1_500_000, "", "ü" * 100_000, None]
    data = pa.table({"id": pa.array(range(4), pa.int64()), "name": names, "score": [0.0] * 4}, schema=SCHEMA)
    writer = table.new_append().create_writer()
    for batch in data.to_batches(max_chunksize=1):
        await writer.write_arrow_batch(batch).wait()
    assert (await streams.read(table)).equals(data)


async def test_many_clients(server, client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=4)

    async def work(worker):
        connection = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": server.address}))
        mine = await connection.get_table(fluss.TablePath(db, "t"))
        for i in range(5):
            await streams.append_table(mine, rows(worker * 1000 + i * 10, 10))
        await connection.close()

    await asyncio.gather(*[work(w) for w in range(12)])
    found = await streams.read(table)
    expected = [w * 1000 + i for w in range(12) for i in range(50)]
    assert sorted(found["id"].to_pylist()) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"writer.acks": "0"},
        {"writer.acks": "1"},
        {"writer.acks": "all"},
    ],
    ids=lambda s: "-".join(s.values()),
)
async def test_acks_without_idempotence(server, client, db, settings):
    await streams.make(client, db, SCHEMA)
    config = fluss.Config({"bootstrap.servers": server.address, **settings})
    config.writer_enable_idempotence = False
    connection = await fluss.FlussConnection.create(config)
    table = await connection.get_table(fluss.TablePath(db, "t"))
    await streams.append_table(table, rows(0, 100))
    records = await streams.poll_rows(await streams.row_scanner(table), 100)
    await connection.close()
    assert [r.row["id"] for r in records] == list(range(100))


@pytest.mark.parametrize("kind", ["NONE", "LZ4_FRAME", "ZSTD"])
async def test_compression(client, db, kind):
    options = {"properties": {"table.log.arrow.compression.type": kind}}
    table = await streams.make(client, db, SCHEMA, **options)
    await streams.append_table(table, rows(0, 5000))
    assert (await streams.read(table)).combine_chunks().equals(rows(0, 5000))
    found = await streams.read(table, columns=[1])
    assert found.combine_chunks().equals(rows(0, 5000).select([1]).combine_chunks())


async def test_the_lazy_reader(client, db):
    table = await streams.make(client, db, SCHEMA)
    await streams.append_table(table, rows(0, 1000))
    scanner = streams.subscribe(await table.new_scan().create_record_batch_log_scanner(), 1)
    found = await asyncio.to_thread(lambda: scanner.to_arrow_batch_reader().read_all())
    assert found.combine_chunks().equals(rows(0, 1000))
