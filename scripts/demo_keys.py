"""The primary-key part of the demonstration: airports, planes and hourly weather.

Every row of the three files is upserted, then corrected: airports that no flight went to are deleted,
planes get the number of their flights, the weather of January gets its temperature in degrees Celsius,
and an hour with a wind of 1,048 miles per hour is deleted. The changelogs are followed meanwhile
and replayed: each -U and -D has to be the row as it was, and what remains is compared with pandas, as is
the answer of each of 100,000 lookups.
"""
import asyncio
import random
from collections import Counter

import fluss
import pandas as pd
import pyarrow as pa
from demo_support import Measure, read_csv

DATABASE = "nycflights13"
LOOKUPS = 100_000
UNDER_WAY = 1000
UTC = pa.timestamp("ms", tz="UTC")

AIRPORTS = pa.schema([
    ("faa", pa.string()), ("name", pa.string()), ("lat", pa.float64()), ("lon", pa.float64()),
    ("alt", pa.int32()), ("tz", pa.float64()), ("dst", pa.string()), ("tzone", pa.string()),
])
PLANES = pa.schema([
    ("tailnum", pa.string()), ("year", pa.int16()), ("type", pa.string()), ("manufacturer", pa.string()),
    ("model", pa.string()), ("engines", pa.int8()), ("seats", pa.int16()), ("speed", pa.int16()),
    ("engine", pa.string()), ("flights", pa.int32()),
])
WEATHER = pa.schema([
    ("origin", pa.string()), ("time_hour", UTC), ("temp", pa.float64()), ("dewp", pa.float64()),
    ("humid", pa.float64()), ("wind_dir", pa.int16()), ("wind_speed", pa.float64()), ("wind_gust", pa.float64()),
    ("precip", pa.float64()), ("pressure", pa.float64()), ("visib", pa.float64()),
])


def rows_of(frame, schema):
    """Python values, as the client takes and gives them."""
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False).to_pylist()


class KeyTable:
    """A table, what has been written to it, and what its rows have to be."""

    def __init__(self, name, schema, key, steps):
        self.name, self.schema, self.key, self.steps = name, schema, key, steps
        self.path = fluss.TablePath(DATABASE, name)
        self.rows, self.written, self.keys, self.complete = {}, Counter(), {}, False
        self.replayed, self.seen, self.found = {}, Counter(), []

    def key_of(self, row):
        return tuple(row[name] for name in self.key)

    async def create(self, connection):
        schema = fluss.Schema(self.schema, primary_keys=self.key)
        await connection.get_admin().create_table(self.path, fluss.TableDescriptor(schema, bucket_count=1))
        self.table = await connection.get_table(self.path)
        self.writer = self.table.new_upsert().create_writer()

    # ---- writing ----

    def upsert(self, row):
        key = self.key_of(row)
        self.written.update(["+I"] if key not in self.rows else ["-U", "+U"])
        self.rows[key] = self.keys[key] = row
        self.writer.upsert(row)

    def delete(self, key):
        del self.rows[key]
        self.written.update(["-D"])
        self.writer.delete(list(key))

    async def write(self, flights, measure):
        for step in self.steps(self, flights):
            for call, argument in step:
                call(argument)
            await self.writer.flush()
            measure.advance(len(step))
        self.complete = True

    # ---- the changelog ----

    def replay(self, record):
        kind, key = record.change_type.short_string(), self.key_of(record.row)
        self.seen.update([kind])
        if kind in ("-U", "-D") and self.replayed.pop(key, None) != record.row:
            self.found.append(f"{self.name}: {kind} of {key} at offset {record.offset} is not the row as it was")
        elif kind in ("+I", "+U"):
            self.replayed[key] = record.row

    async def follow(self):
        """Until everything that is written has been seen."""
        scanner = await self.table.new_scan().create_log_scanner()
        scanner.subscribe(0, fluss.EARLIEST_OFFSET)
        while not self.complete or self.seen.total() < self.written.total():
            for records in (await scanner.poll(100)).values():
                for record in records:
                    self.replay(record)

    def differences(self):
        found = self.found[:3]
        if self.seen != self.written:
            found.append(f"{self.name}: the changelog has {dict(self.seen)} instead of {dict(self.written)}")
        if self.replayed != self.rows:
            found.append(f"{self.name}: the changelog, replayed, is not what was written")
        return found

    def line(self):
        kinds = " ".join(f"{kind} {self.seen[kind]:>6,}" for kind in ("+I", "-U", "+U", "-D"))
        return f"{self.name:<18} {len(self.rows):>9,} {kinds}"


async def lookups(tables, measure):
    """Random keys, deleted ones among them; what differs from what was written."""
    keys = [(t, t.table.new_lookup().create_lookuper(), key) for t in tables for key in t.keys]
    draw, found = random.Random(2013), []
    chosen = iter(draw.choices(keys, k=LOOKUPS))

    async def work():
        for table, lookuper, key in chosen:
            row = await lookuper.lookup(list(key))
            if row != table.rows.get(key):
                found.append(f"{table.name}: the lookup of {key} gives {row} instead of {table.rows.get(key)}")
            measure.advance(1)

    await asyncio.gather(*(work() for _ in range(UNDER_WAY)))
    return found[:3]


async def demonstrate(connection, flights):
    """(lines of measures, lines of changelogs, what differs)."""
    tables = [KeyTable("airports", AIRPORTS, ["faa"], airports_steps),
              KeyTable("planes", PLANES, ["tailnum"], planes_steps),
              KeyTable("weather", WEATHER, ["origin", "time_hour"], weather_steps)]
    for table in tables:
        await table.create(connection)
    writes = Measure("upsert, delete", 0)
    await asyncio.gather(*(t.write(flights, writes) for t in tables), *(t.follow() for t in tables))
    writes.rows = writes.done
    lines = [writes.finish(0)]
    asked = Measure("look up", LOOKUPS)
    found = await lookups(tables, asked)
    lines.append(asked.finish(1))
    found += [difference for t in tables for difference in t.differences()]
    return lines, [t.line() for t in tables], found


# ---- what is written, step by step ----

def airports_steps(table, flights):
    rows = rows_of(read_csv("airports"), table.schema)
    served = set(flights["dest"])
    yield [(table.upsert, row) for row in rows]
    yield [(table.delete, (row["faa"],)) for row in rows if row["faa"] not in served]


def planes_steps(table, flights):
    rows = rows_of(read_csv("planes").assign(flights=None), table.schema)
    flown = flights["tailnum"].value_counts()
    yield [(table.upsert, row) for row in rows]
    yield [(table.upsert, row | {"flights": int(flown[row["tailnum"]])}) for row in rows if row["tailnum"] in flown]


def weather_steps(table, _):
    frame = read_csv("weather")
    frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    rows = rows_of(frame, table.schema)
    yield [(table.upsert, row) for row in rows]
    january = [row for row in rows if row["time_hour"].month == 1 and row["temp"] is not None]
    yield [(table.upsert, row | {"temp": round((row["temp"] - 32) / 1.8, 2)}) for row in january]
    yield [(table.delete, table.key_of(row)) for row in rows if (row["wind_speed"] or 0) > 1000]
