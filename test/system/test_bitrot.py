"""What happens to data that decays: bits that flip, sectors that are zeroed or change places.

A data directory is made once, by a server that is then stopped or killed. Each seed damages a copy of
it, checks that with `eider verify`, starts a server on it and reads everything, whole and projected.
Nothing that was not written is ever served, no offset is given to another row, at most the batches
that were hit are lost, and whatever is lost is reported by both.
"""

import json
import random
import shutil
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
from bitrot import rot
from harness import batches, process, tables, wire
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.own_server

BUCKETS, BATCHES = 2, 120
SECTOR = 512
OPTIONS = {
    "log.segment.file-size": "16kb",
    "log.index.interval-size": "1kb",
    "log.replica.high-watermark.checkpoint-interval": "50 ms",
    "eider.shards": "1",
}
ID_ONLY = pa.schema([("id", pa.int32())])


@dataclass
class Written:
    """A data directory and what is in it."""

    directory: Path
    clean: bool
    ends: dict = field(default_factory=dict)  # bucket -> offset
    stored: dict = field(default_factory=dict)  # data file -> [(from, to, bucket, base offset)]

    def hit(self, path, start, end):
        """Buckets and base offsets of the batches that have bytes there."""
        return {(b, base) for s, e, b, base in self.stored.get(path, ()) if s < end and e > start}


def rows_at(bucket, offset, count):
    return tables.small_rows(bucket * 1_000_000 + offset, count)


def write(server, written):
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL, buckets=BUCKETS)
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    chance = random.Random(1)
    for bucket in range(BUCKETS):
        offset = 0
        for sequence in range(BATCHES):
            # a sector of one batch in the place of another of the same length would go unseen
            count = 1 + sequence % 40 + chance.randrange(3)
            idempotent = {"writer_id": writer, "sequence": sequence} if bucket else {}
            batch = batches.arrow_batch(rows_at(bucket, offset, count), **idempotent)
            assert table.append(batch, bucket=bucket) == offset
            offset += count
        written.ends[bucket] = offset
    cluster.close()


def await_recovery_points(directory, ends):
    """Until the checkpoint says that everything was synced: what decays is then no crash's work."""
    path = directory / "recovery-point-offset-checkpoint"
    deadline = time.monotonic() + PATIENCE_S
    while True:
        lines = path.read_text().split("\n")[2:] if path.exists() else []
        reached = {int(line.split()[1]): int(line.split()[2]) for line in lines if line}
        if reached == ends:
            return
        assert time.monotonic() < deadline, f"recovery points {reached}, expected {ends}"
        time.sleep(0.02)


def locate(written):
    for path in sorted(written.directory.rglob("*.log")):
        data, at = path.read_bytes(), 0
        name = str(path.relative_to(written.directory))
        bucket = int(path.parent.name.removeprefix("log-"))
        written.stored[name] = []
        while at < len(data):
            base, size = struct.unpack_from("<qi", data, at)
            written.stored[name].append((at, at + size + 12, bucket, base))
            at += size + 12


@pytest.fixture(scope="module", params=["terminate", "kill"])
def written(request, tmp_path_factory):
    work = tmp_path_factory.mktemp(f"bitrot-{request.param}")
    options = {**OPTIONS, "log.flush.offset.checkpoint-interval": "50 ms"}
    server = process.Server(work, options=options).start()
    written = Written(server.data_dir, request.param == "terminate")
    write(server, written)
    await_recovery_points(server.data_dir, written.ends)
    getattr(server, request.param)()
    locate(written)
    assert verify(server.data_dir)[0] == 0
    return written


# ---- damage ----


class Damage:
    """Damages files of a copy and knows which batches that hits."""

    def __init__(self, written, directory, chance):
        self.written, self.directory, self.chance = written, directory, chance
        self.lost = set()
        self.changed = []

    def witnessed(self):
        """Whether something still says how long the logs were; of a killed server only one file does."""
        return self.written.clean or not any(c.startswith("recovery-point") for c in self.changed)

    def some_file(self):
        files = [p for p in sorted(self.directory.rglob("*")) if p.is_file() and p.stat().st_size]
        # the larger half of the time where the records are
        logs = [p for p in files if p.suffix == ".log"]
        return self.chance.choice(logs if self.chance.random() < 0.5 else files)

    def put(self, path, position, new):
        data = bytearray(path.read_bytes())
        if data[position : position + len(new)] == new:
            return
        data[position : position + len(new)] = new
        path.write_bytes(data)
        name = str(path.relative_to(self.directory))
        self.changed.append(f"{name}:{position}+{len(new)}")
        self.lost |= self.written.hit(name, position, position + len(new))

    def flip(self):
        path = self.some_file()
        data = path.read_bytes()
        at = self.chance.randrange(len(data))
        self.put(path, at, bytes([data[at] ^ 1 << self.chance.randrange(8)]))

    def sectors(self, path):
        size = path.stat().st_size
        start = self.chance.randrange(size) // SECTOR * SECTOR
        return start, min(SECTOR, size - start)

    def zero(self):
        path = self.some_file()
        start, size = self.sectors(path)
        self.put(path, start, bytes(size))

    def swap(self):
        path = self.some_file()
        (a, size_a), (b, size_b) = self.sectors(path), self.sectors(path)
        size = min(size_a, size_b)
        data = path.read_bytes()
        if a != b:
            self.put(path, a, data[b : b + size])
            self.put(path, b, data[a : a + size])


KINDS = ["flip", "flip", "zero", "swap"]


# ---- what comes of it ----


