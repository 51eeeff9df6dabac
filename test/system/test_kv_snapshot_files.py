"""Snapshots of primary-key tables in remote storage: made, kept, swept, started from, read by others."""

import random
import shutil
import time

import pytest
from harness import java, patience, snapshots, wire
from harness.kv import KvTable
from harness.tables import BIGINT, INT, STRING

pytestmark = pytest.mark.own_server

COLUMNS = {"id": INT, "name": STRING, "n": BIGINT}
OFTEN = {"kv.snapshot.interval": "200ms"}
NEVER = {"kv.snapshot.interval": "1h"}


@pytest.fixture
def begin(launch):
    """begin(options) starts the server with a table of our own; begin.again(options) restarts it."""

    class Begin:
        def __call__(self, options=OFTEN, name="t", **table):
            self.server = launch(options={**options})
            self.connect()
            self.cluster.coordinator.call("CREATE_DATABASE", database_name="d", ignore_if_exists=False)
            self.table = KvTable.create(self.cluster, "d", name, COLUMNS, ["id"], **table)
            return self.table

        def connect(self):
            self.cluster = wire.Cluster(self.server.address)

        def stop(self, kill=False):
            self.cluster.close()
            self.server.kill() if kill else self.server.terminate()

        def start(self, options=OFTEN):
            self.server.options = {**options}
            self.server.start()
            self.connect()
            self.table.cluster = self.cluster

    begin = Begin()
    yield begin
    if hasattr(begin, "cluster"):
        begin.cluster.close()


def rows(first, count, text="row"):
    return [[i, f"{text} {i}", i * i] for i in range(first, first + count)]


def check(table, expected, gone=(), **where):
    """Every row is there as it is expected, none of the gone ones is."""
    keys = [(row[0],) for row in expected]
    assert table.lookup(*keys, **where) == [table.value(*row) for row in expected]
    assert table.lookup(*[(k,) for k in gone], **where) == [None] * len(gone)


def damage(bucket):
    """One byte of every table file is another one; their sizes are not."""
    for path in (bucket.remote / "shared").iterdir():
        raw = bytearray(path.read_bytes())
        raw[20] ^= 0x55
        path.write_bytes(raw)


# ---- making and keeping ----


def test_a_snapshot_follows_the_writes(begin):
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    end = table.write(*rows(0, 100))
    first = snapshots.wait(table, end)
    document = bucket.metadata(first)
    assert (document["log_offset"], document["row_count"]) == (100, 100)
    assert (document["table_id"], document["bucket_id"]) == (table.id, 0)
    assert document["snapshot_location"] == f"file://{bucket.remote}/snap-{first}"
    end = table.write((7,), [8, "other", None])
    second = snapshots.wait(table, end)
    assert second > first and bucket.metadata(second)["row_count"] == 99
    # what has not changed was not copied again
    assert snapshots.named(document) < snapshots.named(bucket.metadata(second))


def test_nothing_new_no_snapshot(begin):
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    first = snapshots.wait(table, table.write(*rows(0, 10)))
    begin.stop()
    begin.start()
    check(table, rows(0, 10))
    with pytest.raises(AssertionError):
        patience.until(lambda: bucket.ids() != [first], "as it should be", seconds=1)


@pytest.mark.parametrize("retained", [1, 3])
def test_old_ones_go_with_their_files(begin, retained):
    table = begin({**OFTEN, "kv.snapshot.num-retained": retained})
    bucket = snapshots.Bucket(begin.server, table)
    ids = [snapshots.wait(table, table.write(*rows(0, 20 * i))) for i in range(1, 7)]
    patience.until(lambda: bucket.ids() == ids[-retained:], "old snapshots stay")
    files = set().union(*(snapshots.named(bucket.metadata(i)) for i in bucket.ids()))
    patience.until(lambda: bucket.shared() == files, "files of old snapshots stay")


def test_what_a_crash_left_is_swept(begin):
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    snapshot = snapshots.wait(table, table.write(*rows(0, 50)))
    begin.stop(kill=True)
    # copied, but the catalog never heard of it
    shutil.copytree(bucket.remote / f"snap-{snapshot}", bucket.remote / f"snap-{snapshot + 1}")
    (bucket.remote / "shared" / "half").write_text("cut sho")
    (bucket.local / "checkpoint").mkdir()
    begin.start()
    patience.until(lambda: bucket.ids() == [snapshot], "an unknown snapshot stays")
    patience.until(lambda: "half" not in bucket.shared(), "an unknown file stays")
    assert not (bucket.local / "checkpoint").exists()
    check(table, rows(0, 50))
    table.write([1, "after", 1])
    snapshots.wait(table, 52)


