"""What has hurt users of Apache Fluss most, as its own issues tell it: each on one server, seen by a client.

The name of a test has the number of the issue. docs/reliability.md has the table of all of them, also of
those whose test is elsewhere.
"""

import os
import shutil
import time

import pyarrow as pa
import pytest
from harness import batches, kv, tables, wire
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.own_server

MARKER = ".fluss_cleanshutdown"
COLUMNS = {"id": tables.INT, "text": tables.STRING}
ROWS = 10  # of a batch


def opened(server, name="t", **options):
    return tables.Table(wire.Cluster(server.address), "fluss", name, tables.SMALL_ARROW).open(**options)


def begin(launch, count, **options):
    """A server with a table of so many batches of ten rows."""
    server = launch(options=options)
    table = tables.Table.create(
        wire.Cluster(server.address), "fluss", "t", tables.SMALL, tables.SMALL_ARROW
    )
    for number in range(count):
        append(table, number)
    return server, table


def batch(number, **header):
    return batches.arrow_batch(tables.small_rows(number * ROWS, ROWS), **header)


def append(table, number, **header):
    assert table.append(batch(number, **header)) == number * ROWS


def ids(table, **where):
    """The ids of all rows, by offset."""
    found, offset, end = [], 0, table.offset(1, **where)
    while offset < end:
        for one in batches.split(table.records(offset=offset, bucket_bytes=1 << 20, **where), whole=True):
            assert one.base_offset == offset and one.crc_valid
            found += one.table(table.schema)["id"].to_pylist()
            offset = one.next_offset
    return found


def expect(table, count):
    """So many batches, and the next one follows."""
    assert ids(table) == list(range(count * ROWS))
    append(table, count)


def stop(server, table, how):
    table.cluster.close()
    getattr(server, how)()


def lose_the_clean_stop(server):
    (server.data_dir / MARKER).unlink()


def logs(server):
    return sorted(p for p in server.data_dir.rglob("log-0/*.log") if p.stat().st_size)


# ---- a server that does not start again ----


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_2941_a_log_cut_short_behind_indexes_that_are_whole(launch, cut):
    """EOFException at every start; the indexes looked right, so the log was not looked at."""
    server, table = begin(launch, 30, **{"log.index.interval-size": "1b"})
    stop(server, table, "terminate")
    lose_the_clean_stop(server)
    (server.data_dir / "recovery-point-offset-checkpoint").unlink()
    (log,) = logs(server)
    os.truncate(log, log.stat().st_size - cut)
    server.start()
    table = opened(server)
    expect(table, 29)
    table.cluster.close()


