"""Surroundings that tests change while a server runs, and what they look at: memory, descriptors, delays."""

import contextlib
import mmap
import os
import resource
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from . import patience, process, wire

CLOCK_S, SYNC_MS, WRITE_MS = range(3)


class World:
    """Give `environment` to the server (test/preload/world.c)."""

    def __init__(self, place):
        self.path = place / "world"
        self.path.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.environment = {**process.preloaded("world"), "WORLD_FILE": str(self.path)}

    def set(self, what, value):
        struct.pack_into("<q", self.memory, 8 * what, value)


def resident(server):
    """Bytes of memory that the server has now."""
    return _status(server, "VmRSS")


def _status(server, name):
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} of {server.pid}")


def descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def cpu_seconds(server):
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sanitized():
    """Bounds of memory and time are those of a build without sanitizers."""
    return b"__asan_init" in process.binary().read_bytes() or b"__tsan_init" in process.binary().read_bytes()


def mount(place, *options):
    place.mkdir()
    command = ["mount", *options, str(place)]
    done = subprocess.run(command, capture_output=True, text=True) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        why = done.stderr.strip() if done else "it needs root"
        pytest.skip(f"mounting is not permitted here: {why}")


@contextlib.contextmanager
def many_descriptors(count):
    """This process may open that many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    yield min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Watcher(threading.Thread):
    """A client like all others: asks for something small again and again, and notes how long it took."""

    def __init__(self, address, ask=None, pause_s=0.002, idle_s=None):
        """`idle_s`: connections that were idle for so long are closed, also this one on a machine that stands still."""
        super().__init__(daemon=True)
        self.address, self.idle_s = address, idle_s
        self.connect()
        self.ask = ask or (lambda connection: connection.call("LIST_DATABASES"))
        self.pause_s, self.took, self.failure = pause_s, [], None
        self.stopping = threading.Event()

    def connect(self):
        self.connection = wire.Connection(self.address)
        self.connection.hello()

    def run(self):
        last = time.monotonic()
        while not self.stopping.is_set() and self.failure is None:
            began = time.monotonic()
            try:
                self.ask(self.connection)
                self.took.append(time.monotonic() - began)
                time.sleep(self.pause_s)
            except Exception as e:
                if self.idle_s and time.monotonic() - last > self.idle_s:
                    self.connect()
                else:
                    self.failure = e
            last = began

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(patience.PATIENCE_S)
        self.connection.close()
        assert self.failure is None, f"another client was disturbed: {self.failure!r}"

    def check(self, bound_s=0.25):
        """99 of 100 answers came within it, or all but three when there are few. It is a generous one, since
        machines that run tests are shared: one that stands still makes an answer late, a server most of them."""
        late = [seconds for seconds in self.took if seconds >= bound_s]
        few = len(late) <= max(3, len(self.took) // 100) and 4 * len(late) <= len(self.took)
        assert sanitized() or few, f"another client waited: {late} of {len(self.took)} answers"
