"""Snapshots of primary-key tables as clients see them: which exist, what they consist of, leases.

With --bootstrap, Apache Fluss must have been started with kv.snapshot.interval=2s.
"""

import secrets
import time
from pathlib import Path

import pytest
from harness import patience, tables, wire
from harness.kv import KvTable
from harness.tables import INT, STRING
from harness.wire import ErrorReply

TABLE_MISSING, NO_KEY, UNKNOWN_BUCKET, PARTITION_MISSING, NOT_PARTITIONED, SNAPSHOT_MISSING = 7, 20, 21, 36, 37, 41
COLUMNS = {"id": INT, "name": STRING}
HOUR_MS = 3_600_000


@pytest.fixture
def launch(launch):
    """Servers that make snapshots often."""

    def often(**settings):
        options = {"kv.snapshot.interval": "100ms", **settings.pop("options", {})}
        return launch(options=options, **settings)

    return often


@pytest.fixture
def keyed(cluster, db):
    return KvTable.create(cluster, db, "k", COLUMNS, ["id"], buckets=2)


def code(cluster, name, **fields):
    with pytest.raises(ErrorReply) as e:
        cluster.coordinator.call(name, **fields)
    return e.value.code


def until(found, text):
    deadline = time.monotonic() + patience.PATIENCE_S
    while (result := found()) is None:
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return result


def latest(table, bucket=0, **where):
    """(snapshot id, log offset) of the bucket; None when it has none."""
    answer = table.cluster.tablet.call("GET_LATEST_KV_SNAPSHOTS", table_path=table.path, **where)
    entry = answer.latest_snapshots[bucket]
    assert entry.bucket_id == bucket
    assert entry.HasField("snapshot_id") == entry.HasField("log_offset")
    return (entry.snapshot_id, entry.log_offset) if entry.HasField("snapshot_id") else None


def snapshot_at(table, offset, bucket=0, **where):
    """Waits for a snapshot of the log below the offset; its id."""

    def found():
        newest = latest(table, bucket, **where)
        return newest[0] if newest and newest[1] >= offset else None

    return until(found, f"no snapshot at {offset}")


def files(table, snapshot_id, bucket=0, **where):
    """(log offset, {local name: remote path})"""
    answer = table.cluster.tablet.call(
        "GET_KV_SNAPSHOT_METADATA", table_id=table.id, bucket_id=bucket, snapshot_id=snapshot_id, **where
    )
    return answer.log_offset, {f.local_file_name: f.remote_path for f in answer.snapshot_files}


def on_disk(remote_path):
    return Path(remote_path.removeprefix("file://").removeprefix("file:"))


def listed(table, bucket=0, **where):
    answer = table.cluster.coordinator.call("LIST_KV_SNAPSHOTS", table_id=table.id, **where)
    return sorted(s.snapshot_id for s in answer.active_snapshots if s.bucket_id == bucket)


def lease_fields(table, lease_id, snapshot_id, bucket=0, duration_ms=HOUR_MS):
    bucket_snapshot = {"bucket_id": bucket, "snapshot_id": snapshot_id}
    return {
        "lease_id": lease_id,
        "lease_duration_ms": duration_ms,
        "snapshots_to_lease": [{"table_id": table.id, "bucket_snapshots": [bucket_snapshot]}],
    }


def acquire(table, lease_id, snapshot_id, **where):
    """The snapshots that could not be leased."""
    fields = lease_fields(table, lease_id, snapshot_id, **where)
    answer = table.cluster.coordinator.call("ACQUIRE_KV_SNAPSHOT_LEASE", **fields)
    return [b.snapshot_id for t in answer.unavailable_snapshots for b in t.bucket_snapshots]


def release(table, lease_id, bucket=0):
    buckets = [{"table_id": table.id, "bucket_id": bucket}]
    table.cluster.coordinator.call("RELEASE_KV_SNAPSHOT_LEASE", lease_id=lease_id, buckets_to_release=buckets)


def fresh(name="lease"):
    return f"{name}-{secrets.token_hex(4)}"


# ---- what exists ----


def test_a_bucket_without_rows_has_no_snapshot(keyed):
    assert latest(keyed, 0) is None
    assert latest(keyed, 1) is None


