"""What survives: clean stops, kill -9 under load, and a disk that fills up.

An acknowledged row is there after a restart, exactly once, and the server starts by itself.
"""

import asyncio
import os
import random
import threading
import time
from pathlib import Path

import fluss
import pyarrow as pa
import pytest
from harness import batches, patience, streams, tables, wire
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.own_server

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string())])


async def connect(server):
    config = fluss.Config({"bootstrap.servers": server.address})
    return await fluss.FlussConnection.create(config)


def rows(ids):
    return pa.table({"id": pa.array(ids, pa.int64()), "text": [f"row {i}" for i in ids]}, schema=SCHEMA)


async def test_a_restart_keeps_data_and_catalogue(launch):
    server = launch()
    client = await connect(server)
    table = await streams.make(client, "fluss", SCHEMA, bucket_count=3, comment="kept")
    await streams.append_table(table, rows(range(1000)))
    await client.close()
    for stop in (server.terminate, server.kill, server.terminate):
        stop()
        server.start()
        client = await connect(server)
        info = await client.get_admin().get_table_info(fluss.TablePath("fluss", "t"))
        assert (info.comment, info.num_buckets) == ("kept", 3)
        table = await client.get_table(fluss.TablePath("fluss", "t"))
        found = await streams.read(table)
        assert sorted(found["id"].to_pylist()) == list(range(1000))
        await client.close()


def test_everything_of_the_catalogue_survives(launch):
    server = launch()
    cluster = wire.Cluster(server.address)
    cluster.coordinator.call("CREATE_DATABASE", database_name="second", ignore_if_exists=False)
    table = tables.Table.create(
        cluster, "second", "p", {"id": tables.INT, "k": tables.STRING}, partition_key=["k"], custom={"a": "b"}
    )
    first = table.add_partition(k="one")
    table.add_partition(k="two")
    gone = tables.Table.create(cluster, "second", "gone", tables.SMALL)
    cluster.coordinator.call("DROP_TABLE", table_path=gone.path, ignore_if_not_exists=False)
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    before = table.info()
    cluster.close()
    server.kill()
    server.start()
    cluster = wire.Cluster(server.address)
    again = tables.Table(cluster, "second", "p").open(partitioned=True)
    assert again.info() == before
    assert again.open_partition("one") == first
    assert list(cluster.coordinator.call("LIST_TABLES", database_name="second").table_name) == ["p"]
    assert cluster.tablet.call("INIT_WRITER").writer_id > writer
    assert tables.Table.create(cluster, "second", "new", tables.SMALL).id > gone.id
    assert again.add_partition(k="three") > again.open_partition("two")
    cluster.close()


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_writers_are_remembered(launch, how):
    server = launch()
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL)
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    sent = [batches.arrow_batch(tables.small_rows(i, 2), writer_id=writer, sequence=i) for i in range(6)]
    for batch in sent:
        table.append(batch)
    cluster.close()
    getattr(server, how)()
    server.start()
    cluster = wire.Cluster(server.address)
    table = tables.Table(cluster, "fluss", "t").open()
    assert table.append(sent[5]) == 10, "a duplicate after the restart"
    following = batches.arrow_batch(tables.small_rows(12, 2), writer_id=writer, sequence=6)
    assert table.append(following) == 12
    cluster.close()


def test_small_segments_and_restarts(launch):
    server = launch(options={"log.segment.file-size": "2kb", "log.index.interval-size": "1b"})
    for round_ in range(3):
        cluster = wire.Cluster(server.address)
        if round_ == 0:
            table = tables.Table.create(cluster, "fluss", "t", tables.SMALL)
        else:
            table = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
        for i in range(50):
            table.append(batches.arrow_batch(tables.small_rows(round_ * 500 + i * 10, 10)))
        cluster.close()
        (server.kill if round_ % 2 else server.terminate)()
        server.start()
    cluster = wire.Cluster(server.address)
    table = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
    offset, ids = 0, []
    while offset < 1500:
        found = batches.split(table.records(offset=offset, bucket_bytes=16 << 20))
        ids += [r["id"] for b in found for r in b.table(table.schema).to_pylist()]
        offset = found[-1].next_offset
    assert ids == list(range(1500))
    assert len(list(server.data_dir.rglob("*.log"))) > 10
    stamp = found[-1].timestamp
    assert table.offset(2, timestamp=stamp) >= 0
    cluster.close()


