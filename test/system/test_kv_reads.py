"""Reads of primary-key tables through the raw protocol: lookups, prefixes, scans, counts, changelogs."""

import struct
import time

import pytest
from harness import batches, kv, patience, rows, tables, wire
from harness.tables import BIGINT, INT, STRING

NO_PRIMARY_KEY, INVALID_TABLE, UNKNOWN, PROJECTION, PARTITION = 20, 15, 21, 34, 43
EXPIRED, NO_SCANNER, BAD_SCAN, TOO_MANY = 66, 67, 68, 69
USERS = {"id": INT, "name": STRING, "age": BIGINT}


def user(i, name=None):
    return [i, f"user {i}" if name is None else name, i * 10]


@pytest.fixture
def users(cluster, db):
    def users(name="users", columns=USERS, key=("id",), **options):
        return kv.KvTable.create(cluster, db, name, columns, key, **options)

    return users


def filled(table, count, bucket=0):
    for first in range(0, count, 1000):
        table.write(*(user(i) for i in range(first, min(first + 1000, count))), bucket=bucket)
    return table


def ask(cluster, api, version=0, **fields):
    return cluster.tablet.call(api, version=version, **fields)


# ---- lookups


def test_one_value_per_key_in_order(users):
    table = filled(users(), 100)
    found = table.lookup((5,), (1000,), (5,), (0,), (99,), (-1,))
    assert found == [table.value(*user(i)) if i is not None else None for i in (5, None, 5, 0, 99, None)]


def test_many_buckets_and_keys_in_one_request(cluster, users):
    table = users(buckets=12)
    for bucket in range(12):
        table.write(*(user(i * 12 + bucket) for i in range(700)), bucket=bucket)
    entries = [
        {"bucket_id": b, "keys": [table.key_bytes(i * 12 + b) for i in range(0, 800, 3)]} for b in range(12)
    ]
    answer = ask(cluster, "LOOKUP", 1, table_id=table.id, buckets_req=entries)
    assert [b.bucket_id for b in answer.buckets_resp] == list(range(12))
    for b in answer.buckets_resp:
        values = [v.values if v.HasField("values") else None for v in b.values]
        assert values == [
            table.value(*user(i * 12 + b.bucket_id)) if i < 700 else None for i in range(0, 800, 3)
        ]


def test_values_larger_than_what_is_copied(users):
    table = users()
    names = {i: "x" * (1 << i) for i in range(4, 20)}
    for i, name in names.items():
        table.write([i, name, i])
    assert table.lookup(*((i,) for i in names)) == [table.value(i, n, i) for i, n in names.items()]


def test_errors_are_of_the_bucket(cluster, users, create):
    table, log = users(), create("log")
    entries = [{"bucket_id": 0, "keys": [table.key_bytes(1)]}, {"bucket_id": 7, "keys": [b"x"]}]
    answer = ask(cluster, "LOOKUP", 1, table_id=table.id, buckets_req=entries)
    assert [b.error_code for b in answer.buckets_resp] == [0, UNKNOWN]
    for api in ("LOOKUP", "PREFIX_LOOKUP"):
        answer = ask(cluster, api, 1, table_id=log.id, buckets_req=entries[:1])
        assert answer.buckets_resp[0].error_code == NO_PRIMARY_KEY
        answer = ask(cluster, api, 1, table_id=2**40, buckets_req=entries[:1])
        assert answer.buckets_resp[0].error_code == UNKNOWN


def test_historical_partitions_are_not_there(cluster, users):
    table = users()
    entry = {"bucket_id": 0, "keys": [table.key_bytes(1)], "original_partition_name": "monday"}
    answer = ask(cluster, "LOOKUP", 1, table_id=table.id, buckets_req=[entry]).buckets_resp[0]
    assert answer.error_code == PARTITION and answer.original_partition_name == "monday"


