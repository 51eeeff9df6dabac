"""FETCH_LOG: where a read starts, how much it returns, and how long it waits."""

import select
import time

import pyarrow as pa
import pytest
from harness import batches, patience, tables
from harness.wire import EARLIEST

OUT_OF_RANGE, UNKNOWN_BUCKET = 19, 21


def rows(first, count, **header):
    return batches.arrow_batch(tables.small_rows(first, count), **header)


@pytest.fixture
def filled(create):
    """Ten batches of ten rows: offsets 0 to 99."""
    table = create()
    for i in range(10):
        table.append(rows(i * 10, 10))
    return table


def bases(answer):
    assert not answer.HasField("error_code"), answer
    return [b.base_offset for b in batches.split(answer.records)]


def test_an_empty_bucket(create):
    answer = create().fetch()
    assert answer.HasField("records") and answer.records == b""
    assert (answer.high_watermark, answer.log_start_offset) == (0, 0)


@pytest.mark.parametrize("offset, first", [(0, 0), (1, 0), (9, 0), (10, 10), (55, 50), (99, 90)])
def test_reading_starts_with_the_batch_that_holds_the_offset(filled, offset, first):
    answer = filled.fetch(offset=offset)
    assert bases(answer) == list(range(first, 100, 10))
    assert answer.high_watermark == 100


def test_earliest(filled):
    assert bases(filled.fetch(offset=EARLIEST)) == list(range(0, 100, 10))


def test_the_end_is_empty_and_beyond_it_is_out_of_range(filled):
    answer = filled.fetch(offset=100)
    assert answer.HasField("records") and answer.records == b""
    assert filled.fetch(offset=101).error_code == OUT_OF_RANGE
    assert filled.fetch(offset=2**62).error_code == OUT_OF_RANGE


@pytest.mark.parametrize("offset", [-1, -3, -(2**63)])
def test_negative_offsets_are_out_of_range(filled, offset):
    assert filled.fetch(offset=offset).error_code == OUT_OF_RANGE


def test_an_error_in_one_bucket_leaves_the_others(cluster, filled):
    more = [{"bucket_id": 7, "fetch_offset": 0, "max_fetch_bytes": 1000}]
    fields = filled.fetch_fields(more_buckets=more)
    answer = cluster.tablet.call("FETCH_LOG", **fields).tables_resp[0]
    by_bucket = {b.bucket_id: b for b in answer.buckets_resp}
    assert by_bucket[7].error_code == UNKNOWN_BUCKET
    assert len(bases(by_bucket[0])) == 10


def test_an_unknown_table(cluster, filled):
    fields = filled.fetch_fields()
    fields["tables_req"][0]["table_id"] = 10**9
    answer = cluster.tablet.call("FETCH_LOG", **fields)
    assert answer.tables_resp[0].buckets_resp[0].error_code == UNKNOWN_BUCKET


def test_several_tables_in_one_request(cluster, create):
    first, second = create("one"), create("two")
    first.append(rows(0, 1))
    second.append(rows(5, 2))
    fields = first.fetch_fields()
    fields["tables_req"] += second.fetch_fields()["tables_req"]
    answer = cluster.tablet.call("FETCH_LOG", **fields)
    found = {t.table_id: batches.rows(t.buckets_resp[0].records, first.schema) for t in answer.tables_resp}
    assert [r["id"] for r in found[first.id]] == [0]
    assert [r["id"] for r in found[second.id]] == [5, 6]


def test_the_first_batch_is_whole_even_above_every_limit(create):
    table = create()
    schema = pa.schema([("id", pa.int32()), ("name", pa.string()), ("score", pa.float64())])
    big = pa.record_batch(
        [pa.array([1], pa.int32()), pa.array(["x" * 200_000]), pa.array([1.0])], schema=schema
    )
    table.append(batches.arrow_batch(big))
    table.append(rows(0, 1))
    for limits in ({"bucket_bytes": 100}, {"max_bytes": 100}, {"max_bytes": 100, "bucket_bytes": 100}):
        found = batches.split(table.records(**limits))
        assert [b.base_offset for b in found] == [0]
        assert found[0].crc_valid


def test_limits_hold_after_the_first_batch(filled):
    size = len(filled.records()) // 10
    for count in (1, 3, 7):
        answer = filled.fetch(bucket_bytes=size * count + 5)
        assert len(batches.split(answer.records)) == count
        assert len(answer.records) <= size * count + 5
        answer = filled.fetch(max_bytes=size * count + 5)
        assert len(batches.split(answer.records)) == count


