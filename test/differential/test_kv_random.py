"""Random tables and random writes to Eider and to Apache Fluss 0.9.1.

Each seed makes a table (columns, formats, merge engine, image, deletes) and a schedule of puts, deletes,
partial updates, duplicates, lookups and new columns. SEEDS=first:count runs others.
"""

import os
import random
from decimal import Decimal

import pytest
from compare import same
from harness import kv, tables
from harness.tables import BIGINT, DOUBLE, INT, STRING
from kv_scenario import changelog, create, lookup, put, stats_fields
from test_kv_writes import await_schema

FIRST, COUNT = map(int, os.environ.get("SEEDS", "0:12").split(":"))
NUMERIC = ("sum", "product", "max", "min")
ANY = ("last_value", "last_value_ignore_nulls", "first_value", "first_value_ignore_nulls")
STRUCT = tables.row(x=INT, y=STRING)


def text(dice):
    return dice.choice(["", "a", "grüße", "x" * dice.randrange(60)])


# name: (type, a random value, functions); integers stay small, so that nothing but them overflows
KINDS = {
    "tinyint": (kv.simple("TINYINT"), lambda d: d.randrange(-128, 128), NUMERIC),
    "int": (INT, lambda d: d.choice([0, -1, d.randrange(-(2**31), 2**31)]), NUMERIC),
    "bigint": (BIGINT, lambda d: d.choice([0, -1, d.randrange(-(2**63), 2**63)]), NUMERIC),
    "float": (kv.simple("FLOAT"), lambda d: d.choice([0.0, -1.5, float(d.randrange(10**6))]), NUMERIC),
    "double": (DOUBLE, lambda d: d.choice([0.0, -0.5, d.random(), 1e300]), NUMERIC),
    "decimal": (kv.decimal(12, 2), lambda d: Decimal(d.randrange(-(10**5), 10**5)).scaleb(-2), NUMERIC),
    "big_decimal": (kv.decimal(30, 5), lambda d: Decimal(d.randrange(-(10**29), 10**29)).scaleb(-5), NUMERIC),
    "string": (STRING, text, ("max", "min", "listagg", "string_agg")),
    "boolean": (kv.simple("BOOLEAN"), lambda d: d.random() < 0.5, ("bool_and", "bool_or")),
    "date": (kv.simple("DATE"), lambda d: d.randrange(-(10**5), 10**5), ("max", "min")),
    "time": (kv.time_of_day(3), lambda d: d.randrange(86_400_000), ("max", "min")),
    "timestamp": (kv.timestamp(3), lambda d: (d.randrange(-(10**12), 10**12), 0), ("max", "min")),
    "fine_timestamp": (
        kv.timestamp(9, True),
        lambda d: (d.randrange(-(10**12), 10**12), d.randrange(10**6)),
        ("max", "min"),
    ),
    "bytes": (kv.simple("BYTES"), lambda d: d.randbytes(d.randrange(20)), ()),
    "row": (STRUCT, lambda d: [d.randrange(100), d.choice([None, text(d)])], ()),
    "array": (
        tables.array(BIGINT),
        lambda d: [d.choice([None, d.randrange(9)]) for _ in range(d.randrange(4))],
        (),
    ),
}
KEYS = ["int", "bigint", "string", "date", "decimal", "bytes"]
VERSIONS = ["int", "bigint", "timestamp", "fine_timestamp"]


