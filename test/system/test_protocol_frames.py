"""Frames: what is unknown, broken, cut or oversized, and what happens to the connection."""

import os
import struct
import time

import pytest
from harness import patience, wire
from harness.wire import ERROR, OK

UNSUPPORTED_VERSION, CORRUPT_MESSAGE = 2, 3
LIST_DATABASES = 1003


@pytest.fixture
def connection(cluster):
    with cluster.connect() as c:
        yield c


def alive(connection):
    assert "fluss" in connection.call("LIST_DATABASES").database_name


def test_api_versions_lists_each_api_once(connection):
    versions = connection.hello().api_versions
    keys = [v.api_key for v in versions]
    assert len(keys) == len(set(keys))
    assert all(v.min_version <= v.max_version for v in versions)
    needed = "CREATE_TABLE GET_METADATA GET_TABLE_INFO"
    assert {wire.apis()[name][0] for name in needed.split()} - set(keys) <= {1005}


@pytest.mark.own_server
def test_one_process_offers_both_roles(connection):
    answer = connection.hello()
    assert not answer.HasField("server_type")
    offered = {v.api_key: v for v in answer.api_versions}
    flow = [
        "CREATE_DATABASE",
        "DROP_DATABASE",
        "LIST_DATABASES",
        "DATABASE_EXISTS",
        "CREATE_TABLE",
        "DROP_TABLE",
        "GET_TABLE_INFO",
        "LIST_TABLES",
        "LIST_PARTITION_INFOS",
        "TABLE_EXISTS",
        "GET_TABLE_SCHEMA",
        "GET_METADATA",
        "PRODUCE_LOG",
        "FETCH_LOG",
        "LIST_OFFSETS",
        "INIT_WRITER",
        "LIMIT_SCAN",
        "GET_DATABASE_INFO",
        "CREATE_PARTITION",
        "DROP_PARTITION",
        "ALTER_TABLE",
        "GET_TABLE_STATS",
        "ALTER_DATABASE",
    ]
    assert {name for name in flow if wire.apis()[name][0] not in offered} == set()
    assert offered[wire.apis()["PRODUCE_LOG"][0]].max_version == 0


def test_the_example_of_the_protocol_text(connection):
    connection.send_bytes(bytes.fromhex("00000016 03e8 0000 00000000 0a05666c757373 1205302e312e30"))
    reply = connection.receive()
    assert (reply.kind, reply.id) == (OK, 0)


@pytest.mark.own_server
@pytest.mark.parametrize("key", [0, 999, 1099, 2000, 32767, -1])
def test_unknown_api_is_answered_and_the_connection_lives(connection, key):
    reply = connection.ask(key, b"\x0a\x03abc")
    assert (reply.kind, reply.error().error_code) == (ERROR, UNSUPPORTED_VERSION)
    alive(connection)


@pytest.mark.own_server
@pytest.mark.parametrize("version", [1, 7, 32767, -1])
def test_a_version_that_is_not_offered(connection, version):
    reply = connection.ask("LIST_DATABASES", b"", version=version)
    assert (reply.kind, reply.error().error_code) == (ERROR, UNSUPPORTED_VERSION)
    alive(connection)


BROKEN = {
    "text": b"this is no protobuf",
    "cut varint": b"\x08\xff",
    "length beyond the end": b"\x0a\x7fabc",
    "required fields missing": b"",
    "wrong wire type": b"\x08\x01\x12\x01a\x18\x01",
    "endless varint": b"\x08" + b"\xff" * 11,
    "huge length": b"\x0a\xff\xff\xff\xff\x0f",
}


@pytest.mark.own_server
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("api", ["CREATE_TABLE", "PRODUCE_LOG", "FETCH_LOG", "LIST_OFFSETS"])
def test_an_unparsable_body_is_answered(connection, api, body):
    reply = connection.ask(api, body)
    assert (reply.kind, reply.error().error_code) == (ERROR, CORRUPT_MESSAGE)
    alive(connection)


def test_unknown_fields_are_skipped(connection):
    later = b"\xf8\x3f\x01" + b"\xfa\x3f\x03abc" + b"\xf9\x3f" + bytes(8) + b"\xfd\x3f" + bytes(4)
    reply = connection.ask("LIST_DATABASES", later)
    assert reply.kind == OK
    assert "fluss" in wire.parse_response("LIST_DATABASES", reply.body).database_name


def test_empty_packed_field_of_the_java_client(connection):
    reply = connection.ask("GET_METADATA", bytes.fromhex("1a00"))
    assert reply.kind == OK