def test_a_dropped_table_leaves_nothing(begin):
    table = begin({"kv.snapshot.interval": "20ms"})
    directory = snapshots.Bucket(begin.server, table).remote.parent
    snapshots.wait(table, table.write(*rows(0, 10)))
    for i in range(15):
        other = KvTable.create(begin.cluster, "d", f"t{i}", COLUMNS, ["id"])
        where = snapshots.Bucket(begin.server, other).remote.parent
        other.write(*rows(0, 2000))
        begin.cluster.coordinator.call("DROP_TABLE", table_path=other.path, ignore_if_not_exists=False)
        patience.until(lambda w=where: not w.exists(), "remote files of a dropped table stay")
    begin.cluster.coordinator.call("DROP_TABLE", table_path=table.path, ignore_if_not_exists=False)
    patience.until(lambda: not directory.exists(), "remote files of a dropped table stay")


# ---- starting from one ----


def test_the_state_is_lost(begin):
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    snapshots.wait(table, table.write(*rows(0, 1000)))
    begin.stop()
    begin.start(NEVER)
    table.write(*rows(1000, 10), *[(i,) for i in range(5)], *[[i, "changed", None] for i in range(5, 10)])
    begin.stop(kill=True)
    shutil.rmtree(bucket.local)
    begin.start()
    check(table, [[i, "changed", None] for i in range(5, 10)] + rows(10, 1000), gone=range(5))
    assert "starts from its snapshot" in begin.server.stderr()
    assert len(table.limit_scan(2000)) == 1005


def test_the_newest_is_broken(begin):
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    first = snapshots.wait(table, table.write(*rows(0, 500)))
    # rows of their own, so that the files of the two differ
    second = snapshots.wait(table, table.write(*rows(500, 500)))
    begin.stop()
    assert bucket.ids() == [first, second]
    (bucket.remote / f"snap-{second}" / "_METADATA").write_text("{")
    shutil.rmtree(bucket.local)
    begin.start(NEVER)
    check(table, rows(0, 1000))
    text = begin.server.stderr()
    assert f"cannot start from its snapshot {second}" in text
    assert f"starts from its snapshot {first}" in text


def test_all_are_broken(begin):
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    for count in (500, 1000):
        snapshots.wait(table, table.write(*rows(0, count)))
    begin.stop()
    damage(bucket)
    shutil.rmtree(bucket.local)
    begin.start()
    check(table, rows(0, 1000))
    assert "cannot start from its snapshot" in begin.server.stderr()


def test_damaged_state_is_made_anew(begin):
    table = begin(NEVER)
    bucket = snapshots.Bucket(begin.server, table)
    table.write(*rows(0, 1000))
    begin.stop()
    for path in (bucket.local / "db").glob("MANIFEST-*"):
        path.write_bytes(b"not a manifest")
    begin.start()
    check(table, rows(0, 1000))
    assert "the state is made anew" in begin.server.stderr()


TRIMMED = {
    "log.segment.file-size": "32kb",
    "log.retention.check-interval": "100ms",
    "log.retention.roll-active-segment.enabled": "true",
}


def test_a_log_without_its_begin(begin):
    """What only a snapshot has comes from there; without one nothing of the log goes."""
    table = begin({**NEVER, **TRIMMED}, properties={"table.log.ttl": "1ms"})
    bucket = snapshots.Bucket(begin.server, table)
    for i in range(30):
        table.write(*rows(i * 100, 100))
    assert table.offset(0) == 0
    begin.stop()
    begin.start({**OFTEN, **TRIMMED})
    table.write(*rows(3000, 100))
    snapshots.wait(table, 3100)
    patience.until(lambda: table.offset(0) > 1000, "the log keeps what is not needed")
    begin.stop()
    shutil.rmtree(bucket.local)
    begin.start({**NEVER, **TRIMMED})
    check(table, rows(0, 3100))
    table.write([1, "still", None])
    check(table, [[1, "still", None]])


def test_numbers_are_not_given_twice(begin):
    begin(TRIMMED | OFTEN)
    columns = {"word": STRING, "number": BIGINT}
    layout = {"auto_increment": "number", "properties": {"table.log.ttl": "1ms"}}
    table = KvTable.create(begin.cluster, "d", "words", columns, ["word"], **layout)
    bucket = snapshots.Bucket(begin.server, table)
    words = [f"word {i}" for i in range(3000)]
    for i in range(0, 3000, 100):
        end = table.write(*[[w, None] for w in words[i : i + 100]], target=[0])
    snapshots.wait(table, end)
    for _ in range(2):  # the log is kept for the snapshot before the newest, too
        end = table.write(*[[w, None] for w in words[:100]], target=[0])
        snapshots.wait(table, end)
    patience.until(lambda: table.offset(0) > 0, "the log keeps what is not needed")
    before = table.lookup(*[(w,) for w in words])
    assert before == [table.value(w, i + 1) for i, w in enumerate(words)]
    begin.stop(kill=True)
    shutil.rmtree(bucket.local)
    begin.start()
    table.cluster = begin.cluster
    assert table.lookup(*[(w,) for w in words]) == before
    more = [f"more {i}" for i in range(10)]
    table.write(*[[w, None] for w in more], target=[0])
    given = [row[1] for _, _, row in table.changes(offset=end)]
    assert len(given) == len(set(given)) == 10 and min(given) > 3000


