"""PRODUCE_LOG: offsets and timestamps, acknowledgements, errors of a bucket, idempotent writers."""

import random
import time

import pytest
from harness import batches, tables
from harness.wire import ErrorReply

CORRUPT_RECORD, INVALID_ACKS, UNKNOWN_BUCKET, OUT_OF_ORDER = 14, 18, 21, 31


def rows(first, count, **header):
    return batches.arrow_batch(tables.small_rows(first, count), **header)


def ids(table, **where):
    return [r["id"] for r in batches.rows(table.records(bucket_bytes=16 << 20, **where), table.schema)]


@pytest.mark.parametrize("acks", [-1, 0, 1])
def test_offsets_are_contiguous(create, acks):
    table = create()
    expected = 0
    for count in (1, 7, 100, 3):
        assert table.append(rows(expected, count), acks=acks) == expected
        expected += count
    table.await_end(expected)
    found = batches.split(table.records(), whole=True)
    assert [b.base_offset for b in found] == [0, 1, 8, 108]
    assert all(b.crc_valid for b in found)
    assert ids(table) == list(range(111))


def test_several_batches_in_one_request(create):
    table = create()
    assert table.append(rows(0, 2) + rows(2, 3) + rows(5, 1)) == 0
    assert table.append(rows(6, 1)) == 6
    assert [b.base_offset for b in batches.split(table.records())] == [0, 2, 5, 6]


def test_timestamps_are_of_the_server_and_never_go_back(create):
    table = create()
    before = int(time.time() * 1000) - 1000
    for i in range(20):
        table.append(rows(i, 1))
    stamps = [b.timestamp for b in batches.split(table.records())]
    assert stamps == sorted(stamps)
    assert before <= stamps[0] <= stamps[-1] <= int(time.time() * 1000) + 1000


def test_header_and_body_stay_as_they_came(create):
    table = create()
    sent = rows(0, 5)
    table.append(sent)
    stored = table.records()
    assert stored[8:13] == sent[8:13] and stored[21:] == sent[21:]


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_codecs(create, codec):
    table = create()
    table.append(rows(0, 1000, codec=codec))
    assert ids(table) == list(range(1000))


def test_a_partial_batch_at_the_end_is_dropped(create):
    table = create()
    assert table.append(rows(0, 2) + rows(2, 2)[:-1]) == 0
    assert table.append(rows(2, 1) + b"\0" * 11) == 2
    assert ids(table) == [0, 1, 2]


def test_no_complete_batch_is_success(create):
    table = create()
    answer = table.produce(rows(0, 2)[:40])
    assert not answer.HasField("error_code")
    assert table.offset(1) == 0