@pytest.mark.own_server
def test_an_oversized_frame_closes_only_its_connection(cluster, launch):
    limit = 1 << 20
    server = launch("small", options={"netty.server.max-request-size": "1mb"})
    with wire.Connection(server.address) as other, wire.Connection(server.address) as c:
        c.hello()
        largest = limit - 12
        assert c.ask(LIST_DATABASES, b"\xfa\x3f" + _varint(largest - 5) + bytes(largest - 5)).kind == OK
        c.send_bytes(struct.pack(">ihhi", limit + 1, LIST_DATABASES, 0, 9))
        c.assert_closed()
        other.hello()
        alive(other)


@pytest.mark.own_server
def test_the_default_frame_limit(connection, server):
    connection.send_bytes(struct.pack(">i", 100 * 1024 * 1024 + 1) + bytes(64))
    connection.assert_closed()
    with wire.Connection(server.address) as c:
        c.hello()


@pytest.mark.own_server
@pytest.mark.parametrize("length", [-1, -(2**31), 0, 7])
def test_a_length_that_cannot_be(connection, server, length):
    connection.send_bytes(struct.pack(">i", length) + bytes(16))
    connection.assert_closed()
    with wire.Connection(server.address) as c:
        c.hello()


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def test_one_byte_per_write(connection):
    data = wire.frame(LIST_DATABASES, 77) + wire.frame(LIST_DATABASES, 78)
    for i in range(len(data)):
        connection.send_bytes(data[i : i + 1])
        time.sleep(0.001)
    assert [connection.receive().id for _ in range(2)] == [77, 78]


def test_frames_cut_anywhere(connection):
    data = b"".join(wire.frame(LIST_DATABASES, i) for i in range(20))
    for cut in (1, 3, 4, 5, 11, 12, 13, 30, 200):
        connection.send_bytes(data[:cut])
        time.sleep(0.02)
        connection.send_bytes(data[cut:])
        assert sorted(connection.receive().id for _ in range(20)) == list(range(20))


def test_a_peer_that_leaves_in_the_middle_of_a_frame(cluster):
    for size in (0, 1, 4, 9, 13):
        c = wire.Connection(cluster.tablet_address)
        c.send_bytes(wire.frame(LIST_DATABASES, 1, b"\xfa\x3f\x04abcd")[:size])
        c.close()
    with cluster.connect() as c:
        alive(c)


def test_request_ids_come_back_as_they_are(connection):
    for request_id in (0, 1, 2**31 - 1, -1, -(2**31)):
        connection.send_bytes(wire.frame(LIST_DATABASES, request_id))
        assert connection.receive().id == request_id


def test_request_ids_may_repeat(connection):
    connection.send_bytes(wire.frame(LIST_DATABASES, 5) * 3)
    assert [connection.receive().id for _ in range(3)] == [5, 5, 5]


@pytest.mark.own_server
def test_idle_connections_close(launch):
    server = launch("idle", options={"netty.connection.max-idle-time": "1s"})

    def watch():
        """Whether one that speaks 8 times in 2 seconds was idle for half a second all the same."""
        with wire.Connection(server.address) as idle, wire.Connection(server.address) as busy:
            idle.hello()
            last = time.monotonic()
            for _ in range(8):
                try:
                    busy.hello()
                except (wire.Closed, OSError):
                    assert time.monotonic() - last > 0.5, "one that speaks was closed"
                    return False
                last = time.monotonic()
                time.sleep(0.25)
            idle.assert_closed()
        return True

    patience.until(watch, "the machine stands still too often")


@pytest.mark.own_server
def test_a_connection_that_never_speaks_closes_too(launch):
    server = launch("idle", options={"netty.connection.max-idle-time": "1s"})
    with wire.Connection(server.address) as silent:
        silent.assert_closed()


@pytest.mark.own_server
def test_authenticate_on_a_plaintext_listener(connection):
    reply = connection.ask("AUTHENTICATE", protocol="PLAINTEXT", token=b"")
    assert reply.kind == OK
    reply = connection.ask("AUTHENTICATE", protocol="PLAIN", token=b"\0u\0p")
    assert (reply.kind, reply.error().error_code) == (ERROR, 46)
    alive(connection)


def test_bad_peers_do_not_fill_the_disk_with_diagnostics(launch):
    server = launch()
    began = time.monotonic()
    for _ in range(400):
        with wire.Connection(server.address) as c:
            c.send_bytes(b"\xff\xff\xff\xff")
            c.assert_closed()
    seconds = time.monotonic() - began
    lines = [line for line in server.stderr().splitlines() if "connection closed" in line]
    assert 0 < len(lines) <= 20 * max(4, os.cpu_count()) * (seconds + 2), "of a shard 20 each second are enough"
