"""A machine that goes wrong under the server: memory, disk, inodes, descriptors, time, the processor.

Each test has a bound for what clients notice, sees that what was acknowledged stays, and that the server
recovers by itself when the cause is gone.
"""

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from harness import batches, kv, patience, process, tables, wire, world
from harness.patience import PATIENCE_S

pytestmark = [pytest.mark.own_server, pytest.mark.timeout(300)]

MB = 1 << 20
RETRIABLE = {10, 26}  # LOG_STORAGE_EXCEPTION, KV_STORAGE_EXCEPTION


class Producer(threading.Thread):
    """Appends one batch after the other, each once, until told to stop; remembers what was acknowledged."""

    def __init__(self, address, table_id, bucket=0, rows=5, pause_s=0.0, connection=None):
        super().__init__(daemon=True)
        self.connection = connection or wire.Connection(address, timeout=2 * PATIENCE_S)
        self.table = tables.Table(None, "fluss", "t")
        self.table.id, self.bucket, self.rows, self.pause_s = table_id, bucket, rows, pause_s
        self.acked, self.refused, self.took, self.failure = {}, [], [], None
        self.stopping, self.going, self.resting = threading.Event(), threading.Event(), threading.Event()
        self.going.set()

    def run(self):
        number = 0
        try:
            while not self.stopping.is_set():
                if not self.going.is_set():
                    self.resting.set()
                    self.going.wait()
                    self.resting.clear()
                batch = batches.arrow_batch(tables.small_rows(number, self.rows))
                began = time.monotonic()
                answer = self.table.produce(batch, self.connection, bucket=self.bucket, timeout_ms=60_000)
                self.took.append(time.monotonic() - began)
                if answer.HasField("error_code"):
                    self.refused.append(answer.error_code)
                    time.sleep(0.02)
                else:
                    self.acked[answer.base_offset] = number
                    number += self.rows
                time.sleep(self.pause_s)
        except Exception as e:
            self.failure = e

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(PATIENCE_S)
        self.connection.close()

    @contextlib.contextmanager
    def at_rest(self):
        """Meanwhile no append is under way."""
        self.going.clear()
        try:
            assert self.resting.wait(PATIENCE_S), repr(self.failure)
            yield
        finally:
            self.going.set()

    def check(self, table):
        """Everything acknowledged is there, in its place, and nothing twice."""
        assert self.failure is None, repr(self.failure)
        end, at, found = table.offset(1, self.bucket), 0, {}
        while at < end:
            for batch in batches.split(table.records(offset=at, bucket=self.bucket, bucket_bytes=8 * MB)):
                assert batch.base_offset == at
                found[at] = batch.table(tables.SMALL_ARROW).column(0)[0].as_py()
                at = batch.next_offset
        assert self.acked.items() <= found.items(), "an acknowledged batch is missing or elsewhere"
        assert len(set(found.values())) == len(found), "a batch is doubled"


def make(server, name="t", **options):
    cluster = wire.Cluster(server.address)
    return tables.Table.create(cluster, "fluss", name, tables.SMALL, tables.SMALL_ARROW, **options)


def again(server, name="t"):
    cluster = wire.Cluster(server.address)
    return tables.Table(cluster, "fluss", name, tables.SMALL_ARROW).open()


def progress(producer, count):
    """Until so many more batches are acknowledged."""
    target = len(producer.acked) + count
    patience.until(
        lambda: len(producer.acked) >= target or producer.failure,
        lambda: f"no progress: {len(producer.acked)} acknowledged, refused {producer.refused[-3:]}",
    )
    assert producer.failure is None, repr(producer.failure)


# ---- memory ----


@pytest.fixture
def memory_limit():
    """limit(pid, bytes): puts a process into a control group of its own."""
    places = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]
    place = next((p for p in places if (p / "memory.limit_in_bytes").exists()), None)
    name = "memory.limit_in_bytes" if place else "memory.max"
    group = (place or places[1]) / f"eider-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / name).write_text(str(1 << 30))
    except OSError as e:
        pytest.skip(f"no control group for memory can be made here: {e}")

    def limit(pid, size):
        (group / name).write_text(str(size))
        (group / "cgroup.procs").write_text(str(pid))

    yield limit
    patience.until(lambda: not (group / "cgroup.procs").read_text(), "processes are left")
    group.rmdir()


