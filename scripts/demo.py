"""The demonstration: the stock Python client of Apache Fluss on real data.

Starts a server with temporary data (or uses --bootstrap), creates a log table, appends the 336,776
flights that left New York in 2013 in time order, reads them back whole and with two of nineteen
columns, and compares every value with pandas. Then the same for primary-key tables, see
demo_keys.py. At the end psql asks three questions, see demo_sql.py. Exit 0 when all agree, 1 on any difference.

Bytes on the wire are the kernel's counters of the client's own sockets (TCP_INFO), CPU and memory
of the server are those of /proc/<pid>.
"""
import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import demo_keys
import demo_sql
import fluss
import pandas as pd
import pyarrow as pa
from demo_support import Measure, differences, read_csv, server_cost

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
    """In time order."""
    frame = read_csv("flights")
    frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    return frame.sort_values("time_hour", kind="stable", ignore_index=True)


@contextmanager
def own_server(program):
    """Yields (its line of JSON, [pid], start-up milliseconds); the server has to end with code 0."""
    started = time.perf_counter()
    command = [program, "server", "--ephemeral", "--port", "0", "-D", "postgres.listeners=127.0.0.1:0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        ready_ms = (time.perf_counter() - started) * 1000
        if not line:
            sys.exit(f"demo: the server ended with {server.wait()} before it was ready")
        yield json.loads(line), [server.pid], ready_ms
        server.send_signal(signal.SIGTERM)
        if server.wait(10) != 0:
            sys.exit(f"demo: the server ended with {server.returncode}")
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


@contextmanager
def given_server(address, pids):
    yield {"address": address}, pids, None


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


async def demonstrate(frame, address, pids, ready_ms):
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
    more, changelogs, found = await demo_keys.demonstrate(connection, frame)
    cpu, peak = server_cost(pids)
    await connection.close()

    print(f"\n{'':<18} {'rows':>9} {'rows/s':>12} {'on the wire':>13}", *lines, *more, sep="\n")
    print(f"\n{'':<18} {'rows':>9} changelog", *changelogs, sep="\n")
    print()
    if pids:
        print(f"server CPU         {cpu - cpu_before:.2f} s\nserver peak memory {peak:.1f} MiB")
    if ready_ms is not None:
        print(f"server start-up    {ready_ms:.0f} ms")
    if whole.column_names != SCHEMA.names or two.column_names != TWO_COLUMNS:
        return ["the columns are not those asked for"]
    return differences(whole, frame) + differences(two, frame) + found


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
    frame = load_flights()
    with server as (info, pids, ready_ms):
        found = asyncio.run(demonstrate(frame, info["address"], pids, ready_ms))
        if "postgres" in info and not found:
            found = demo_sql.ask(info["postgres"], frame)
    if found:
        print("\nMISMATCH", *found, sep="\n  ")
        return 1
    print("\nevery value read back equals what pandas read from the files, and so does every answer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