def test_the_data_directory_moves(begin):
    """Clients are told where files are now, and a lost state is found there."""
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    first = snapshots.wait(table, table.write(*rows(0, 500)))
    begin.stop()
    begin.server.data_dir = begin.server.data_dir.rename(begin.server.workdir / "elsewhere")
    bucket = snapshots.Bucket(begin.server, table)
    shutil.rmtree(bucket.local)
    begin.start()
    check(table, rows(0, 500))
    assert f"starts from its snapshot {first}" in begin.server.stderr()
    newest = patience.until(lambda: snapshots.listed(table)[0][0] > first and bucket.newest(), "as it was")
    place = f"file://{bucket.remote}/"
    handles = newest["kv_snapshot_handle"]
    for one in handles["shared_file_handles"] + handles["private_file_handles"]:
        assert one["kv_file_handle"]["path"].startswith(place)


KEYS = 500


def write_some(table, rng, model, turn):
    batch = []
    for key in rng.sample(range(KEYS), rng.randrange(1, 100)):
        if rng.random() < 0.3:
            batch.append((key,))
            model.pop(key, None)
        else:
            batch.append([key, f"{turn} {rng.random()}", None])
            model[key] = batch[-1]
    table.write(*batch)


def spoil(rng, bucket):
    """The state may be lost or damaged while the server is down."""
    kind = rng.random()
    if kind < 0.5 and bucket.local.exists():
        shutil.rmtree(bucket.local)
    elif kind < 0.6:
        for path in (bucket.local / "db").glob("MANIFEST-*"):
            path.write_bytes(b"not a manifest")


def many_starts(begin, seed, turns):
    """Writes while snapshots are made and the log is cut, kills, losses: the rows are those of a model."""
    rng, model = random.Random(seed), {}
    options = {
        **TRIMMED,
        "kv.snapshot.interval": "20ms",
        "kv.snapshot.num-retained": rng.choice([1, 2, 3]),
        "log.durability": rng.choice(["fsync", "os"]),
    }
    layout = {"table.log.ttl": "1ms", "table.kv.format": rng.choice(["compacted", "indexed"])}
    table = begin(options, properties=layout)
    bucket = snapshots.Bucket(begin.server, table)
    for turn in range(turns):
        end = time.monotonic() + rng.random() / 2
        while time.monotonic() < end:
            write_some(table, rng, model, turn)
        begin.stop(kill=rng.random() < 0.7)
        spoil(rng, bucket)
        begin.start(options)
        check(table, list(model.values()), gone=[k for k in range(KEYS) if k not in model])
        assert len(table.limit_scan(2 * KEYS)) == len(model)