def test_a_hundred_megabytes_are_enough_under_load(memory_limit, launch):
    if world.sanitized():
        pytest.skip("the bound is that of a build without sanitizers")
    options = {"eider.memory.budget": "24mb", "eider.kv.memory": "16mb", "kv.snapshot.interval": "500ms"}
    server = launch(options=options)
    memory_limit(server.pid, 100 * MB)
    table = make(server, buckets=4)
    rows = kv.KvTable.create(
        table.cluster, "fluss", "k", {"id": tables.INT, "v": tables.STRING}, ["id"], buckets=1
    )
    big = pa.record_batch(
        [pa.array([1], pa.int32()), pa.array([os.urandom(1 << 20).hex()]), pa.array([0.0])],
        schema=tables.SMALL_ARROW,
    )
    packed = batches.pack(batches.arrow_message(big), 1)
    puts = [
        rows.batch(*[[k, f"{k}" * 50] for k in range(first, first + 200)]) for first in range(0, 4000, 200)
    ]
    with Producer(server.address, table.id) as producer:
        end = time.monotonic() + 2
        peers = [table.cluster.connect() for _ in range(8)]
        while time.monotonic() < end:  # 16 MB of writes at once, more than the budget with what is read
            sent = [
                (p, p.send("PRODUCE_LOG", **table.produce_fields(packed, 1 + n % 3, timeout_ms=60_000)))
                for n, p in enumerate(peers)
            ]
            put = [
                (p, p.send("PUT_KV", **rows.put_fields(batch, timeout_ms=60_000)))
                for p, batch in zip(peers * 3, puts)
            ]
            for peer, request in sent:
                answer = peer.result("PRODUCE_LOG", request).buckets_resp[0]
                assert not answer.HasField("error_code"), answer
            for peer, request in put:
                answer = peer.result("PUT_KV", request).buckets_resp[0]
                assert not answer.HasField("error_code"), answer
            for peer in peers:
                peer.call("FETCH_LOG", **table.fetch_fields(bucket=1, bucket_bytes=4 * MB))
        for peer in peers:
            peer.close()
    server.check()
    producer.check(table)
    assert rows.lookup((17,)) == [rows.value(17, "17" * 50)]


# ---- disk ----


@pytest.fixture
def few_inodes(tmp_path):
    place = tmp_path / "inodes"
    world.mount(place, "-t", "tmpfs", "-o", "size=64m,nr_inodes=120", "tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_without_inodes(launch, few_inodes):
    """New tables cannot get their files; those that exist go on, and all do when there are inodes again."""
    ballast = [few_inodes / f"ballast-{i}" for i in range(40)]
    for path in ballast:
        path.touch()
    server = launch(data_dir=few_inodes / "data")
    table = make(server)
    refused = []
    with Producer(server.address, table.id, pause_s=0.005) as producer:
        progress(producer, 5)
        for number in range(60):
            body = tables.json.dumps(tables.descriptor(tables.SMALL)).encode()
            path = tables.path("fluss", f"t{number}")
            call = {"table_path": path, "table_json": body, "ignore_if_exists": False}
            if table.cluster.coordinator.ask("CREATE_TABLE", **call).kind != wire.OK:
                break
            other = tables.Table(table.cluster, "fluss", path["table_name"])
            other._ready(partitioned=True)
            answer = other.produce(batches.arrow_batch(tables.small_rows(0, 1)))
            if answer.HasField("error_code"):
                refused.append((other, answer.error_code))
        assert refused and {code for _, code in refused} <= RETRIABLE, refused
        progress(producer, 10)
        server.check()
        for path in ballast:
            path.unlink()
        patience.until(lambda: appended(refused[0][0]), f"{refused[0][0].path} has no files")
    producer.check(table)


def appended(table):
    answer = table.produce(batches.arrow_batch(tables.small_rows(0, 1)))
    return not answer.HasField("error_code")


def test_a_disk_that_becomes_read_only(launch, disk_image):
    """As after an error that the file system met: writes are refused and reads go on, until a restart.

    Nothing is being written when it happens: of a fdatasync that is under way while ext4 aborts its journal the
    kernel (6.18) sometimes says that it succeeded, and what it was for is gone (test/faults/abort_ext4.py shows it).
    """
    server = launch(data_dir=disk_image.place / "data")
    table = make(server)
    with Producer(server.address, table.id) as producer, world.Watcher(server.address) as watcher:
        progress(producer, 20)
        with producer.at_rest():
            subprocess.run(["mount", "-o", "remount,abort", str(disk_image.place)], capture_output=True)
        acked = len(producer.acked)
        patience.until(lambda: producer.refused, "writes are taken by a read-only disk")
        assert set(producer.refused) <= RETRIABLE
    assert len(producer.acked) == acked
    watcher.check()
    producer.check(table)
    server.check()
    table.cluster.close()
    server.kill()
    disk_image.umount()
    disk_image.mount()
    server.start()
    table = again(server)
    producer.check(table)
    with Producer(server.address, table.id) as more:
        progress(more, 5)
    table.cluster.close()
    server.finish()


def slow_disk(launch, tmp_path, seconds):
    """Acknowledgements wait, and nothing else does."""
    around = world.World(tmp_path)
    server = launch(environment=around.environment)
    table = make(server)
    rows = kv.KvTable.create(table.cluster, "fluss", "k", {"id": tables.INT}, ["id"], buckets=1)
    rows.write([1])
    table.append(batches.arrow_batch(tables.small_rows(0, 1)))

    def look(connection):
        assert rows.lookup((1,), connection=connection)[0] is not None
        assert len(table.records(connection=connection))

    around.set(world.SYNC_MS, int(seconds * 1000))
    with Producer(server.address, table.id, rows=1) as producer:
        with world.Watcher(server.address, look) as watcher:
            time.sleep(2.5 * seconds)
        around.set(world.SYNC_MS, 0)
        progress(producer, 20)
    assert max(producer.took) > 0.5 * seconds, "the disk was not slow"
    assert not producer.refused
    watcher.check()
    first = producer.acked.pop(min(producer.acked))
    assert first == 0
    server.check()


def test_a_disk_that_takes_a_second(launch, tmp_path):
    slow_disk(launch, tmp_path, 1)


@pytest.mark.slow
def test_a_disk_that_takes_ten_seconds(launch, tmp_path):
    slow_disk(launch, tmp_path, 10)


# ---- descriptors, time, the processor ----


def test_no_descriptors_are_left(launch):
    """Those who are connected go on; the others get their turn when there is room. Waiting costs nothing."""
    server = launch()
    table = make(server)
    used = world.descriptors(server)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 40, used + 40))
    host, port = server.address.rsplit(":", 1)
    with Producer(server.address, table.id, pause_s=0.01) as producer:
        progress(producer, 5)
        peers = [wire.socket.create_connection((host, int(port)), PATIENCE_S) for _ in range(120)]
        patience.until(lambda: world.descriptors(server) >= used + 38, "descriptors are left")
        progress(producer, 10)
        with producer.at_rest():
            cpu, began = world.cpu_seconds(server), time.monotonic()
            time.sleep(1.5)
            assert world.cpu_seconds(server) - cpu < 0.5 * (time.monotonic() - began), "it spins"
        progress(producer, 10)
        for peer in peers:
            peer.close()
        with wire.Connection(server.address) as late:
            late.hello()
    server.check()
    producer.check(table)


