"""The record of a run: entries as test/preload/record.c writes them, the marks of clients between them."""

import json
import os
import struct
from dataclasses import dataclass

WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, CREATE, MAKE_DIR, REMOVE, RENAME, LINK = range(1, 10)
MARK = 100  # payload: JSON

HEAD = struct.Struct("<IB3xQQ")


@dataclass(slots=True)
class Entry:
    kind: int
    inode: int
    a: int
    payload: memoryview

    def path(self):
        return bytes(self.payload).decode()

    def paths(self):
        return bytes(self.payload).decode().split("\0")

    def mark(self):
        return json.loads(bytes(self.payload))


def load(path):
    raw, entries, at = memoryview(path.read_bytes()), [], 0
    while at < len(raw):
        size, kind, inode, a = HEAD.unpack_from(raw, at)
        at += HEAD.size + size
        assert at <= len(raw), f"the record ends inside of entry {len(entries)}"
        entries.append(Entry(kind, inode, a, raw[at - size : at]))
    return entries


class Marker:
    """Adds marks to a record that a server is writing."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def __call__(self, *words):
        payload = json.dumps(words).encode()
        data = HEAD.pack(len(payload), MARK, 0, 0) + payload
        assert os.write(self.fd, data) == len(data)

    def close(self):
        os.close(self.fd)