def test_a_snapshot_is_a_database_that_others_can_open(keyed):
    end = keyed.write([1, "a"], [2, "b"])
    snapshot_id = snapshot_at(keyed, end)
    offset, found = files(keyed, snapshot_id)
    assert offset == end == 2
    assert "CURRENT" in found
    assert any(name.startswith("MANIFEST") for name in found)
    assert any(name.endswith(".sst") for name in found)
    assert all(on_disk(p).is_file() for p in found.values())
    current = on_disk(found["CURRENT"]).read_text().strip()
    assert current in found
    assert latest(keyed, 1) is None


def test_newer_snapshots_follow(keyed):
    first = snapshot_at(keyed, keyed.write([1, "a"]))
    end = keyed.write([1, "b"], (7,), [2, "c"])
    second = snapshot_at(keyed, end)
    assert second > first
    assert files(keyed, second)[0] == end
    for kept in range(3):
        snapshot_at(keyed, keyed.write([3, f"d{kept}"]))
    assert code(keyed.cluster, "GET_KV_SNAPSHOT_METADATA", **metadata_of(keyed, first)) == SNAPSHOT_MISSING


def metadata_of(table, snapshot_id, **more):
    return {"table_id": table.id, "bucket_id": 0, "snapshot_id": snapshot_id, **more}


def test_partitions_have_their_own(cluster, db):
    table = KvTable.create(
        cluster, db, "p", {"id": INT, "day": STRING}, ["id", "day"], partition_key=["day"]
    )
    partition = table.add_partition(day="mon")
    end = table.write([1, "mon"], partition=partition)
    snapshot_id = snapshot_at(table, end, partition_name="mon")
    offset, found = files(table, snapshot_id, partition_id=partition)
    assert offset == end and found
    other = table.add_partition(day="tue")
    assert latest(table, partition_name="tue") is None
    wrong = metadata_of(table, snapshot_id, partition_id=other)
    assert code(cluster, "GET_KV_SNAPSHOT_METADATA", **wrong) == SNAPSHOT_MISSING


# ---- leases ----


@pytest.mark.own_server
def test_the_newest_are_kept_and_what_is_leased(keyed):
    first = snapshot_at(keyed, keyed.write([1, "a"]))
    one, two = fresh(), fresh()
    assert acquire(keyed, one, first) == []
    assert acquire(keyed, two, first) == []
    for i in range(4):
        newest = snapshot_at(keyed, keyed.write([1, f"b{i}"]))
    kept = listed(keyed)
    assert len(kept) == 3 and kept[0] == first and kept[-1] == newest
    assert all(on_disk(p).is_file() for p in files(keyed, first)[1].values())
    release(keyed, one)
    snapshot_at(keyed, keyed.write([1, "c"]))
    assert first in listed(keyed)
    gone = [on_disk(p) for p in files(keyed, first)[1].values()]
    keyed.cluster.coordinator.call("DROP_KV_SNAPSHOT_LEASE", lease_id=two)
    for i in range(8):  # until compaction has replaced the files it shares with the newest
        snapshot_at(keyed, keyed.write([1, f"d{i}"]))
    assert first not in listed(keyed)
    until(lambda: True if not any(p.exists() for p in gone) else None, "its files stay")


@pytest.mark.own_server
def test_a_lease_says_what_it_cannot_hold(keyed):
    assert acquire(keyed, fresh(), 77) == [77]


@pytest.mark.own_server
def test_a_lease_ends(launch):
    server = launch(options={"kv.snapshot.lease.expiration-check-interval": "100ms"})
    cluster = wire.Cluster(server.address)
    table = KvTable.create(cluster, "fluss", "k", COLUMNS, ["id"])
    first = snapshot_at(table, table.write([1, "a"]))
    assert acquire(table, fresh(), first, duration_ms=2000) == []
    for i in range(3):
        snapshot_at(table, table.write([1, f"b{i}"]))
    # nothing is written any more
    until(lambda: True if first not in listed(table) else None, "it stays although its lease has ended")
    assert len(listed(table)) == 2
    cluster.close()


