"""Many requests at once: order of starts, order of answers, peers that do not read."""

import socket
import struct
import threading
import time

import pyarrow as pa
import pytest
from harness import batches, patience, tables, wire, world

LIST_DATABASES = 1003


def test_a_thousand_requests_in_one_write(cluster):
    with cluster.connect() as c:
        c.send_bytes(b"".join(wire.frame(LIST_DATABASES, i) for i in range(1000)))
        assert sorted(c.receive().id for _ in range(1000)) == list(range(1000))


def test_a_thousand_pipelined_appends_keep_their_order(cluster, create):
    table = create()
    with cluster.connect() as c:
        ids = []
        for i in range(1000):
            records = batches.arrow_batch(tables.small_rows(i, 1))
            ids.append(c.send("PRODUCE_LOG", **table.produce_fields(records)))
        answers = [c.result("PRODUCE_LOG", i).buckets_resp[0] for i in ids]
    assert [a.base_offset for a in answers] == list(range(1000))
    assert not any(a.HasField("error_code") for a in answers)
    rows = batches.rows(table.records(bucket_bytes=16 << 20), table.schema)
    assert [r["id"] for r in rows] == list(range(1000))


def test_idempotent_batches_sent_back_to_back(cluster, create):
    table = create()
    with cluster.connect() as c:
        writer = c.call("INIT_WRITER").writer_id
        ids = []
        for sequence in range(200):
            records = batches.arrow_batch(tables.small_rows(sequence, 1), writer_id=writer, sequence=sequence)
            ids.append(c.send("PRODUCE_LOG", **table.produce_fields(records)))
        answers = [c.result("PRODUCE_LOG", i).buckets_resp[0] for i in ids]
    assert [a.base_offset for a in answers] == list(range(200))


def test_a_parked_fetch_blocks_nobody(cluster, create):
    table = create()

    def others_are_first():
        with cluster.connect() as c:
            end, start = table.offset(1), time.monotonic()
            parked = c.send("FETCH_LOG", **table.fetch_fields(offset=end, wait_ms=3000, min_bytes=1 << 20))
            for _ in range(50):
                c.call("LIST_DATABASES")
            table.produce(batches.arrow_batch(tables.small_rows(0, 3)), connection=c)
            if parked in c.early:
                return False
            answer = c.result("FETCH_LOG", parked)
            assert time.monotonic() - start >= 2.9
            assert len(batches.split(answer.tables_resp[0].buckets_resp[0].records)) == 1
        return True

    patience.until(others_are_first, "each time the parked one was answered first", seconds=30)


def test_many_fetches_parked_on_one_connection(cluster, create):
    table = create()
    with cluster.connect() as c:
        fields = table.fetch_fields(wait_ms=20_000, min_bytes=1)
        parked = [c.send("FETCH_LOG", **fields) for _ in range(20)]
        c.call("LIST_DATABASES")
        table.append(batches.arrow_batch(tables.small_rows(0, 1)))
        for request_id in parked:
            answer = c.result("FETCH_LOG", request_id)
            assert answer.tables_resp[0].buckets_resp[0].records


def test_peers_that_leave_while_their_fetch_is_parked(cluster, create):
    table = create()
    for _ in range(20):
        with cluster.connect() as c:
            c.send("FETCH_LOG", **table.fetch_fields(wait_ms=20_000, min_bytes=1))
    assert table.append(batches.arrow_batch(tables.small_rows(0, 1))) == 0
    assert table.records()


def _big_table(create, megabytes=8):
    table = create(
        columns={"payload": tables.STRING}, properties={"table.log.arrow.compression.type": "NONE"}
    )
    table.schema = pa.schema([("payload", pa.string())])
    records = batches.arrow_batch(pa.record_batch([pa.array(["x" * 1000] * 500)], schema=table.schema))
    for _ in range(2 * megabytes):
        table.append(records)
    return table


def test_a_peer_that_never_reads_stops_only_itself(cluster, create, server):
    table = _big_table(create)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = cluster.tablet_address.rsplit(":", 1)
    deaf.connect((host, int(port)))
    body = wire.request("FETCH_LOG", **table.fetch_fields(bucket_bytes=8 << 20)).SerializeToString()
    deaf.settimeout(0.5)
    try:
        for i in range(300):
            deaf.sendall(wire.frame(1015, i, body))
    except TimeoutError:
        pass  # over its budget the connection is not read any more
    with cluster.connect() as c:
        start = time.monotonic()
        for _ in range(20):
            c.call("LIST_DATABASES")
        assert table.append(batches.arrow_batch(_one_row(table))) > 0
        assert time.monotonic() - start < 60
    deaf.close()
    server.check()


def _one_row(table):
    return pa.record_batch([pa.array(["y"])], schema=table.schema)


@pytest.mark.own_server
def test_memory_stays_bounded_with_peers_that_never_read(cluster, create, server):
    table = _big_table(create)
    body = wire.request("FETCH_LOG", **table.fetch_fields(bucket_bytes=8 << 20)).SerializeToString()
    before = world.resident(server)
    deaf = []
    for _ in range(10):
        c = cluster.connect()
        c.socket.settimeout(0.2)
        deaf.append(c)
        try:
            for i in range(100):
                c.send_bytes(wire.frame(1015, i, body))
        except TimeoutError:
            pass
    time.sleep(1)
    grown = world.resident(server) - before
    for c in deaf:
        c.close()
    assert grown < 256 << 20, f"{grown >> 20} MiB for 10 peers that asked 8 GB and read nothing"
    server.check()


def test_a_slow_reader_gets_everything(cluster, create):
    table = _big_table(create, megabytes=4)
    with cluster.connect() as c:
        request_id = c.send("FETCH_LOG", **table.fetch_fields(bucket_bytes=4 << 20))
        (length,) = struct.unpack(">i", c._exactly(4))
        data = bytearray()
        while len(data) < length:
            data += c.socket.recv(min(65536, length - len(data)))
            time.sleep(0.005)
    assert struct.unpack(">i", data[1:5])[0] == request_id
    answer = wire.parse_response("FETCH_LOG", bytes(data[5:])).tables_resp[0].buckets_resp[0]
    found = batches.split(answer.records)
    assert len(found) >= 6 and all(b.crc_valid for b in found)


def test_many_connections(cluster):
    connections = [wire.Connection(cluster.tablet_address) for _ in range(200)]
    for c in connections:
        c.send("API_VERSIONS", client_software_name="test", client_software_version="1")
    for c in connections:
        assert c.receive().kind == wire.OK
        c.close()


def test_concurrent_writers_on_their_own_connections(cluster, create):
    table = create(buckets=3)
    failures = []

    def write(worker):
        try:
            with cluster.connect() as c:
                for i in range(50):
                    records = batches.arrow_batch(tables.small_rows(worker * 1000 + i, 2))
                    answer = table.produce(records, connection=c, bucket=worker % 3)
                    assert not answer.HasField("error_code"), answer
        except Exception as e:  # noqa: BLE001  reported by the main thread
            failures.append(e)

    threads = [threading.Thread(target=write, args=(w,)) for w in range(9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    for bucket in range(3):
        found = batches.split(table.records(bucket=bucket, bucket_bytes=16 << 20))
        assert table.offset(1, bucket) == 300
        assert [b.base_offset for b in found] == list(range(0, 300, 2))