class Writer(threading.Thread):
    """Appends numbered rows over the raw protocol and notes which were acknowledged."""

    def __init__(self, address, table_id, bucket, first):
        super().__init__()
        self.address, self.table_id, self.bucket = address, table_id, bucket
        self.next = first
        self.acked = []

    def run(self):
        table = tables.Table(None, "fluss", "t")
        table.id = self.table_id
        try:
            with wire.Connection(self.address) as c:
                while True:
                    first, count = self.next, random.randrange(1, 50)
                    self.next += count
                    batch = batches.arrow_batch(tables.small_rows(first, count))
                    answer = table.produce(batch, connection=c, bucket=self.bucket)
                    assert not answer.HasField("error_code"), answer
                    self.acked.append((answer.base_offset, first, count))
        except (OSError, wire.Closed):
            pass


def all_rows(table, bucket):
    offset, end, found = 0, table.offset(1, bucket), {}
    while offset < end:
        for batch in batches.split(table.records(offset=offset, bucket=bucket, bucket_bytes=8 << 20)):
            assert batch.crc_valid and batch.base_offset == offset, "offsets without gaps"
            for i, row in enumerate(batch.table(table.schema).to_pylist()):
                found[batch.base_offset + i] = row["id"]
            offset = batch.next_offset
    return found


def kill_rounds(launch, rounds):
    server = launch()
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL, buckets=2)
    cluster.close()
    acked, first = {0: [], 1: []}, 0
    chance = random.Random(rounds)
    for _ in range(rounds):
        writers = [Writer(server.address, table.id, b, first + b * 10**6) for b in (0, 1)]
        for w in writers:
            w.start()
        time.sleep(chance.uniform(0.05, 0.4))
        patience.until(lambda: all(w.acked for w in writers), "nothing is acknowledged")
        server.kill()
        for w in writers:
            w.join()
            acked[w.bucket] += w.acked
        first += 2 * 10**6
        server.start()
        cluster = wire.Cluster(server.address)
        again = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
        for bucket in (0, 1):
            found = all_rows(again, bucket)
            for base, number, count in acked[bucket]:
                stored = [found.get(base + i) for i in range(count)]
                assert stored == list(range(number, number + count)), f"acknowledged at {base}"
            assert len(set(found.values())) == len(found), "a row is doubled"
        cluster.close()


@pytest.mark.timeout(300)
def test_kill_nine_under_load(launch):
    kill_rounds(launch, 5)


async def pyfluss_kill_rounds(launch, rounds):
    """The stock client goes on by itself: idempotent, so that its retries double nothing."""
    server = launch()
    client = await connect(server)
    table = await streams.make(client, "fluss", SCHEMA, bucket_count=2)
    writer = table.new_append().create_writer()
    acked, stop, unsure = set(), asyncio.Event(), []

    async def write():
        number = 0
        while not stop.is_set():
            handles = [(n, writer.append({"id": n, "text": f"row {n}"})) for n in range(number, number + 20)]
            number += 20
            for n, handle in handles:
                try:
                    await handle.wait()
                    acked.add(n)
                except fluss.FlussError:
                    unsure.append(n)

    task = asyncio.create_task(write())
    for _ in range(rounds):
        await asyncio.sleep(random.uniform(0.1, 0.4))
        server.kill()
        server.start()
        before, end = len(acked), time.monotonic() + PATIENCE_S
        while len(acked) <= before + 20 and not task.done():  # the client comes back by itself
            assert time.monotonic() < end, "the client does not come back"
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(task, PATIENCE_S)
    await client.close()
    client = await connect(server)
    found = await streams.read(await client.get_table(fluss.TablePath("fluss", "t")))
    await client.close()
    ids = found["id"].to_pylist()
    assert acked - set(ids) == set(), "acknowledged rows are missing"
    assert len(ids) == len(set(ids)), "rows are doubled"
    assert len(acked) > 20 * rounds