@pytest.mark.own_server
def test_rows_are_there_after_restarts(launch):
    """From the store as well as from memory, after a clean stop and after a kill."""
    server = launch()
    for stop in (server.terminate, server.kill, None):
        cluster = wire.Cluster(server.address)
        if stop == server.terminate:
            cluster.coordinator.call("CREATE_DATABASE", database_name="d", ignore_if_exists=False)
            table = filled(kv.KvTable.create(cluster, "d", "t", USERS, ["id"]), 3000)
            table.write((7,), (8,))
        else:
            table.cluster = cluster
            patience.until(lambda: table._has_rows(0, None), "no rows")
        for keys in (range(0, 3000, 7), range(3000)):
            found = table.lookup(*((i,) for i in keys))
            assert found == [None if i in (7, 8) else table.value(*user(i)) for i in keys]
        assert len(table.limit_scan(5000)) == 2998
        cluster.close()
        if stop is not None:
            stop()
            server.start()


# ---- rows for keys that have none


def insert(table, *keys, **more):
    fields = table.lookup_fields(*keys, insert_if_not_exists=True, acks=1, timeout_ms=60_000, **more)
    return table.cluster.tablet.call("LOOKUP", version=1, **fields).buckets_resp[0]


def test_insert_if_not_exists(users):
    table = users()
    table.write(user(1))
    for _ in range(2):
        answer = insert(table, (1,), (2,), (3,), (2,))
        assert [v.values for v in answer.values] == [
            table.value(*row) for row in (user(1), [2, None, None], [3, None, None], [2, None, None])
        ]
    assert [(kind, row[0]) for _, kind, row in table.changes()] == [("+I", 1), ("+I", 2), ("+I", 3)]


def test_insert_with_numbers(users):
    table = users(columns={"name": STRING, "id": BIGINT}, key=("name",), auto_increment="id")
    answer = insert(table, ("a",), ("b",))
    first = [v.values for v in answer.values]
    assert [v.values for v in insert(table, ("b",), ("a",), ("c",)).values][:2] == first[::-1]
    numbers = [row[1] for _, _, row in table.changes()]
    assert len(numbers) == len(set(numbers)) == 3


def test_insert_into_a_partition(users):
    columns = {"id": INT, "region": STRING, "age": BIGINT}
    table = users(columns=columns, key=("id", "region"), partition_key=("region",))
    partition = table.add_partition(region="eu")
    table.open_partition("eu")
    answer = insert(table, (5,), partition=partition)
    assert not answer.HasField("error_code"), answer
    assert answer.values[0].values == table.value(5, "eu", None)
    assert answer.partition_id == partition


def test_insert_that_cannot_be(cluster, users):
    strict = users("strict", columns={"id": INT, "name": {**STRING, "nullable": False}})
    assert insert(strict, (1,)).error_code == 35
    table = users()
    with pytest.raises(wire.ErrorReply):  # acks and time-out are needed
        ask(cluster, "LOOKUP", 1, **table.lookup_fields((1,), insert_if_not_exists=True))


# ---- prefixes

ORDERS = {"customer": INT, "shop": STRING, "number": BIGINT, "note": STRING}


def order(customer, shop, number):
    return [customer, shop, number, f"{customer} {shop} {number}"]


@pytest.fixture
def orders(users):
    return users("orders", columns=ORDERS, key=("customer", "shop", "number"), bucket_key=("customer", "shop"))


def test_rows_by_prefix_in_key_order(orders):
    made = [order(c, s, n) for c in (1, 2, 300) for s in ("", "a", "ab") for n in (3, 1, 2)]
    orders.write(*made)
    wanted = lambda c, s, numbers=(1, 2, 3): [orders.value(*order(c, s, n)) for n in numbers]  # noqa: E731
    assert orders.prefix_lookup((1, "a"), (9, "a"), (300, ""), (1, "a")) == [
        wanted(1, "a"), [], wanted(300, ""), wanted(1, "a")
    ]  # fmt: skip
    orders.write((1, "a", 2), order(1, "a", 4))
    assert orders.prefix_lookup((1, "a"), (1, "ab")) == [wanted(1, "a", (1, 3, 4)), wanted(1, "ab")]
    orders.write((1, "a", 1), (1, "a", 3), (1, "a", 4))
    assert orders.prefix_lookup((1, "a")) == [[]]