def verify(directory):
    done = process.run("verify", directory, "--json", "--threads=1")
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)["findings"]


def read(table, bucket, end, columns=None):
    """All batches that are served, by base offset."""
    offset, found = 0, {}
    while offset < end:
        answer = table.fetch(offset=offset, bucket=bucket, bucket_bytes=20_000, columns=columns)
        assert not answer.HasField("error_code"), answer
        got = batches.split(answer.records, whole=True)
        for batch in got:
            assert batch.base_offset >= offset, "offsets go back"
            found[batch.base_offset] = batch
            offset = batch.next_offset
        if not got:
            break  # the end is lost
    return found


def check_bucket(table, bucket, damage):
    end = damage.written.ends[bucket]
    whole, ids = read(table, bucket, end), read(table, bucket, end, columns=[0])
    for base, batch in whole.items():
        assert batch.crc_valid
        assert batch.table(table.schema).equals(rows_at(bucket, base, batch.count)), f"rows at {base}"
    for base, batch in ids.items():
        assert batch.table(ID_ONLY)["id"].equals(rows_at(bucket, base, batch.count)["id"]), f"ids at {base}"
    assert ids.keys() == whole.keys()
    expected = {base for f in damage.written.stored.values() for _, _, b, base in f if b == bucket}
    assert whole.keys() <= expected
    return {(bucket, base) for base in expected - whole.keys()}


def check_served(server, damage):
    """Reads everything; returns what is not there any more."""
    cluster = wire.Cluster(server.address)
    table = tables.Table(cluster, "fluss", "t", tables.SMALL_ARROW).open()
    lost = set()
    for bucket, end in damage.written.ends.items():
        lost |= check_bucket(table, bucket, damage)
        after = table.append(batches.arrow_batch(rows_at(bucket, 0, 1)), bucket=bucket)
        assert after >= end or not damage.witnessed(), "an acknowledged offset is given to another row"
    cluster.close()
    server.check()
    return lost


def catalog_lost_its_end(server):
    """After a kill, a sector at the end of the catalog's journal that is gone looks like a write cut short."""
    return "are no whole transaction" in server.stderr()


def copy(written, tmp_path):
    directory = tmp_path / "data"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(written.directory, directory)
    return directory


def survive(written, tmp_path, seed, kinds):
    """One copy, damaged and served; returns what was hit, what is lost, and what was found."""
    chance = random.Random(seed)
    damage = Damage(written, copy(written, tmp_path), chance)
    for kind in kinds:
        getattr(damage, kind)()
    code, findings = verify(damage.directory)
    server = process.Server(tmp_path / f"server-{seed}", options=OPTIONS, data_dir=damage.directory)
    lost = set()
    if rot.start(server):
        try:
            if not catalog_lost_its_end(server):
                lost = check_served(server, damage)
        finally:
            server.kill() if server.running() else None
        if lost and damage.witnessed():
            assert "are lost" in server.stderr(), "the server does not say that records are lost"
    assert not catalog_lost_its_end(server) or not written.clean or len(kinds) > 1
    if catalog_lost_its_end(server) or "cannot start: " in server.stderr():
        assert any("/meta/" in f["path"] for f in findings), "refused, and verify finds nothing"
    assert not lost or code == 1, "verify does not say that records are lost"
    shutil.rmtree(server.workdir, ignore_errors=True)
    return damage, lost, findings


def rounds(written, tmp_path, seeds, kinds_of):
    for seed in seeds:
        try:
            yield survive(written, tmp_path, seed, kinds_of(seed))
        except BaseException:
            print(f"seed {seed} of {'a stopped' if written.clean else 'a killed'} server")
            raise


def one_damage(written, tmp_path, seeds):
    """At most what was hit is lost; whatever was hit is found."""
    missed = []
    for damage, lost, findings in rounds(written, tmp_path, seeds, lambda seed: [KINDS[seed % 4]]):
        assert lost <= damage.lost, f"{damage.changed}: more is lost than was hit"
        if damage.lost and not findings:
            missed.append(damage.changed)
    # a timestamp that stays between its neighbours cannot be told from a right one
    assert len(missed) <= 1 + len(seeds) // 20, missed


def many_damages(written, tmp_path, seeds, kinds):
    for damage, _, findings in rounds(written, tmp_path, seeds, lambda _: kinds):
        assert findings or not damage.lost


@pytest.mark.timeout(300)
def test_one_damage_costs_one_batch(written, tmp_path):
    one_damage(written, tmp_path, range(24))


@pytest.mark.timeout(300)
def test_many_damages_at_once(written, tmp_path):
    many_damages(written, tmp_path, range(1000, 1004), KINDS * 5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_one_damage_costs_one_batch_four_hundred_times(written, tmp_path):
    one_damage(written, tmp_path, range(10_000, 10_400))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thousands_of_flipped_bits(written, tmp_path):
    many_damages(written, tmp_path, range(20_000, 20_100), ["flip"] * 50)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_hundreds_of_lost_sectors(written, tmp_path):
    many_damages(written, tmp_path, range(30_000, 30_100), ["zero", "swap"] * 3)


def decay(seed, flips, sectors):
    counts, silent, failed = rot.campaign(seed, flips, sectors)
    print({area: dict(count) for area, count in counts.items()}, silent)
    assert not failed, "\n".join(failed)


@pytest.mark.timeout(300)
def test_every_kind_of_file_decays():
    decay("few", 200, 40)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_kind_of_file_decays_ten_thousand_times():
    decay("many", 10_000, 1000)
