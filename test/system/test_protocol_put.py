"""PUT_KV through the raw protocol: pipelines, duplicates, several writers, restarts, refusals."""

import random
import struct
import threading

import pytest
from harness import batches, kv, tables, wire
from harness.kv import KvTable
from harness.tables import BIGINT, INT, STRING

COLUMNS = {"k": INT, "v": STRING, "w": BIGINT}
CORRUPT, INVALID_TABLE, UNKNOWN_BUCKET, OUT_OF_ORDER = 14, 15, 21, 31


@pytest.fixture
def table(cluster, db):
    return KvTable.create(cluster, db, "t", COLUMNS, ["k"], buckets=2)


def state_of(changes):
    """The rows that a changelog makes; each change must fit to the ones before it."""
    rows = {}
    for _, kind, row in changes:
        if kind in ("-U", "-D"):
            assert rows.pop(row[0]) == row
        else:
            assert row[0] not in rows
            rows[row[0]] = row
    return rows


def check_state(table, keys, bucket=0):
    """Changelog, lookups, scan and count say the same."""
    rows = state_of(table.changes(bucket=bucket))
    stored = {k: table.value(*row) for k, row in rows.items()}
    assert table.lookup(*((k,) for k in keys), bucket=bucket) == [stored.get(k) for k in keys]
    assert sorted(table.limit_scan(10**6, bucket=bucket)) == sorted(stored.values())
    return rows


def test_a_pipeline_keeps_its_order(cluster, table):
    """Many puts of one connection before the first answer is read."""
    connection = cluster.connect()
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    sent = []
    for i in range(300):
        header = {"writer_id": writer, "sequence": i}
        batch = table.batch([i % 7, f"turn {i}", i], **header)
        sent.append(connection.send("PUT_KV", version=1, **table.put_fields(batch)))
    answers = [connection.result("PUT_KV", one).buckets_resp[0] for one in sent]
    connection.close()
    ends = [a.log_end_offset for a in answers]
    assert ends == sorted(ends) and ends[-1] == 7 + 2 * 293
    rows = check_state(table, range(8))
    assert rows == {i % 7: [i % 7, f"turn {i}", i] for i in range(293, 300)}


def test_several_buckets_in_one_request(cluster, table):
    entries = [{"bucket_id": b, "records": table.batch([b, "x", 1], [b + 10, "y", 2])} for b in (0, 1, 7)]
    fields = {"acks": -1, "table_id": table.id, "timeout_ms": 60_000, "buckets_req": entries}
    answers = {a.bucket_id: a for a in cluster.tablet.call("PUT_KV", version=1, **fields).buckets_resp}
    assert answers[0].log_end_offset == answers[1].log_end_offset == 2
    assert answers[7].error_code == UNKNOWN_BUCKET
    for bucket in (0, 1):
        assert set(check_state(table, range(20), bucket=bucket)) == {bucket, bucket + 10}