@pytest.mark.parametrize("left", [1, 11, 20, 47])
def test_3009_a_last_segment_of_half_a_header(launch, left):
    """NoSuchElementException at every start; the cure was to remove the bucket."""
    server, table = begin(launch, 40, **{"log.segment.file-size": "2kb"})
    stop(server, table, "terminate")
    lose_the_clean_stop(server)
    (server.data_dir / "recovery-point-offset-checkpoint").unlink()
    last = logs(server)[-1]
    os.truncate(last, left)
    server.start()
    table = opened(server)
    assert table.offset(1) == int(last.stem)
    expect(table, int(last.stem) // ROWS)
    table.cluster.close()


@pytest.mark.timeout(300)
def test_3224_a_disk_that_filled_up_and_a_dropped_partition_that_frees_it(launch, small_disk):
    """The server stayed down, and dropping the partition did not help."""
    server = launch(data_dir=small_disk / "data")
    columns = {"id": tables.INT, "text": tables.STRING, "day": tables.STRING}
    table = tables.Table.create(
        wire.Cluster(server.address), "fluss", "t", columns, partition_key=["day"]
    )
    days = {day: table.add_partition(day=day) for day in ("mon", "tue")}
    taken = dict.fromkeys(days, 0)

    def put(day):
        answer = table.produce(row_of(day, taken[day]), partition=days[day])
        taken[day] += not answer.HasField("error_code")
        return answer

    for day in ("tue", *["mon"] * 300):
        if put(day).HasField("error_code"):
            break
    assert taken["tue"] == 1 and 50 < taken["mon"] < 300
    table.cluster.close()
    server.kill()
    with open(small_disk / "ballast", "ab", buffering=0) as ballast:  # not a byte is left
        with pytest.raises(OSError, match="No space left"):
            while ballast.write(bytes(4096)):
                pass
    os.truncate(small_disk / "ballast", (small_disk / "ballast").stat().st_size - (64 << 10))
    server.start()
    table.cluster = wire.Cluster(server.address)
    assert [table.offset(1, partition=days[d]) for d in days] == [taken["mon"], 1]
    table.cluster.coordinator.call(
        "DROP_PARTITION",
        table_path=table.path,
        partition_spec={"partition_key_values": [{"key": "day", "value": "mon"}]},
        ignore_if_not_exists=False,
    )
    deadline = time.monotonic() + PATIENCE_S
    while put("tue").HasField("error_code"):
        assert time.monotonic() < deadline, "the partition is gone, its space is not"
        time.sleep(0.1)
    assert table.offset(1, partition=days["tue"]) == 2
    table.cluster.close()


def row_of(day, number):
    schema = pa.schema([("id", pa.int32()), ("text", pa.string()), ("day", pa.string())])
    rows = [{"id": number, "text": "x" * 400_000, "day": day}]
    return batches.arrow_batch(pa.RecordBatch.from_pylist(rows, schema=schema))


def test_1486_what_dropped_tables_have_left(launch):
    """A server that was stopped before it had removed a dropped table looked for its schema, and ended."""
    server, table = begin(launch, 20)
    gone = tables.Table.create(table.cluster, "fluss", "gone", tables.SMALL, tables.SMALL_ARROW)
    keyed = kv.KvTable.create(table.cluster, "fluss", "keyed", COLUMNS, ["id"])
    append(gone, 0)
    keyed.write([1, "one"])
    places = [p for name in ("gone", "keyed") for p in (server.data_dir / "fluss").glob(f"{name}-*")]
    copies = [(p, server.workdir / p.name) for p in places]
    for place, copy in copies:
        shutil.copytree(place, copy)
    for one in (gone, keyed):
        table.cluster.coordinator.call("DROP_TABLE", table_path=one.path, ignore_if_not_exists=False)
    stop(server, table, "kill")
    for place, copy in copies:  # as if nothing of them had been removed
        shutil.rmtree(place, ignore_errors=True)
        copy.rename(place)
    server.start()
    table = opened(server)
    expect(table, 20)
    names = table.cluster.coordinator.call("LIST_TABLES", database_name="fluss").table_name
    assert list(names) == ["t"]
    again = tables.Table.create(table.cluster, "fluss", "gone", tables.SMALL, tables.SMALL_ARROW)
    assert again.id > gone.id and again.offset(1) == 0
    table.cluster.close()


@pytest.mark.parametrize("how", ["terminate", "kill"])
@pytest.mark.parametrize("left", ["missing", "empty", "of an earlier time"])
def test_705_the_newest_state_of_writers_is_not_on_the_disk(launch, left, how):
    """OutOfOrderSequenceException while the log was read, and no start; empty after a crash: 567."""
    server, table = begin(launch, 0, **{"log.segment.file-size": "4kb"})
    writer = table.cluster.tablet.call("INIT_WRITER").writer_id
    for number in range(40):
        append(table, number, writer_id=writer, sequence=number)
    stop(server, table, how)
    known = sorted(server.data_dir.rglob("log-0/*.writer_snapshot"), key=lambda p: int(p.stem))
    assert known
    for path in known if left == "missing" else known[-1:]:
        os.truncate(path, 0) if left == "empty" else path.unlink()
    server.start()
    table = opened(server)
    assert table.append(batch(39, writer_id=writer, sequence=39)) == 390, "a duplicate"
    append(table, 40, writer_id=writer, sequence=40)
    assert ids(table) == list(range(410))
    table.cluster.close()


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_1624_a_writer_that_was_silent_for_longer_than_it_is_remembered(launch, how):
    """Forgotten by one server and not by another it was out of order for ever; 1383: so it was when the
    log was read at a start, which failed."""
    often = {
        "server.writer-id.expiration-time": "500ms",
        "server.writer-id.expiration-check-interval": "50ms",
    }
    server, table = begin(launch, 0, **often)
    writer = table.cluster.tablet.call("INIT_WRITER").writer_id
    for number in range(5):
        append(table, number, writer_id=writer, sequence=number)
    time.sleep(1.5)
    answer = table.produce(batch(5, writer_id=writer, sequence=5))
    count = 5 if answer.HasField("error_code") else 6
    stop(server, table, how)
    server.start()
    table = opened(server)
    assert ids(table) == list(range(count * ROWS))
    fresh = table.cluster.tablet.call("INIT_WRITER").writer_id
    assert fresh > writer
    append(table, count, writer_id=fresh, sequence=0)
    table.cluster.close()


# ---- rows that are lost, or doubled ----


@pytest.mark.parametrize("said", ["0", "missing", "garbage"])
def test_674_a_high_watermark_that_lags_behind_takes_nothing_away(launch, said):
    """What was above the high watermark that a server remembered was cut off, acknowledged or not."""
    server, table = begin(launch, 30)
    stop(server, table, "kill")
    known = server.data_dir / "high-watermark-checkpoint"
    if said == "0":
        known.write_text(f"0\n1\n{table.id} 0 0\n")
    elif said == "garbage":
        known.write_text("\x00\x01 no checkpoint")
    else:
        known.unlink(missing_ok=True)
    server.start()
    table = opened(server)
    expect(table, 30)
    table.cluster.close()


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_589_writers_go_on_after_the_server_was_away(launch, how):
    """OutOfOrderSequenceException for ever; 709: also after a clean stop. Five batches are under way when
    the server goes; the client sends all again that were not acknowledged, in their order."""
    server = launch()
    table = kv.KvTable.create(wire.Cluster(server.address), "fluss", "t", COLUMNS, ["id"])
    writer = table.cluster.tablet.call("INIT_WRITER").writer_id
    sequence = 0
    for _ in range(4):
        sent = []
        with wire.Connection(server.address) as connection:
            for _ in range(5):
                # a removal of what is not there changes nothing, and has its number all the same (230)
                records = [(sequence + 1000,)] if sequence % 3 == 0 else [[sequence, f"row {sequence}"]]
                raw = table.batch(*records, writer_id=writer, sequence=sequence)
                sent.append((raw, connection.send("PUT_KV", **table.put_fields(raw))))
                sequence += 1
            getattr(server, how)()
        table.cluster.close()
        server.start()
        table.cluster = wire.Cluster(server.address)
        table.open()
        for raw, _ in sent:
            answer = table.cluster.tablet.call("PUT_KV", version=1, **table.put_fields(raw)).buckets_resp[0]
            assert not answer.HasField("error_code"), answer
    keys = [k for k in range(sequence) if k % 3]
    assert table.lookup(*[(k,) for k in keys]) == [table.value(k, f"row {k}") for k in keys]
    changes = [(kind, row[0]) for _, kind, row in table.changes()]
    assert changes == [("+I", k) for k in keys], "each row once, in the order of the writer"
    table.cluster.close()


def test_4121_writes_to_partitions_that_have_just_been_created(cluster, db):
    """The first batches overtook one another while the partition came up: out of order, and the job failed."""
    columns = {"id": tables.INT, "text": tables.STRING, "hour": tables.STRING}
    table = kv.KvTable.create(cluster, db, "t", columns, ["id", "hour"], partition_key=["hour"])
    writer = cluster.tablet.call("INIT_WRITER").writer_id
    for number in range(20):
        hour = f"h{number}"
        cluster.coordinator.call(
            "CREATE_PARTITION",
            table_path=table.path,
            partition_spec={"partition_key_values": [{"key": "hour", "value": hour}]},
            ignore_if_not_exists=False,
        )
        made = cluster.tablet.call("GET_METADATA", partitions_path=[{**table.path, "partition_name": hour}])
        partition = made.partition_metadata[0].partition_id
        with cluster.connect() as connection:
            sent = []
            for sequence in range(5):
                row = [sequence, f"row {sequence}", hour]
                raw = table.batch(row, writer_id=writer, sequence=sequence)
                fields = table.put_fields(raw, partition=partition)
                sent.append(connection.send("PUT_KV", **fields))
            for sequence, request in enumerate(sent):
                answer = connection.result("PUT_KV", request).buckets_resp[0]
                assert not answer.HasField("error_code"), answer
                assert answer.log_end_offset == sequence + 1
        found = table.lookup(*[(k,) for k in range(5)], partition=partition)
        assert found == [table.value(k, f"row {k}", hour) for k in range(5)]


@pytest.mark.timeout(300)
def test_4149_whoever_is_named_as_leader_answers(launch):
    """A leader was announced minutes before it knew of its buckets, and refused every request till then."""
    buckets = 16
    server = launch()
    cluster = wire.Cluster(server.address)
    keyed = kv.KvTable.create(cluster, "fluss", "keyed", COLUMNS, ["id"], buckets=buckets)
    for number in range(40):
        rows = [[number * 100 + i, "x" * 2000] for i in range(20)]
        for bucket in range(buckets):
            keyed.write(*rows, bucket=bucket)
    for _ in range(3):
        cluster.close()
        server.kill()
        server.start()
        cluster = keyed.cluster = wire.Cluster(server.address)
        with wire.Connection(server.address) as connection:
            sent = [
                connection.send("LOOKUP", **keyed.lookup_fields((3900 + b,), bucket=b)) for b in range(buckets)
            ]
            for bucket, request in enumerate(sent):
                answer = connection.result("LOOKUP", request).buckets_resp[0]
                assert not answer.HasField("error_code"), answer
                assert answer.values[0].values == keyed.value(3900 + bucket, "x" * 2000)
    cluster.close()
