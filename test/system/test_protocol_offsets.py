"""LIST_OFFSETS, LIMIT_SCAN and GET_TABLE_STATS."""

import time

import pytest
from harness import batches, tables
from harness.wire import CLIENT

UNKNOWN, UNKNOWN_BUCKET, INVALID_TIMESTAMP = -1, 21, 38
BY_TIMESTAMP = 2


@pytest.fixture
def spread(create):
    """Batches of four rows, each in a millisecond of its own."""
    table = create()
    for i in range(5):
        table.append(batches.arrow_batch(tables.small_rows(i * 4, 4)))
        time.sleep(0.02)
    return table


def stamps(table):
    return [b.timestamp for b in batches.split(table.records())]


def test_earliest_and_latest(create):
    table = create(buckets=2)
    assert [table.offset(kind) for kind in (0, 1)] == [0, 0]
    table.append(batches.arrow_batch(tables.small_rows(0, 9)), bucket=1)
    assert [table.offset(kind, bucket) for bucket in (0, 1) for kind in (0, 1)] == [0, 0, 0, 9]


def test_by_timestamp(spread):
    at = stamps(spread)
    for i, stamp in enumerate(at):
        assert spread.offset(BY_TIMESTAMP, timestamp=stamp) == i * 4
        assert spread.offset(BY_TIMESTAMP, timestamp=stamp - 1) == i * 4
    assert spread.offset(BY_TIMESTAMP, timestamp=at[2] + 1) == 12
    assert spread.offset(BY_TIMESTAMP, timestamp=0) == 0


def test_a_timestamp_after_the_last_batch_is_the_end(spread):
    time.sleep(0.05)
    assert spread.offset(BY_TIMESTAMP, timestamp=stamps(spread)[-1] + 1) == 20


def test_a_timestamp_in_the_future(spread):
    later = int(time.time() * 1000) + 3_600_000
    assert spread.offsets(BY_TIMESTAMP, 0, timestamp=later).buckets_resp[0].error_code == INVALID_TIMESTAMP


def test_no_timestamp_and_unknown_types(create):
    table = create()
    assert table.offsets(BY_TIMESTAMP, 0).buckets_resp[0].error_code == UNKNOWN
    assert table.offsets(9, 0).buckets_resp[0].error_code == UNKNOWN


def test_unknown_buckets_fail_alone(create):
    table = create()
    found = {b.bucket_id: b for b in table.offsets(1, 0, 5).buckets_resp}
    assert not found[0].HasField("error_code")
    assert found[5].error_code == UNKNOWN_BUCKET


def test_an_unknown_table(cluster, create):
    create()
    answer = cluster.tablet.call(
        "LIST_OFFSETS", follower_server_id=CLIENT, offset_type=1, table_id=10**9, bucket_id=[0]
    )
    assert answer.buckets_resp[0].error_code == UNKNOWN_BUCKET


def limit_scan(table, limit, bucket=0):
    return table.cluster.tablet.call("LIMIT_SCAN", table_id=table.id, bucket_id=bucket, limit=limit)


@pytest.mark.parametrize("limit, first", [(1, 16), (4, 16), (5, 12), (20, 0), (1000, 0)])
def test_limit_scan_covers_the_last_rows(spread, limit, first):
    answer = limit_scan(spread, limit)
    assert answer.is_log_table and not answer.HasField("error_code")
    found = batches.split(answer.records)
    assert (found[0].base_offset, found[-1].next_offset) == (first, 20)


def test_limit_scan_of_nothing(create):
    answer = limit_scan(create(), 10)
    assert not answer.HasField("error_code") and answer.records == b""


def test_limit_scan_errors_are_in_the_body(create):
    assert limit_scan(create(), 10, bucket=4).error_code == UNKNOWN_BUCKET


def test_table_stats_count_rows(cluster, spread):
    buckets = [{"bucket_id": 0}, {"bucket_id": 3}]
    answer = cluster.tablet.call("GET_TABLE_STATS", table_id=spread.id, buckets_req=buckets)
    found = {b.bucket_id: b for b in answer.buckets_resp}
    assert found[0].row_count == 20 and not found[0].HasField("error_code")
    assert found[3].error_code == UNKNOWN_BUCKET