@pytest.mark.own_server
def test_snapshots_and_leases_survive_a_restart(launch):
    server = launch(options={"kv.snapshot.num-retained": "1"})
    cluster = wire.Cluster(server.address)
    table = KvTable.create(cluster, "fluss", "k", COLUMNS, ["id"])
    first = snapshot_at(table, table.write([1, "a"]))
    assert acquire(table, "mine", first) == []
    second = snapshot_at(table, table.write([2, "b"]))
    before = files(table, first)
    cluster.close()
    server.terminate()
    server.start()
    table.cluster = cluster = wire.Cluster(server.address)
    assert listed(table) == [first, second]
    assert files(table, first) == before
    third = snapshot_at(table, table.write([3, "c"]))
    assert third > second
    assert listed(table) == [first, third]
    cluster.close()


# ---- what is refused ----


def test_questions_about_what_has_no_snapshots(cluster, db, keyed):
    log = tables.Table.create(cluster, db, "log", tables.SMALL)
    partitioned = KvTable.create(
        cluster, db, "p", {"id": INT, "day": STRING}, ["id", "day"], partition_key=["day"]
    )
    ask = "GET_LATEST_KV_SNAPSHOTS"
    assert code(cluster, ask, table_path=log.path) == NO_KEY
    assert code(cluster, ask, table_path=tables.path(db, "none")) == TABLE_MISSING
    assert code(cluster, ask, table_path=keyed.path, partition_name="x") == NOT_PARTITIONED
    assert code(cluster, ask, table_path=partitioned.path) == PARTITION_MISSING
    ask = "GET_KV_SNAPSHOT_METADATA"
    assert code(cluster, ask, **metadata_of(keyed, 99)) == SNAPSHOT_MISSING
    assert code(cluster, ask, table_id=99999, bucket_id=0, snapshot_id=0) == SNAPSHOT_MISSING
    assert code(cluster, ask, table_id=keyed.id, bucket_id=7, snapshot_id=0) == SNAPSHOT_MISSING


@pytest.mark.own_server  # 0.9.1 does not tell an unknown partition
def test_questions_about_an_unknown_partition(cluster, db):
    table = KvTable.create(
        cluster, db, "p", {"id": INT, "day": STRING}, ["id", "day"], partition_key=["day"]
    )
    ask = {"table_path": table.path, "partition_name": "none"}
    assert code(cluster, "GET_LATEST_KV_SNAPSHOTS", **ask) == PARTITION_MISSING


@pytest.mark.own_server  # since 1.0
def test_lists_of_what_is_unknown(cluster, db, keyed):
    ask = "LIST_KV_SNAPSHOTS"
    assert code(cluster, ask, table_id=99999) == TABLE_MISSING
    assert code(cluster, ask, table_id=keyed.id, partition_id=99999) == PARTITION_MISSING


def test_leases_are_of_primary_key_tables(cluster, db, keyed):
    log = tables.Table.create(cluster, db, "log", tables.SMALL)
    ask = "ACQUIRE_KV_SNAPSHOT_LEASE"
    assert code(cluster, ask, **lease_fields(log, fresh(), 0)) == NO_KEY
    log.id = 99999
    assert code(cluster, ask, **lease_fields(log, fresh(), 0)) == UNKNOWN_BUCKET
    ask = "RELEASE_KV_SNAPSHOT_LEASE"
    bucket = {"table_id": 99999, "bucket_id": 0}
    assert code(cluster, ask, lease_id=fresh(), buckets_to_release=[bucket]) == UNKNOWN_BUCKET
    release(keyed, fresh())
    cluster.coordinator.call("DROP_KV_SNAPSHOT_LEASE", lease_id=fresh())


# ---- where they are ----


@pytest.mark.own_server
def test_remote_storage_can_be_elsewhere(launch, tmp_path):
    server = launch(options={"remote.data.dir": f"file://{tmp_path}/far away"})
    cluster = wire.Cluster(server.address)
    table = KvTable.create(cluster, "fluss", "k", COLUMNS, ["id"])
    found = files(table, snapshot_at(table, table.write([1, "a"])))[1]
    place = tmp_path / "far away" / "kv" / "fluss" / f"k-{table.id}" / "0"
    assert all(on_disk(p).is_relative_to(place) for p in found.values())
    cluster.close()