@pytest.mark.timeout(300)
async def test_kill_nine_during_a_pyfluss_append(launch):
    await pyfluss_kill_rounds(launch, 5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kill_nine_under_load_fifty_times(launch):
    kill_rounds(launch, 50)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_kill_nine_during_a_pyfluss_append_fifty_times(launch):
    await pyfluss_kill_rounds(launch, 50)


TAILS = {
    "garbage": lambda data: data + os.urandom(5000),
    "zeros": lambda data: data + bytes(70_000),
    "half a batch": lambda data: data[:-20],
    "a flipped bit": lambda data: data[:-10] + bytes([data[-10] ^ 1]) + data[-9:],
}


@pytest.mark.parametrize("kind", TAILS)
def test_a_damaged_tail_is_ordinary_input(launch, kind):
    server = launch()
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL)
    for i in range(10):
        table.append(batches.arrow_batch(tables.small_rows(i * 10, 10)))
    cluster.close()
    server.kill()
    (log,) = [p for p in server.data_dir.rglob("*.log") if p.stat().st_size]
    log.write_bytes(TAILS[kind](log.read_bytes()))
    server.start()
    cluster = wire.Cluster(server.address)
    table = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
    end = table.offset(1)
    assert end == (100 if kind in ("garbage", "zeros") else 90)
    assert list(all_rows(table, 0).values()) == list(range(end))
    assert table.append(batches.arrow_batch(tables.small_rows(end, 10))) == end
    cluster.close()
    server.check()


def test_lost_index_files_are_rebuilt(launch):
    server = launch()
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL)
    for i in range(200):
        table.append(batches.arrow_batch(tables.small_rows(i * 10, 10)))
    cluster.close()
    server.terminate()
    for path in [*server.data_dir.rglob("*.index"), *server.data_dir.rglob("*.timeindex")]:
        path.unlink()
    server.start()
    cluster = wire.Cluster(server.address)
    table = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
    assert list(all_rows(table, 0).values()) == list(range(2000))
    assert batches.split(table.records(offset=1555))[0].base_offset == 1550
    cluster.close()


def big_batch(first):
    text = random.Random(first).randbytes(500_000).hex()
    batch = pa.record_batch(
        [pa.array([first], pa.int32()), pa.array([text]), pa.array([0.0])], schema=tables.SMALL_ARROW
    )
    return batches.pack(batches.arrow_message(batch), 1)


def fill(table, first):
    """Appends until it is refused; returns how many were taken, and the refusal."""
    for number in range(first, first + 200):
        answer = table.produce(big_batch(number))
        if answer.HasField("error_code"):
            return number, answer
    raise AssertionError("64 MB took 200 MB")


RETRIABLE = {10, 26}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("restart", [False, True], ids=["", "restart while full"])
def test_a_full_disk(launch, small_disk, restart):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(24 << 20))
    server = launch(data_dir=small_disk / "data")
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL, schema=tables.SMALL_ARROW)
    taken, answer = fill(table, 0)
    assert answer.error_code in RETRIABLE, answer
    assert taken > 10
    server.check()
    assert table.produce(big_batch(taken)).error_code in RETRIABLE
    assert table.offset(1) == taken
    assert batches.split(table.records(offset=taken - 1))[0].crc_valid
    if restart:
        cluster.close()
        server.kill()
        server.start()
        cluster = wire.Cluster(server.address)
        table = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
        assert table.offset(1) == taken
    ballast.unlink()
    after = taken
    end = time.monotonic() + PATIENCE_S
    while after < taken + 5:
        answer = table.produce(big_batch(after))
        assert not answer.HasField("error_code") or answer.error_code in RETRIABLE
        after += not answer.HasField("error_code")
        assert time.monotonic() < end, "space is back but writing is not"
    found = all_rows(table, 0)
    assert list(found.values()) == list(range(after))
    cluster.close()
    server.finish()


@pytest.mark.timeout(300)
async def test_a_full_disk_under_a_stock_client(launch, small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(40 << 20))
    server = launch(data_dir=small_disk / "data")
    client = await connect(server)
    options = {"properties": {"table.log.arrow.compression.type": "NONE"}}
    table = await streams.make(client, "fluss", SCHEMA, **options)
    writer = table.new_append().create_writer()
    text = "x" * 1000
    handles = [writer.append({"id": i, "text": text}) for i in range(30_000)]
    flush = asyncio.ensure_future(writer.flush())
    await asyncio.sleep(3)
    server.check()
    Path(ballast).unlink()
    await asyncio.wait_for(asyncio.gather(flush, return_exceptions=True), PATIENCE_S)
    acked = set()
    for number, handle in enumerate(handles):
        try:
            await handle.wait()
            acked.add(number)
        except fluss.FlussError:
            pass
    found = await streams.read(table)
    ids = found["id"].to_pylist()
    assert acked - set(ids) == set() and len(ids) == len(set(ids))
    writer = table.new_append().create_writer()
    await writer.append({"id": 10**6, "text": "after"}).wait()
    await client.close()
    server.finish()