def test_any_bytes_may_be_a_prefix(cluster, orders, users):
    """But not none at all. Rows written a moment ago are there."""

    def found(table, *prefixes):
        entry = {"bucket_id": 0, "keys": prefixes}
        answer = ask(cluster, "PREFIX_LOOKUP", 1, table_id=table.id, buckets_req=[entry]).buckets_resp[0]
        return answer.error_code or [list(one.values) for one in answer.value_lists]

    first, second = order(1, "a", 1), order(1, "b", 2)
    orders.write(first, second, order(2, "a", 1))
    half, whole, more = orders.prefix(1), orders.prefix(1, "a"), orders.prefix(1, "b", 2)
    both = [orders.value(*first), orders.value(*second)]
    assert found(orders, half, whole, more, b"\7") == [both, both[:1], both[1:], []]
    orders.write((1, "a", 1))
    assert found(orders, whole, half) == [[], both[1:]]
    assert found(orders, half, b"") == -1
    table = users()
    table.write(user(1), user(2))
    assert found(table, table.key_bytes(1)) == [[table.value(*user(1))]]


# ---- the first rows


def test_limit_scan(users):
    table = users()
    assert table.limit_scan(10) == []
    table.write(*(user(i) for i in reversed(range(100))))
    assert table.limit_scan(10) == [table.value(*user(i)) for i in range(10)]
    table.write((0,), (5,), user(3, "new"))
    assert table.limit_scan(5) == [table.value(*user(i, "new" if i == 3 else None)) for i in (1, 2, 3, 4, 6)]
    assert len(table.limit_scan(1000)) == 98
    assert table.limit_scan(0) == table.limit_scan(-3) == []


def test_limit_scan_says_which_kind_of_table(cluster, users, create):
    log = create("log")
    assert not ask(cluster, "LIMIT_SCAN", **users().scan_fields(1)).is_log_table
    assert ask(cluster, "LIMIT_SCAN", table_id=log.id, bucket_id=0, limit=1).is_log_table
    assert ask(cluster, "LIMIT_SCAN", table_id=2**40, bucket_id=0, limit=1).error_code == UNKNOWN


# ---- scanners


def open_scan(cluster, table, size=1000, bucket=0, **more):
    bucket_req = {"table_id": table.id, "bucket_id": bucket, **more}
    return ask(cluster, "SCAN_KV", bucket_scan_req=bucket_req, call_seq_id=0, batch_size_bytes=size)


def next_scan(cluster, before, call, size=1000):
    return ask(cluster, "SCAN_KV", scanner_id=before.scanner_id, call_seq_id=call, batch_size_bytes=size)


def close_scan(cluster, before):
    return ask(cluster, "SCAN_KV", scanner_id=before.scanner_id, close_scanner=True)


def scan_all(cluster, table, size=1000, **more):
    answer, call = open_scan(cluster, table, size, **more), 0
    while True:
        assert not answer.HasField("error_code"), answer
        yield from kv.values(answer.records) if answer.HasField("records") else []
        if not answer.has_more_results:
            return
        call += 1
        answer = next_scan(cluster, answer, call, size)


@pytest.mark.parametrize("size", [1, 300, 5000, 1 << 30])
def test_a_scan_has_every_row_once_in_order(cluster, users, size):
    table = filled(users(), 128)
    assert list(scan_all(cluster, table, size)) == [table.value(*user(i)) for i in range(128)]