def test_a_clock_that_jumps(launch, tmp_path):
    """Ahead, back, to the year 1971 and home: time in the log does not fall, nothing expires."""
    around = world.World(tmp_path)
    options = {"log.retention.check-interval": "100ms", "log.segment.file-size": "16kb"}
    server = launch(options=options, environment=around.environment)
    table = make(server)
    with Producer(server.address, table.id) as producer, world.Watcher(server.address) as watcher:
        for jump in (3600, -86_400, 3600 * 5, -int(time.time()) + 40_000_000, 0):
            around.set(world.CLOCK_S, jump)
            progress(producer, 20)
        for number in range(100):  # and to and fro
            around.set(world.CLOCK_S, (-1) ** number * 3600)
            time.sleep(0.005)
        around.set(world.CLOCK_S, 0)
        progress(producer, 20)
    watcher.check()
    producer.check(table)
    parked = table.cluster.tablet
    began = time.monotonic()
    parked.call("FETCH_LOG", **table.fetch_fields(offset=table.offset(1), wait_ms=300, min_bytes=1))
    assert 0.2 < time.monotonic() - began < 60, "a long poll follows another clock"
    stamps, at = [], 0
    while at < table.offset(1):
        for batch in batches.split(table.records(offset=at, bucket_bytes=8 * MB)):
            stamps.append(batch.timestamp)
            at = batch.next_offset
    assert stamps == sorted(stamps), "time falls within a log"
    assert table.offset(0) == 0, "something expired"
    table.cluster.close()
    server.terminate()
    done = process.run("verify", server.data_dir)
    assert done.returncode == 0, done.stdout + done.stderr
    server.start()
    producer.check(again(server))


def stopped(launch, seconds):
    """SIGSTOP: clients wait, and lose nothing."""
    server = launch()
    table = make(server)
    with Producer(server.address, table.id) as producer:
        progress(producer, 10)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        progress(producer, 20)
        assert not producer.refused
    assert max(producer.took) > 0.9 * seconds
    producer.check(table)
    server.check()


def test_a_process_that_stands_still(launch):
    stopped(launch, 2)


@pytest.mark.slow
def test_a_process_that_stands_still_for_a_minute(launch):
    stopped(launch, 60)