def test_writers_side_by_side(cluster, table):
    """Six connections write the same keys of two buckets, two look on."""
    failures, done = [], threading.Event()

    def write(number):
        dice = random.Random(number)
        with cluster.connect() as connection:
            for turn in range(60):
                keys = [dice.randrange(40) for _ in range(dice.randrange(1, 12))]
                changes = [(k,) if dice.random() < 0.3 else [k, f"{number} {turn}", turn] for k in keys]
                answer = table.put(*changes, connection=connection, bucket=turn % 2)
                if answer.HasField("error_code"):
                    failures.append(answer)

    def look():
        with cluster.connect() as connection:
            while not done.is_set():
                for bucket in (0, 1):
                    for value in table.lookup(
                        *((k,) for k in range(40)), connection=connection, bucket=bucket
                    ):
                        if value is not None and struct.unpack_from("<h", value)[0] != 1:
                            failures.append(value)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in [*lookers, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in lookers:
        thread.join()
    assert not failures
    for bucket in (0, 1):
        check_state(table, range(40), bucket=bucket)


def test_an_acknowledged_row_is_seen_by_others(cluster, table):
    with cluster.connect() as writer, cluster.connect() as reader:
        for i in range(100):
            table.write([1, str(i), i], connection=writer)
            assert table.lookup((1,), connection=reader) == [table.value(1, str(i), i)]


@pytest.mark.parametrize("acks", [0, 1, -1])
def test_every_kind_of_acknowledgement(table, acks):
    end = table.write([1, "a", 1], [2, "b", 2], acks=acks)
    assert end == 2
    table.await_end(2)
    assert check_state(table, (1, 2)) == {1: [1, "a", 1], 2: [2, "b", 2]}


def test_duplicates_change_nothing(cluster, table):
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    for sequence in range(4):
        header = {"writer_id": writer, "sequence": sequence}
        first = table.write([1, "a", sequence], (2,), header=header)
        assert table.write([1, "never", 99], [2, "never", 99], header=header) == first
    answer = table.put([1, "never", 0], header={"writer_id": writer, "sequence": 9})
    assert answer.error_code == OUT_OF_ORDER
    assert check_state(table, (1, 2)) == {1: [1, "a", 3]}


@pytest.mark.own_server
@pytest.mark.parametrize("way", ["terminate", "kill"])
def test_duplicates_are_known_after_a_restart(launch, way):
    server = launch()
    cluster = wire.Cluster(server.address)
    cluster.coordinator.call("CREATE_DATABASE", database_name="d", ignore_if_exists=False)
    table = KvTable.create(cluster, "d", "t", COLUMNS, ["k"])
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    for sequence in range(3):
        table.write([sequence, "x", 1], (99,), header={"writer_id": writer, "sequence": sequence})
    before = table.changes()
    cluster.close()
    getattr(server, way)()
    server.start()
    table.cluster = cluster = wire.Cluster(server.address)
    table.open()
    for sequence in range(3):
        again = table.write([50, "never", 1], header={"writer_id": writer, "sequence": sequence})
        assert again == sequence + 1
    assert table.changes() == before
    table.write([0, "y", 2], header={"writer_id": writer, "sequence": 3})
    assert check_state(table, range(4)) == {0: [0, "y", 2], 1: [1, "x", 1], 2: [2, "x", 1]}
    cluster.close()


@pytest.mark.own_server
def test_damaged_batches(cluster, table):
    good = table.batch([1, "a", 1])
    flipped = bytearray(good)
    flipped[-1] ^= 1
    wrong = [
        b"", bytes(10), b"\xff" * 100, good[:-1], good[:20], bytes(flipped),
        kv.pack([(b"\1", b"\0")]), kv.pack([(b"\1", b"\0\1\1a\1tail")]), kv.pack([(b"\1", b"\6\1")], count=3),
    ]  # fmt: skip
    for records in wrong:
        answer = cluster.tablet.call("PUT_KV", version=1, **table.put_fields(records)).buckets_resp[0]
        assert answer.error_code == CORRUPT, records
    assert table.offset(1) == 0
    assert table.write([1, "a", 1]) == 1


def test_a_refused_batch_leaves_nothing(cluster, db):
    """Not even of the records before the one that is refused."""
    properties = {"table.delete.behavior": "DISABLE"}
    table = KvTable.create(cluster, db, "refusing", COLUMNS, ["k"], properties=properties)
    table.write([1, "a", 1])
    assert table.put([1, "b", 2], [2, "c", 3], (1,), [3, "d", 4]).HasField("error_code")
    assert check_state(table, (1, 2, 3)) == {1: [1, "a", 1]}
    table.write([1, "e", 5])
    assert check_state(table, (1, 2, 3)) == {1: [1, "e", 5]}


@pytest.mark.own_server
def test_a_changelog_is_written_by_the_server_alone(table):
    answer = table.produce(batches.arrow_batch(tables.small_rows(0, 2)))
    assert answer.error_code == INVALID_TABLE
    assert table.offset(1) == 0


def test_large_rows(table):
    """Each larger than a network buffer, together larger than a spill."""
    for turn in range(3):
        table.write(*([k, chr(97 + turn) * 300_000, turn] for k in range(8)))
    values = table.lookup(*((k,) for k in range(8)))
    assert values == [table.value(k, "c" * 300_000, 2) for k in range(8)]
    assert len(table.limit_scan(8)) == 8


def test_many_keys(table):
    for first in range(0, 20_000, 4000):
        table.write(*([k, f"v{k}", k] for k in range(first, first + 4000)))
    table.write(*((k,) for k in range(0, 20_000, 3)))
    keys = list(range(0, 20_000, 7))
    expected = [table.value(k, f"v{k}", k) if k % 3 else None for k in keys]
    assert table.lookup(*((k,) for k in keys)) == expected
    assert len(table.limit_scan(100_000)) == 20_000 - len(range(0, 20_000, 3))
