"""SIGKILL and power failures at random moments while primary-key tables are written and looked up.

Acknowledged batches are there, the state is what the changelog replays to, and what a lookup has
returned was never taken back: it is in the changelog, no older than what was acknowledged when the
lookup was sent, and no older than what the same reader had seen by then. A scan has returned exactly
what the changelog says up to the offset it named.
"""

import itertools
import time

import pytest
from harness import kv, tables, wire
from harness.power import Power
from model import traffic

pytestmark = pytest.mark.own_server


def kill_rounds(server, rounds, seed, power=None):
    print(f"seed {seed}")
    cluster = wire.Cluster(server.address)
    table = traffic.create(cluster)
    logs, lost = traffic.changelogs(), 0
    for number in itertools.count():
        if number >= rounds and (lost or not power or number == 20 * rounds):
            break
        known = traffic.one_round(server, table, number, f"{seed} {number}", [-1, 1, 0] if power else [-1])
        if power:
            lost += power.fail(server.data_dir)
        if number % 4 == 3:
            traffic.lose_state(server)
        server.start()
        traffic.open_again(server, table)
        for bucket, log in enumerate(logs):
            log.read(table, bucket)
        traffic.judge(known, logs)
        traffic.compare_state(table, logs)
    table.cluster.close()
    return lost


def options(durability):
    memory = "8mb" if durability == "os" else "512mb"
    return {"log.durability": durability, "kv.snapshot.interval": "1s", "eider.kv.memory": memory}


def fail_rounds(launch, tmp_path, rounds, seed):
    """Writes answered before they are on the device (acks 0 and 1) are lost, and nobody had seen them."""
    power = Power(tmp_path / "power", delay_ms=10)
    server = launch(options=options("fsync"), environment=power.environment)
    assert kill_rounds(server, rounds, seed, power) > 0, "nothing was lost"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("durability", ["os", "fsync"])
def test_kill_nine_under_upserts_and_lookups(launch, durability):
    kill_rounds(launch(options=options(durability)), 5, 1)


@pytest.mark.timeout(300)
def test_power_failures_take_nothing_back(launch, tmp_path):
    fail_rounds(launch, tmp_path, 5, 3)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("durability", ["os", "fsync"])
def test_kill_nine_a_hundred_times(launch, durability):
    kill_rounds(launch(options=options(durability)), 100, 2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_power_failures(launch, tmp_path):
    fail_rounds(launch, tmp_path, 50, 4)


@pytest.fixture
def held(launch, tmp_path):
    """A server whose logs can be kept off the device, and a table of a few rows."""
    power = Power(tmp_path / "power")
    server = launch(options={"log.durability": "fsync"}, environment=power.environment)
    cluster = wire.Cluster(server.address)
    columns = {"a": tables.INT, "b": tables.INT, "v": tables.STRING}
    table = kv.KvTable.create(cluster, "fluss", "t", columns, ["a", "b"], bucket_key=["a"])
    table.write([1, 1, "old"], [1, 2, "old"], [2, 1, "other"])
    power.table = table
    yield power
    if power.held.exists():
        power.release()
    cluster.close()


def everything_seen(table):
    """What each way of reading shows, in comparable form."""
    call = table.cluster.tablet.call
    scan = {"bucket_scan_req": {"table_id": table.id, "bucket_id": 0}, "call_seq_id": 0}
    scanned = call("SCAN_KV", **scan, batch_size_bytes=1 << 20)
    assert not scanned.HasField("error_code") and not scanned.has_more_results, scanned
    stats = call("GET_TABLE_STATS", table_id=table.id, buckets_req=[{"bucket_id": 0}])
    return {
        "lookup": table.lookup((1, 1), (1, 2), (1, 3)),
        "prefix": table.prefix_lookup((1,)),
        "limit scan": table.limit_scan(10),
        "scan": (kv.values(scanned.records), scanned.log_offset),
        "end": table.offset(1),
        "rows": stats.buckets_resp[0].row_count,
        "changelog": table.records(),
    }


def test_nothing_is_seen_before_it_is_on_the_device(held):
    table = held.table
    before = everything_seen(table)
    held.hold()
    with wire.Connection(table.cluster.tablet_address) as connection:
        assert table.write([1, 1, "new"], (1, 2), connection=connection, acks=1) == 6
        assert table.write([1, 3, "more"], connection=connection, acks=0) == 7
        batch = table.batch([1, 1, "newer"])
        waiting = connection.send("PUT_KV", **table.put_fields(batch))
        for _ in range(20):
            assert everything_seen(table) == before
            time.sleep(0.01)
        held.release()
        assert connection.result("PUT_KV", waiting).buckets_resp[0].log_end_offset == 9
    after = everything_seen(table)
    assert after["lookup"] == [table.value(1, 1, "newer"), None, table.value(1, 3, "more")]
    assert after["prefix"] == [[table.value(1, 1, "newer"), table.value(1, 3, "more")]]
    assert (after["end"], after["rows"], after["scan"][1]) == (9, 3, 9)
    assert after["scan"][0] == after["limit scan"]
    kinds = [kind for _, kind, _ in table.changes()]
    assert kinds == ["+I", "+I", "+I", "-U", "+U", "-D", "+I", "-U", "+U"]