class Schedule:
    """One table and what is done to it."""

    def __init__(self, side, seed):
        self.side = side
        self.dice = random.Random(seed)
        self.writer = side.cluster.tablet.call("INIT_WRITER").writer_id
        self.sequence = 0
        self.makers = []
        self._make_table()

    def _make_table(self):
        dice = self.dice
        engine = dice.choice([None, None, "first_row", "versioned", "aggregation", "aggregation"])
        key = dice.sample(KEYS, dice.choice([1, 1, 2]))
        columns = {f"k_{n}": KINDS[n][0] for n in key}
        self.makers = [KINDS[n][1] for n in key]
        aggregates = {}
        values = [dice.choice(list(KINDS)) for _ in range(dice.randrange(1, 7))]
        if engine == "versioned":
            values.append(dice.choice(VERSIONS))
        for number, name in enumerate(values):
            self._add(columns, f"c{number}_{name}", name)
            function = dice.choice([None, *KINDS[name][2], *ANY])
            if engine == "aggregation" and function is not None:
                aggregates[f"c{number}_{name}"] = {"type": function}
        properties = self._properties(engine, f"c{len(values) - 1}_{values[-1]}")
        self.partial = engine in (None, "aggregation")
        self.known = [tuple(make(dice) for make in self.makers[: len(key)]) for _ in range(9)]
        self.table = create(
            self.side, "t", columns, [f"k_{n}" for n in key], properties=properties, aggregates=aggregates
        )

    def _add(self, columns, column, name):
        columns[column] = KINDS[name][0]
        self.makers.append(KINDS[name][1])

    def _properties(self, engine, version):
        dice = self.dice
        kv_format, log_format = dice.choice(
            [("COMPACTED", "ARROW"), ("COMPACTED", "ARROW"), ("INDEXED", "ARROW"), ("COMPACTED", "COMPACTED")]
        )
        found = {"table.kv.format": kv_format, "table.log.format": log_format}
        if engine is not None:
            found["table.merge-engine"] = engine
        if engine == "versioned":
            found["table.merge-engine.versioned.ver-column"] = version
        if engine != "aggregation":
            found["table.changelog.image"] = dice.choice(["FULL", "WAL"])
        behaviours = (
            ["IGNORE", "DISABLE"] if engine in ("first_row", "versioned") else ["ALLOW"] * 4 + ["IGNORE"]
        )
        found["table.delete.behavior"] = dice.choice(behaviours)
        return found

    def row(self, schema_id):
        dice, keys = self.dice, len(self.table.key)
        values = [None if dice.random() < 0.25 else make(dice) for make in self.makers]
        return [*dice.choice(self.known), *values[keys : len(self.table.columns[schema_id])]]

    def put(self, turn):
        dice = self.dice
        schema_id = dice.choice(list(self.table.columns))
        width, keys = len(self.table.columns[schema_id]), len(self.table.key)
        records = [
            dice.choice(self.known) if dice.random() < 0.25 else self.row(schema_id)
            for _ in range(dice.randrange(8))
        ]
        where = {}
        if self.partial and width > keys + 1 and dice.random() < 0.4:
            some = dice.sample(range(keys, width), dice.randrange(width - keys))
            where["target"] = [*range(keys), *some]
        if dice.random() < 0.1:
            where["mode"] = kv.OVERWRITE
        header = {"writer_id": self.writer, "sequence": self.sequence}
        answer = put(self.side, self.table, f"{turn}", *records, schema_id=schema_id, header=header, **where)
        if not answer.buckets_resp[0].HasField("error_code"):
            self.sequence += 1
            if dice.random() < 0.1:
                put(
                    self.side,
                    self.table,
                    f"{turn} again",
                    *records,
                    schema_id=schema_id,
                    header=header,
                    **where,
                )

    def widen(self):
        name = self.dice.choice(list(KINDS))
        column = f"n{len(self.makers)}_{name}"
        self.table.add_column(column, KINDS[name][0])
        self.makers.append(KINDS[name][1])
        await_schema(self.side, self.table)

    def run(self, turns):
        for turn in range(turns):
            if turn and len(self.table.columns) < 4 and self.dice.random() < 0.04:
                self.widen()
            self.put(turn)
            if self.dice.random() < 0.2:
                lookup(self.side, self.table, f"lookup {turn}", *self.known)
        lookup(self.side, self.table, "all", *self.known)
        changelog(self.side, self.table, raw=False)
        self.side.ask("LIMIT_SCAN", **self.table.scan_fields(1000))
        self.side.ask("GET_TABLE_STATS", **stats_fields(self.table))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_random_writes_are_those_of_fluss(seed, ours, peer):
    def random_writes(side):
        Schedule(side, seed).run(40)

    same(random_writes, ours, peer)