def test_damaged_batches_are_refused(create):
    table = create()
    good = rows(0, 4)
    for at in (22, 25, 29, 33, 48, 60, len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 0x40
        answer = table.produce(bytes(bad))
        assert answer.error_code == CORRUPT_RECORD, f"byte {at}"
    assert table.offset(1) == 0
    assert table.append(good) == 0


def test_a_damaged_batch_takes_the_good_one_before_it_along(create):
    table = create()
    bad = bytearray(rows(2, 2))
    bad[-1] ^= 1
    assert table.produce(rows(0, 2) + bytes(bad)).error_code == CORRUPT_RECORD
    assert table.offset(1) == 0


def test_garbage_never_hurts(create, server):
    table = create()
    chance = random.Random(7)
    good = rows(0, 3)
    for _ in range(200):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        table.produce(bytes(data[: chance.randrange(len(data) + 1)]))
    for _ in range(100):
        table.produce(chance.randbytes(chance.randrange(200)))
    server.check()
    end = table.offset(1)
    assert table.append(good) == end


@pytest.mark.parametrize("acks", [-2, 2, 100])
def test_acks_that_do_not_exist(create, acks):
    table = create()
    with pytest.raises(ErrorReply) as e:
        table.produce(rows(0, 1), acks=acks)
    assert e.value.code == INVALID_ACKS
    assert table.offset(1) == 0


def test_unknown_buckets_fail_alone(cluster, create):
    table = create(buckets=2)
    fields = table.produce_fields(rows(0, 1), bucket=0)
    fields["buckets_req"] += [
        {"bucket_id": 99, "records": rows(0, 1)},
        {"bucket_id": -1, "records": rows(0, 1)},
        {"bucket_id": 1, "partition_id": 12345, "records": rows(0, 1)},
    ]
    answer = cluster.tablet.call("PRODUCE_LOG", **fields)
    codes = {(b.bucket_id, b.HasField("partition_id")): b.error_code for b in answer.buckets_resp}
    assert codes[0, False] == 0
    assert codes[99, False] == codes[-1, False] == codes[1, True] == UNKNOWN_BUCKET
    assert table.offset(1) == 1


def test_an_unknown_table(cluster, create):
    table = create()
    fields = {**table.produce_fields(rows(0, 1)), "table_id": 10**9}
    answer = cluster.tablet.call("PRODUCE_LOG", **fields)
    assert answer.buckets_resp[0].error_code == UNKNOWN_BUCKET


def test_a_request_without_buckets(cluster, create):
    table = create()
    fields = {**table.produce_fields(b""), "buckets_req": []}
    assert len(cluster.tablet.call("PRODUCE_LOG", **fields).buckets_resp) == 0


@pytest.mark.parametrize("magic", [0, 1, 2])
def test_magics(create, magic, request):
    if magic and request.config.getoption("--bootstrap"):
        pytest.skip("Fluss 0.9.1 does not know magic 1 for clients")
    table = create()
    table.append(rows(0, 3, magic=magic))
    table.append(rows(3, 1))
    found = batches.split(table.records(), whole=True)
    assert [b.magic for b in found] == [magic, 0]
    assert found[0].crc_valid and found[0].base_offset == 0
    assert ids(table) == [0, 1, 2, 3]


@pytest.fixture
def writer(cluster):
    return cluster.tablet.call("INIT_WRITER").writer_id


def test_writer_ids_are_fresh(cluster, writer):
    assert 0 <= writer < cluster.tablet.call("INIT_WRITER").writer_id


def test_duplicates_are_answered_with_their_offsets(create, writer):
    table = create()
    sent = [rows(i, 2, writer_id=writer, sequence=i) for i in range(7)]
    offsets = [table.append(batch) for batch in sent]
    assert offsets == [0, 2, 4, 6, 8, 10, 12]
    for i in (6, 5, 4, 3, 2):
        assert table.append(sent[i]) == offsets[i], f"sequence {i}"
    assert table.offset(1) == 14


def test_a_duplicate_older_than_five_batches_is_out_of_order(create, writer):
    table = create()
    sent = [rows(i, 1, writer_id=writer, sequence=i) for i in range(7)]
    for batch in sent:
        table.append(batch)
    assert table.produce(sent[1]).error_code == OUT_OF_ORDER
    assert table.offset(1) == 7


@pytest.mark.parametrize("sequence", [2, 5, 2**31 - 1])
def test_gaps_are_out_of_order(create, writer, sequence):
    table = create()
    table.append(rows(0, 1, writer_id=writer, sequence=0))
    assert table.produce(rows(1, 1, writer_id=writer, sequence=sequence)).error_code == OUT_OF_ORDER
    assert table.append(rows(1, 1, writer_id=writer, sequence=1)) == 1


def test_a_new_writer_starts_at_zero(create, writer):
    table = create()
    assert table.produce(rows(0, 1, writer_id=writer, sequence=3)).error_code == OUT_OF_ORDER
    assert table.append(rows(0, 1, writer_id=writer, sequence=0)) == 0


def test_sequences_of_one_request_follow_each_other(create, writer):
    table = create()
    chain = b"".join(rows(i, 1, writer_id=writer, sequence=i) for i in range(4))
    assert table.append(chain) == 0
    broken = b"".join(rows(i, 1, writer_id=writer, sequence=i) for i in (4, 6))
    assert table.produce(broken).error_code == OUT_OF_ORDER
    assert table.offset(1) == 4


def test_buckets_and_writers_have_their_own_sequences(cluster, create, writer):
    table = create(buckets=2)
    other = cluster.tablet.call("INIT_WRITER").writer_id
    for bucket in (0, 1):
        for who in (writer, other):
            table.append(rows(0, 1, writer_id=who, sequence=0), bucket=bucket)
    assert [table.offset(1, b) for b in (0, 1)] == [2, 2]