def test_a_scan_is_of_one_moment(cluster, users):
    table = filled(users(), 128)
    answer = open_scan(cluster, table)
    assert answer.log_offset == 128 and answer.has_more_results
    found = kv.values(answer.records)
    table.write(*((i,) for i in range(0, 128, 2)), *(user(i) for i in range(200, 300)))
    for call in range(1, 1000):
        answer = next_scan(cluster, answer, call)
        assert not answer.HasField("log_offset")
        found += kv.values(answer.records)
        if not answer.has_more_results:
            break
    assert found == [table.value(*user(i)) for i in range(128)]
    assert next_scan(cluster, answer, call + 1).error_code == NO_SCANNER
    assert len(list(scan_all(cluster, table))) == 164


def test_scans_with_a_limit_and_of_nothing(cluster, users):
    table = filled(users(), 100)
    for limit in (1, 7, 99, 100, 101, 0, -1):
        assert len(list(scan_all(cluster, table, limit=limit))) == (min(limit, 100) if limit > 0 else 100)
    empty = open_scan(cluster, users("empty"))
    assert not empty.has_more_results and empty.log_offset == 0
    assert not empty.HasField("scanner_id") and not empty.HasField("records")


def test_calls_that_make_no_sense(cluster, users, create):
    table, log = filled(users(), 100), create("log")
    bucket = {"table_id": table.id, "bucket_id": 0}
    scan = {"call_seq_id": 0, "batch_size_bytes": 100}
    for wrong in (
        {**scan},
        {**scan, "bucket_scan_req": bucket, "scanner_id": b"x" * 16},
        {**scan, "bucket_scan_req": bucket, "close_scanner": True},
        {"bucket_scan_req": bucket, "call_seq_id": 0},
        {"bucket_scan_req": bucket, "call_seq_id": 0, "batch_size_bytes": -1},
        {"bucket_scan_req": bucket, "batch_size_bytes": 100},
        {**scan, "bucket_scan_req": bucket, "call_seq_id": 1},
    ):
        assert ask(cluster, "SCAN_KV", **wrong).error_code == BAD_SCAN, wrong
    assert open_scan(cluster, log).error_code == NO_PRIMARY_KEY
    assert open_scan(cluster, table, bucket=9).error_code == UNKNOWN
    first = open_scan(cluster, table)
    assert next_scan(cluster, first, 2).error_code == BAD_SCAN
    assert next_scan(cluster, first, 1).error_code == NO_SCANNER  # gone with the error
    assert not close_scan(cluster, first).HasField("error_code")


@pytest.mark.own_server
def test_limits_of_scans(launch):
    server = launch(
        options={
            "kv.scanner.max-per-bucket": 2,
            "kv.scanner.max-per-server": 3,
            "kv.scanner.max-batch-size": "1kb",
        }
    )
    cluster, table = two_filled_buckets(server)
    open_ones = [open_scan(cluster, table, 1 << 30, b) for b in (0, 0, 0, 1, 1)]
    assert [s.error_code for s in open_ones] == [0, 0, TOO_MANY, 0, TOO_MANY]
    assert len(open_ones[0].records) < 1500
    assert close_scan(cluster, open_ones[0]).scanner_id == open_ones[0].scanner_id
    assert not open_scan(cluster, table, 50).HasField("error_code")
    cluster.close()


def two_filled_buckets(server):
    cluster = wire.Cluster(server.address)
    cluster.coordinator.call("CREATE_DATABASE", database_name="d", ignore_if_exists=False)
    table = kv.KvTable.create(cluster, "d", "t", USERS, ["id"], buckets=2)
    for bucket in (0, 1):
        filled(table, 500, bucket)
    return cluster, table