def test_the_request_limit_is_spent_over_the_buckets(cluster, create):
    table = create(buckets=3)
    for bucket in range(3):
        table.append(rows(0, 50), bucket=bucket)
    size = len(table.records())
    more = [{"bucket_id": b, "fetch_offset": 0, "max_fetch_bytes": 1 << 20} for b in (1, 2)]
    fields = table.fetch_fields(max_bytes=size + 10, more_buckets=more)
    answer = cluster.tablet.call("FETCH_LOG", **fields).tables_resp[0]
    got = sum(len(batches.split(b.records)) for b in answer.buckets_resp)
    assert got == 1
    assert sum(len(b.records) for b in answer.buckets_resp) <= size + 10


def test_a_reader_reaches_the_end_with_any_limit(filled):
    for limit in (1, 500, 1001, 4096):
        offset, seen = 0, []
        while offset < 100:
            found = batches.split(filled.records(offset=offset, bucket_bytes=limit))
            assert found
            seen += [b.base_offset for b in found]
            offset = found[-1].next_offset
        assert seen == list(range(0, 100, 10))


def _timed(table, **options):
    start = time.monotonic()
    answer = table.fetch(**options)
    return time.monotonic() - start, answer


def test_without_min_bytes_nobody_waits(create):
    seconds, answer = _timed(create(), wait_ms=20_000)
    assert seconds < 10 and answer.records == b""


@pytest.mark.parametrize("wait_ms", [0, 300, 1000])
def test_an_empty_bucket_waits_as_long_as_asked(create, wait_ms):
    table = create()

    def look():
        seconds, answer = _timed(table, wait_ms=wait_ms, min_bytes=1)
        assert wait_ms / 1000 - 0.02 <= seconds
        assert answer.HasField("records") and answer.records == b""

    patience.fastest(look, wait_ms / 1000 + 0.5)


def test_min_bytes_that_are_there_need_no_wait(filled):
    seconds, answer = _timed(filled, wait_ms=20_000, min_bytes=1)
    assert seconds < 10 and len(bases(answer)) == 10


def test_an_error_ends_the_wait(filled):
    seconds, answer = _timed(filled, offset=10_000, wait_ms=20_000, min_bytes=1)
    assert seconds < 10 and answer.error_code == OUT_OF_RANGE


@pytest.mark.own_server
def test_the_append_that_satisfies_a_fetch_wakes_it(cluster, create):
    """Apache Fluss 0.9.1 waits for its next check instead, which is 500 ms after the fetch."""
    table = create()

    def look():
        end = table.offset(1)
        with cluster.connect() as c:
            start = time.monotonic()
            request_id = c.send("FETCH_LOG", **table.fetch_fields(offset=end, wait_ms=20_000, min_bytes=1))
            time.sleep(0.1)
            table.append(rows(0, 1))
            answer = c.result("FETCH_LOG", request_id).tables_resp[0].buckets_resp[0]
            assert bases(answer) == [end] and time.monotonic() - start < 10

    patience.fastest(look, 0.45, rounds=100)


def test_an_append_of_another_bucket_wakes_nobody(create):
    table = create(buckets=2)
    table.append(rows(0, 1), bucket=1)
    seconds, answer = _timed(table, wait_ms=500, min_bytes=1)
    assert seconds >= 0.45 and answer.records == b""


@pytest.mark.own_server
def test_a_fetch_waits_until_min_bytes_are_there(create):
    table = create()
    fields = table.fetch_fields(wait_ms=20_000, min_bytes=len(rows(0, 1)) + 1)
    with table.cluster.connect() as c:
        start = time.monotonic()
        request_id = c.send("FETCH_LOG", **fields)
        table.append(rows(0, 1))
        ready, _, _ = select.select([c.socket], [], [], 0.5)
        assert not ready, "one row is not enough"
        table.append(rows(1, 1))
        answer = c.result("FETCH_LOG", request_id).tables_resp[0].buckets_resp[0]
        assert bases(answer) == [0, 1] and time.monotonic() - start < 15


def test_a_satisfied_bucket_answers_for_a_waiting_one(cluster, create):
    table = create(buckets=2)
    table.append(rows(0, 1), bucket=1)
    more = [{"bucket_id": 1, "fetch_offset": 0, "max_fetch_bytes": 1 << 20}]
    start = time.monotonic()
    answer = cluster.tablet.call(
        "FETCH_LOG", **table.fetch_fields(wait_ms=20_000, min_bytes=1, more_buckets=more)
    )
    assert time.monotonic() - start < 10
    found = {b.bucket_id: len(batches.split(b.records)) for b in answer.tables_resp[0].buckets_resp}
    assert found == {0: 0, 1: 1}


def test_dropping_the_table_frees_a_parked_fetch(cluster, create):
    table = create()
    with cluster.connect() as c:
        request_id = c.send("FETCH_LOG", **table.fetch_fields(wait_ms=3000, min_bytes=1))
        time.sleep(0.2)
        cluster.coordinator.call("DROP_TABLE", table_path=table.path, ignore_if_not_exists=False)
        c.result("FETCH_LOG", request_id)
