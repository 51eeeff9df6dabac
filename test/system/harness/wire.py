"""The protocol from outside, with its own framing: for requests that no stock client sends.

Messages are made at run time by protoc from protocol/*.proto; which API uses which messages is
read from protocol/apis.tsv. Fields of nested messages are given as dicts.
"""

import csv
import functools
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .patience import PATIENCE_S

PROTOCOL = Path(__file__).resolve().parents[3] / "protocol"
OK, ERROR, FAILURE = 0, 1, 2
CLIENT = -1  # follower_server_id of a client
EARLIEST = -2


@functools.cache
def _pool():
    protoc = shutil.which("protoc")
    assert protoc, "protoc is needed (Debian package protobuf-compiler)"
    files = sorted(str(p) for p in PROTOCOL.glob("*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([protoc, f"-I{PROTOCOL}", f"--descriptor_set_out={out.name}", *files], check=True)
        parsed = descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes())
    pool, waiting = descriptor_pool.DescriptorPool(), list(parsed.file)
    while waiting:  # files that others import come first
        added = {f.name for f in parsed.file} - {f.name for f in waiting}
        for file in [f for f in waiting if set(f.dependency) <= added]:
            pool.Add(file)
            waiting.remove(file)
    return pool


@functools.cache
def _message_class(name):
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"fluss.{name}"))


@functools.cache
def apis():
    """API name -> (key, request message name, response message name)."""
    with open(PROTOCOL / "apis.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {r["name"]: (int(r["api_key"]), r["request_message"], r["response_message"]) for r in rows}


def message(name, **fields):
    return _message_class(name)(**fields)


def request(api, **fields):
    return message(apis()[api][1], **fields)


def parse_response(api, body):
    return _message_class(apis()[api][2]).FromString(body)


def frame(key, request_id, body=b"", version=0) -> bytes:
    return struct.pack(">ihhi", 8 + len(body), key, version, request_id) + body


class Closed(Exception):
    """The server closed the connection."""


class ErrorReply(Exception):
    def __init__(self, code, text):
        super().__init__(f"code {code}: {text}")
        self.code = code


@dataclass
class Reply:
    kind: int
    id: int
    body: bytes

    def error(self):
        return _message_class("ErrorResponse").FromString(self.body)


class Connection:
    """One TCP connection. Request ids count up; replies are kept until somebody asks for them."""

    def __init__(self, address, timeout=PATIENCE_S):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next_id = 0
        self.early = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def new_id(self):
        self.next_id += 1
        return self.next_id - 1

    def send(self, api, body=None, version=0, **fields) -> int:
        """`api` is a name or a number; the body is bytes, a message or made from the fields."""
        key = apis()[api][0] if isinstance(api, str) else api
        if body is None:
            body = request(api, **fields)
        raw = body if isinstance(body, bytes) else body.SerializePartialToString()
        request_id = self.new_id()
        self.send_bytes(frame(key, request_id, raw, version))
        return request_id

    def _exactly(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(min(count - len(data), 1 << 20))
            if not piece:
                raise Closed(f"{len(data)} of {count} bytes came")
            data += piece
        return bytes(data)

    def receive(self) -> Reply:
        """The next reply, whichever it is."""
        try:
            (length,) = struct.unpack(">i", self._exactly(4))
            data = self._exactly(length)
        except ConnectionResetError as e:
            raise Closed("reset") from e
        if data[0] == FAILURE:
            return Reply(FAILURE, -1, data[1:])
        return Reply(data[0], struct.unpack(">i", data[1:5])[0], data[5:])

    def wait_for(self, request_id) -> Reply:
        while request_id not in self.early:
            reply = self.receive()
            self.early[reply.id] = reply
        return self.early.pop(request_id)

    def result(self, api, request_id):
        reply = self.wait_for(request_id)
        if reply.kind != OK:
            error = reply.error()
            raise ErrorReply(error.error_code, error.error_message)
        return parse_response(api, reply.body)

    def call(self, api, body=None, version=0, **fields):
        return self.result(api, self.send(api, body, version, **fields))

    def ask(self, api, body=None, version=0, **fields) -> Reply:
        """Like call, but hands out the reply as it came."""
        return self.wait_for(self.send(api, body, version, **fields))

    def hello(self):
        return self.call("API_VERSIONS", client_software_name="test", client_software_version="1")

    def assert_closed(self):
        """The server ends this connection, with or without a connection-wide error frame."""
        try:
            reply = self.receive()
            assert reply.kind == FAILURE, f"answered instead: {reply}"
            reply = self.receive()
            raise AssertionError(f"more after a connection-wide failure: {reply}")
        except Closed:
            pass


class Cluster:
    """Connections to the roles a client sees; with one process both are the same address."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.coordinator_address, self.tablet_address = self._locate()
        self.coordinator = Connection(self.coordinator_address)
        self.tablet = Connection(self.tablet_address)
        self.coordinator.hello()
        self.tablet.hello()

    def _locate(self):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with Connection(self.bootstrap) as c:
                c.hello()
                m = c.call("GET_METADATA")
            if m.tablet_servers or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        nodes = [m.coordinator_server, m.tablet_servers[0]]
        return [f"{n.host}:{n.port}" for n in nodes]

    def close(self):
        self.coordinator.close()
        self.tablet.close()

    def connect(self) -> Connection:
        """A fresh connection to the leader of every bucket."""
        connection = Connection(self.tablet_address)
        connection.hello()
        return connection