@pytest.mark.own_server
def test_the_time_to_live_of_scans(launch):
    cluster, table = two_filled_buckets(
        launch(options={"kv.scanner.ttl": "1s", "kv.scanner.expiration-interval": "50ms"})
    )

    def lives_on():
        """Whether the idle one has expired, and the other was not left alone for a second."""
        last = time.monotonic()
        idle, kept = open_scan(cluster, table, 50, 1), open_scan(cluster, table, 50)
        assert not idle.HasField("error_code") and not kept.HasField("error_code")
        for call in range(1, 13):
            time.sleep(0.1)
            asked = time.monotonic()
            answer = next_scan(cluster, kept, call, 50)
            if answer.HasField("error_code"):
                assert time.monotonic() - last > 0.9, "one that is used has expired"
                return False
            last = asked
        assert answer.has_more_results
        return next_scan(cluster, idle, 1).error_code == EXPIRED

    patience.until(lives_on, "no scan expires, or the machine stands still too often")
    cluster.close()


def test_a_scan_ends_with_its_table(cluster, users):
    table = filled(users(), 100)
    scanner = open_scan(cluster, table)
    cluster.coordinator.call("DROP_TABLE", table_path=table.path, ignore_if_not_exists=False)
    patience.until(lambda: open_scan(cluster, table).error_code == UNKNOWN, "the table is still there")
    assert next_scan(cluster, scanner, 1).error_code in (EXPIRED, NO_SCANNER)


# ---- counts and offsets


def count(table, bucket=0):
    answer = ask(table.cluster, "GET_TABLE_STATS", table_id=table.id, buckets_req=[{"bucket_id": bucket}])
    return answer.buckets_resp[0]


def test_row_counts(users):
    table = users()
    assert count(table).row_count == 0
    table.write(*(user(i) for i in range(10)))
    table.write(*(user(i, "again") for i in range(5, 15)))
    table.write((0,), (1,), (99,))
    assert count(table).row_count == 13
    wal = users("wal", properties={"table.changelog.image": "WAL"})
    assert count(wal).error_code == INVALID_TABLE


def test_offsets_are_of_the_changelog(users):
    table = users()
    assert [table.offset(kind) for kind in (0, 1)] == [0, 0]
    table.write(user(1), user(2))
    table.write(user(1, "new"))
    assert [table.offset(kind) for kind in (0, 1)] == [0, 4]


# ---- changelogs


def test_changelog_with_a_projection(users):
    table = users()
    table.write(user(1), user(2))
    table.write(user(1, "new"), (2,))
    whole = table.changes()
    assert [kind for _, kind, _ in whole] == ["+I", "+I", "-U", "+U", "-D"]
    for columns in ([0], [1], [0, 2], [0, 1, 2]):
        assert table.changes(columns=columns) == [
            (offset, kind, [row[i] for i in columns]) for offset, kind, row in whole
        ]


def test_batches_without_records_are_there(users):
    """They move the offset, with and without projection."""
    table = users()
    table.write(user(1))
    for _ in range(3):
        table.write((99,))
    table.write(user(2))
    for columns in (None, [1]):
        found = batches.split(table.records(columns=columns))
        assert [(b.base_offset, b.count) for b in found] == [(0, 1), (1, 0), (2, 0), (3, 0), (4, 1)]
    assert table.offset(1) == 5


def test_changelog_of_rows(cluster, users):
    table = users(properties={"table.log.format": "COMPACTED"})
    table.write(user(1), user(2))
    table.write(user(1, "new"), (2,))
    expected = [("+I", user(1)), ("+I", user(2)), ("-U", user(1)), ("+U", user(1, "new")), ("-D", user(2))]
    assert table.changes() == [
        (i, kind, rows.row(table.types(), row, "COMPACTED").hex()) for i, (kind, row) in enumerate(expected)
    ]
    answer = table.fetch(columns=[0])
    assert answer.error_code == PROJECTION


def test_changelog_after_a_new_column(users):
    table = users()
    table.write(user(1))
    newest = table.add_column("city", STRING)
    patience.until(lambda: not table.put([*user(2), "Oslo"], schema_id=newest).HasField("error_code"), "no schema")
    assert [row for _, _, row in table.changes()] == [user(1), [*user(2), "Oslo"]]
    first, second = table.lookup((1,), (2,))
    assert struct.unpack_from("<h", first)[0] == 1 and struct.unpack_from("<h", second)[0] == newest
