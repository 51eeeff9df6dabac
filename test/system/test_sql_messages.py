"""Messages that no driver sends: cut, too long, out of order, byte by byte."""

import contextlib
import select
import socket
import struct

import pytest
from harness import sql
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server


def dial(server):
    at = sql.place(server)
    s = socket.create_connection((at["host"], at["port"]), timeout=PATIENCE_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def startup(*pairs, version=196608):
    body = struct.pack("!I", version) + b"".join(p.encode() + b"\0" for p in pairs) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def exactly(s, count):
    data = b""
    while len(data) < count:
        piece = s.recv(count - len(data))
        assert piece, f"closed after {data!r}"
        data += piece
    return data


def receive(s):
    kind = exactly(s, 1)
    (length,) = struct.unpack("!I", exactly(s, 4))
    return kind, exactly(s, length - 4)


def until(s, wanted):
    found = []
    while not found or found[-1][0] != wanted:
        found.append(receive(s))
    return found


def session(server):
    s = dial(server)
    s.sendall(startup("user", "x", "database", "fluss"))
    until(s, b"Z")
    return s


def kinds(messages):
    return b"".join(kind for kind, _ in messages)


def query(s, text):
    s.sendall(message(b"Q", text.encode() + b"\0"))
    return until(s, b"Z")


def test_encryption_is_refused_politely(server):
    s = dial(server)
    for code in (80877103, 80877104):
        s.sendall(struct.pack("!II", 8, code))
        assert exactly(s, 1) == b"N"
    s.sendall(startup("user", "x"))
    assert until(s, b"Z")[-1] == (b"Z", b"I")


def test_a_later_minor_version_is_told_ours(server):
    s = dial(server)
    s.sendall(startup("user", "x", version=196610))
    assert until(s, b"Z")[0][0] == b"v"


def test_byte_by_byte(server):
    s = dial(server)
    for byte in startup("user", "x") + message(b"Q", b"select 1\0"):
        s.send(bytes([byte]))
    until(s, b"Z")
    assert kinds(until(s, b"Z")) == b"TDCZ"


def test_extended_query_in_one_write(server):
    s = session(server)
    bind = b"p\0s\0" + struct.pack("!H", 0) + struct.pack("!Hi", 1, 1) + b"5" + struct.pack("!H", 0)
    s.sendall(
        message(b"P", b"s\0select x from range(10) r(x) where x < $1\0" + struct.pack("!HI", 1, 20))
        + message(b"D", b"Ss\0")
        + message(b"B", bind)
        + message(b"D", b"Pp\0")
        + message(b"E", b"p\0" + struct.pack("!i", 2))
        + message(b"E", b"p\0" + struct.pack("!i", 2))
        + message(b"E", b"p\0" + struct.pack("!i", 2))
        + message(b"C", b"Pp\0")
        + message(b"S")
    )
    assert kinds(until(s, b"Z")) == b"1tT2TDDsDDsDC3Z"


def test_after_an_error_all_is_skipped_until_sync(server):
    s = session(server)
    s.sendall(message(b"P", b"\0selec\0\0\0") + message(b"B", b"\0\0\0\0\0\0\0\0") + message(b"E", b"\0\0\0\0\0"))
    s.sendall(message(b"S"))
    assert kinds(until(s, b"Z")) == b"EZ"
    assert kinds(query(s, "select 1")) == b"TDCZ"


def test_empty_queries(server):
    s = session(server)
    assert kinds(query(s, "")) == b"IZ"
    assert kinds(query(s, " ; -- nothing")) == b"IZ"
    s.sendall(message(b"P", b"\0\0\0\0") + message(b"B", b"\0\0\0\0\0\0\0\0") + message(b"D", b"P\0"))
    s.sendall(message(b"E", b"\0\0\0\0\0") + message(b"S"))
    assert kinds(until(s, b"Z")) == b"12nIZ"


MALFORMED = [
    message(b"P", b""),
    message(b"P", b"name without end"),
    message(b"P", b"\0select 1\0\xff\xff"),
    message(b"P", b"\0select '\xff'\0\0\0"),
    message(b"B", b"\0missing\0\0\0\0\0\0\0"),
    message(b"B", b"\0"),
    message(b"D", b"X\0"),
    message(b"D", b"Smissing\0"),
    message(b"E", b"missing\0\0\0\0\0"),
    message(b"C", b""),
    message(b"F", b"\0\0\0\0"),
    message(b"?", b""),
]


@pytest.mark.parametrize("bad", MALFORMED)
def test_malformed_messages_are_errors(server, bad):
    s = session(server)
    s.sendall(bad + message(b"S"))
    assert kinds(until(s, b"Z")) == b"EZ"
    assert kinds(query(s, "select 1")) == b"TDCZ"


@pytest.mark.parametrize("bad", [b"Q" + b"\xff" * 4, b"Q" + struct.pack("!I", 3), b"Q" + struct.pack("!I", 1 << 30)])
def test_impossible_lengths_end_the_connection(server, bad):
    s = session(server)
    s.sendall(bad)
    assert receive(s)[0] == b"E"
    assert s.recv(1) == b""


@pytest.mark.parametrize("bad", [b"\0\0\0\0\0\0\0\0", b"\xff" * 8, b"GET / HTTP/1.1\r\n\r\n", startup("user", version=131072)])
def test_strangers_are_sent_away(server, bad):
    s = dial(server)
    s.sendall(bad)
    assert s.recv(1) in (b"E", b"")
    with sql.connect(server) as c:
        assert sql.one(c, "select 1") == 1


def test_a_client_that_never_reads_holds_up_nobody(server):
    s = session(server)
    s.sendall(message(b"Q", b"select repeat('x', 1000) from range(10000000)\0"))
    with sql.connect(server) as c:
        for _ in range(20):
            assert sql.one(c, "select 1") == 1
    s.close()


def test_a_client_that_sends_while_it_reads_a_long_answer_costs_little(server):
    """It reads, so the answer goes on, and what it sends meanwhile is not taken."""
    s = session(server)
    s.sendall(message(b"Q", b"select repeat('x', 1000) from range(200000)\0"))
    assert len(s.recv(1 << 16)) > 0
    s.setblocking(False)
    ahead = message(b"Q", b"select 1 -- " + b"x" * 4000 + b"\0") * 100  # cut anywhere
    read = sent = 0
    while read < 150 << 20:
        readable, writable, _ = select.select([s], [s], [], 20)
        assert readable or writable
        if writable:
            sent += s.send(ahead)
        if readable:
            read += len(s.recv(1 << 18))
    assert sent < 16 << 20  # what both ends of the connection hold
    s.close()
    with sql.connect(server) as c:
        assert sql.one(c, "select 1") == 1


def test_a_wrong_cancel_key_cancels_nothing(server):
    s = dial(server)
    s.sendall(startup("user", "x"))
    key = dict(until(s, b"Z"))[b"K"]
    other = dial(server)
    pid, secret = struct.unpack("!II", key)
    other.sendall(struct.pack("!IIII", 16, 80877102, pid, secret ^ 1))
    assert other.recv(1) == b""
    assert kinds(query(s, "select count(*) from range(1000000)")) == b"TDCZ"
