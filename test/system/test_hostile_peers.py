"""Peers that are many, slow, dead, greedy or lying: what they cost, and what the others notice.

Each test has a bound for the memory of the server and for the delays of a client beside it, and sees
that all is as before when the peers are gone.
"""

import socket
import struct
import time

import pyarrow as pa
import pytest
from harness import batches, patience, tables, wire, world

pytestmark = [pytest.mark.own_server, pytest.mark.timeout(300)]

MB = 1 << 20


def host_port(server):
    host, port = server.address.rsplit(":", 1)
    return host, int(port)


def connections(server, count):
    out = []
    for number in range(count):
        # more than one address, since each has 28,000 ports
        out.append(socket.create_connection(host_port(server), patience.PATIENCE_S, (f"127.0.0.{1 + number % 4}", 0)))
    return out


def memory_bound(server, before, bound):
    assert world.sanitized() or world.resident(server) - before < bound, (
        f"{(world.resident(server) - before) // 1024} KiB more"
    )


def crowd(server, idle_count, slow_count):
    """Idle peers, and peers that send one byte of a request now and then."""
    before, few = world.resident(server), world.descriptors(server)
    hello = wire.frame(wire.apis()["LIST_DATABASES"][0], 7)
    with world.many_descriptors(2 * (idle_count + slow_count)), world.Watcher(server.address) as watcher:
        idle, slow = connections(server, idle_count), connections(server, slow_count)
        for at in range(len(hello)):
            for peer in slow:
                peer.send(hello[at : at + 1])
        for peer in slow:
            assert len(peer.recv(4096)) > 8, "answered in the end"
        patience.until(lambda: world.descriptors(server) >= idle_count + slow_count, "not all are connected")
        memory_bound(server, before, 8 * MB + (idle_count + slow_count) * 2048)
        for peer in idle + slow:
            peer.close()
        patience.until(lambda: world.descriptors(server) <= few + 8, "connections were not given back")
    watcher.check()


def test_a_crowd_of_idle_and_slow_peers(server):
    crowd(server, 1500, 100)


@pytest.mark.slow
def test_ten_thousand_idle_and_five_hundred_slow_peers(server):
    with world.many_descriptors(1 << 20) as most:
        if most < 11_000:
            pytest.skip(f"only {most} descriptors are allowed here")
    crowd(server, 10_000, 500)


TCP_REPAIR = 19


def vanish(peer):
    """The other end hears nothing, as when a machine loses its power."""
    try:
        peer.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except PermissionError:
        pytest.skip("vanishing without a word needs root")
    peer.close()


def test_peers_that_vanish_without_a_word(launch):
    server = launch(options={"netty.connection.max-idle-time": "5s"})
    few = world.descriptors(server)
    with world.Watcher(server.address, idle_s=4.5) as watcher:
        peers = connections(server, 200)
        for number, peer in enumerate(peers):
            peer.send(wire.frame(1003, 1)[: number % 12])
        patience.until(lambda: world.descriptors(server) >= few + 200, "not all are connected")
        for peer in peers:
            vanish(peer)
        patience.until(lambda: world.descriptors(server) <= few + 8, "dead peers are kept")
    watcher.check()


def test_peers_that_announce_much_and_send_little(server):
    """Memory follows what has come, not what was announced."""
    before = world.resident(server)
    with world.Watcher(server.address) as watcher:
        peers = connections(server, 20 if world.sanitized() else 300)
        for peer in peers:
            peer.send(struct.pack(">ihhi", 90 * MB, wire.apis()["PRODUCE_LOG"][0], 0, 1) + bytes(1000))
        time.sleep(0.5)
        memory_bound(server, before, 64 * MB)
        for peer in peers:
            peer.close()
    watcher.check()
    server.check()


def test_consumers_that_never_read(server, cluster, create):
    """A gigabyte is asked for and not taken."""
    table = create()
    for number in range(8):
        table.append(batches.arrow_batch(wide(number)))
    before, few = world.resident(server), world.descriptors(server)
    with world.Watcher(server.address) as watcher:
        peers = [cluster.connect() for _ in range(40)]
        for peer in peers:
            for _ in range(20):
                peer.send("FETCH_LOG", **table.fetch_fields(bucket_bytes=2 * MB))
        time.sleep(1)
        memory_bound(server, before, 300 * MB)
        for peer in peers:
            peer.close()
        patience.until(lambda: world.descriptors(server) <= few + 8, "connections were not given back")
    watcher.check()


def wide(number):
    row = [pa.array([number], pa.int32()), pa.array([f"{number}" * 200_000]), pa.array([0.0])]
    return pa.record_batch(row, schema=tables.SMALL_ARROW)


def lying(raw, at, value):
    """A batch whose field at this place has another value, and whose checksum is right."""
    body = raw[:at] + struct.pack("<i", value) + raw[at + 4 :]
    return body[:21] + struct.pack("<I", batches.crc32c(body[25:])) + body[25:]


LENGTH, DELTA, COUNT = 8, 28, 44


@pytest.mark.parametrize("value", [-(2**31), -1, 0, 2, 2**31 - 1])
@pytest.mark.parametrize("field", [LENGTH, DELTA, COUNT])
def test_batches_that_lie_about_their_size(server, create, field, value):
    table = create()
    good = batches.arrow_batch(tables.small_rows(0, 3))
    before = world.resident(server)
    answer = table.produce(lying(good, field, value))
    assert answer.HasField("error_code") or table.offset(1) == (value + 1 if field == DELTA else 3), answer
    memory_bound(server, before, 32 * MB)
    end = table.offset(1)
    assert table.append(good) == end, "the next one is taken"
    server.check()


def bomb(size, codec):
    """A row of so many equal bytes, which is small on the wire."""
    row = [pa.array([1], pa.int32()), pa.array(["a" * size]), pa.array([0.0])]
    return batches.arrow_batch(pa.record_batch(row, schema=tables.SMALL_ARROW), codec)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_records_that_are_a_thousand_times_larger_when_unpacked(server, cluster, create, codec):
    """Nobody has to unpack them to store, serve, project or list them."""
    table = create()
    raw = bomb(100 * MB, codec)
    assert len(raw) < MB
    before = world.resident(server)
    with world.Watcher(server.address) as watcher:
        table.append(raw)
        assert batches.split(table.records(bucket_bytes=8 * MB))[0].crc_valid
        assert table.fetch(columns=[0]).records
        limit = {"table_id": table.id, "bucket_id": 0, "limit": 1}
        cluster.tablet.call("LIMIT_SCAN", **limit)
        memory_bound(server, before, 64 * MB)
    watcher.check()
    server.check()


def test_twenty_writers_of_single_bytes(server, create):
    table = create()
    record = batches.arrow_batch(tables.small_rows(0, 1))
    fields = wire.request("PRODUCE_LOG", **table.produce_fields(record)).SerializeToString()
    request = wire.frame(wire.apis()["PRODUCE_LOG"][0], 5, fields)
    with world.Watcher(server.address) as watcher:
        peers = connections(server, 20)
        for peer in peers:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(request)):
            for peer in peers:
                peer.send(request[at : at + 1])
        for peer in peers:
            assert peer.recv(4096)[4] == wire.OK
            peer.close()
    watcher.check()
    assert table.offset(1) == 20