@pytest.mark.parametrize("seed", range(2))
def test_many_starts(begin, seed):
    many_starts(begin, seed, turns=5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_very_many_starts(begin, seed):
    many_starts(begin, seed, turns=50)


def test_partitions_have_their_own(begin):
    columns = {"id": INT, "day": STRING, "name": STRING}
    begin()
    table = KvTable.create(begin.cluster, "d", "p", columns, ["id", "day"], partition_key=["day"], buckets=2)
    ids = {day: table.add_partition(day=day) for day in ("mon", "tue")}
    for day, partition in ids.items():
        for bucket in (0, 1):
            listed = [[i, day, f"{day} {bucket} {i}"] for i in range(50)]
            end = table.write(*listed, bucket=bucket, partition=partition)
            snapshots.wait(table, end, bucket=bucket, partition=day)
    begin.stop()
    for day, partition in ids.items():
        for bucket in (0, 1):
            where = snapshots.Bucket(begin.server, table, bucket, day)
            assert where.newest()["partition_id"] == partition
            shutil.rmtree(where.local)
    begin.start()
    table.cluster = begin.cluster
    for day, partition in ids.items():
        for bucket in (0, 1):
            listed = [[i, day, f"{day} {bucket} {i}"] for i in range(50)]
            check(table, listed, bucket=bucket, partition=partition)
    assert begin.server.stderr().count("starts from its snapshot") == 4


def test_a_log_cut_short(begin):
    """What a power failure took from the log must not come back from a snapshot."""
    options = {"log.durability": "os", **OFTEN}
    table = begin(options)
    bucket = snapshots.Bucket(begin.server, table)
    first = snapshots.wait(table, table.write(*rows(0, 500)))
    log = bucket.local.with_name("log-0")
    kept = {p.name: p.read_bytes() for p in log.iterdir() if p.is_file()}
    second = snapshots.wait(table, table.write(*rows(0, 100, "lost")))
    begin.stop(kill=True)
    for path in log.iterdir():
        path.unlink()
    for name, raw in kept.items():
        (log / name).write_bytes(raw)
    begin.start({"log.durability": "os", **NEVER})
    check(table, rows(0, 500))
    assert f"snapshot {second} is given up" in begin.server.stderr()
    # the log has other changes where the snapshot ended
    table.write(*rows(500, 300))
    begin.stop()
    shutil.rmtree(bucket.local)
    begin.start(options)
    check(table, rows(0, 800))
    assert f"starts from its snapshot {first}" in begin.server.stderr()
    snapshots.wait(table, 800)


def test_a_leased_one_stays(begin):
    table = begin({**OFTEN, "kv.snapshot.num-retained": 1})
    bucket = snapshots.Bucket(begin.server, table)
    leased = snapshots.wait(table, table.write(*rows(0, 100)))
    files = snapshots.named(bucket.metadata(leased))
    where = {"table_id": table.id, "bucket_snapshots": [{"bucket_id": 0, "snapshot_id": leased}]}
    answer = begin.cluster.coordinator.call(
        "ACQUIRE_KV_SNAPSHOT_LEASE", lease_id="l", lease_duration_ms=60_000, snapshots_to_lease=[where]
    )
    assert not answer.unavailable_snapshots
    for i in range(1, 4):
        newest = snapshots.wait(table, table.write(*rows(100 * i, 100)))
    patience.until(lambda: bucket.ids() == [leased, newest], "others stay, too")
    assert files <= bucket.shared()
    begin.cluster.coordinator.call("DROP_KV_SNAPSHOT_LEASE", lease_id="l")
    patience.until(lambda: bucket.ids() == [newest], "a snapshot stays without a lease")
    assert snapshots.wait(table, table.write(*rows(0, 100, "more"))) > newest


# ---- read by others ----


@pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}")
@pytest.mark.parametrize("version", java.VERSIONS)
def test_the_java_client_reads_snapshots(begin, version, tmp_path):
    table = begin(buckets=2)
    expected = {}
    for bucket in (0, 1):
        table.write(*rows(bucket * 5000, 5000, "old"), bucket=bucket)
        snapshots.wait(table, 5000, bucket=bucket)
        changed = rows(bucket * 5000 + 100, 50, "new")
        gone = [(bucket * 5000 + i,) for i in range(10)]
        end = table.write(*changed, *gone, bucket=bucket)
        snapshots.wait(table, end, bucket=bucket)
        kept = {row[0]: row for row in rows(bucket * 5000 + 10, 4990, "old") + changed}
        expected[bucket] = (end, [kept[k] for k in sorted(kept)])
    found = snapshots.read_by_java(version, begin.server.address, table, tmpdir=tmp_path)
    assert [f["bucket"] for f in found] == [0, 1]
    for f in found:
        assert (f["offset"], sorted(f["rows"])) == expected[f["bucket"]]


@pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}")
@pytest.mark.parametrize("form", ["compacted", "indexed"])
def test_the_java_client_reads_rows_of_two_schemas(begin, form, tmp_path):
    begin()
    columns = {"id": INT, "day": STRING, "name": STRING}
    layout = {"partition_key": ["day"], "properties": {"table.kv.format": form}}
    table = KvTable.create(begin.cluster, "d", "p", columns, ["id", "day"], **layout)
    partition = table.add_partition(day="mon")
    table.write(*[[i, "mon", f"old {i}"] for i in range(100)], partition=partition)
    newer = table.add_column("more", BIGINT)
    rows_of_two = [[i, "mon", f"old {i}", None] for i in range(50)] + [
        [i, "mon", None, i] for i in range(50, 150)
    ]
    end = table.write(*rows_of_two[50:], partition=partition, schema_id=newer)
    snapshots.wait(table, end, partition="mon")
    found = snapshots.read_by_java(java.VERSIONS[0], begin.server.address, table, "mon", tmpdir=tmp_path)
    assert [f["bucket"] for f in found] == [0]
    assert sorted(found[0]["rows"], key=lambda r: r[0]) == rows_of_two


@pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}")
def test_the_java_client_reads_restored_ones(begin, tmp_path):
    """A store that began as a snapshot makes snapshots like any other."""
    table = begin()
    bucket = snapshots.Bucket(begin.server, table)
    snapshots.wait(table, table.write(*rows(0, 2000)))
    begin.stop()
    shutil.rmtree(bucket.local)
    begin.start()
    end = table.write(*rows(2000, 10))
    snapshots.wait(table, end)
    found = snapshots.read_by_java(java.VERSIONS[0], begin.server.address, table, tmpdir=tmp_path)
    assert sorted(found[0]["rows"]) == rows(0, 2010)
