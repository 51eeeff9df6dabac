"""Primary-key tables: the same writes to Eider and to Apache Fluss 0.9.1 leave the same changelog,
rows and counts, and the same refusals."""

import random
from decimal import Decimal

import pytest
from compare import same
from harness import kv, patience, tables
from harness.tables import BIGINT, DOUBLE, INT, STRING
from kv_scenario import SMALL, changelog, contents, create, lookup, put

# Differences that are wanted: {scenario: {request: reason}}.
ALL_ARE_NONE = "all columns as targets are no targets, as in later versions"
NOT_WRITTEN = "a list that was never written has offsets of no bytes there, of one offset here"
EXPECTED = {
    "targets_that_are_no_columns": {
        "PUT_KV t3 [0, 3]": "taken there, 35 here",
        "PUT_KV t_1 [0, -1]": "-1 there, 35 here",
        "PUT_KV t99 [99]": "-1 there, 35 here",
        "PUT_KV t2147483647 [0, 2147483647]": "taken there, 35 here",
    },
    "every_column_as_target": {
        "PUT_KV required all": ALL_ARE_NONE,
        "changelog wal  0": ALL_ARE_NONE,
        "changelog required  0": ALL_ARE_NONE,
        "LIMIT_SCAN required": ALL_ARE_NONE,
        "GET_TABLE_STATS required": ALL_ARE_NONE,
        "end of required": ALL_ARE_NONE,
    },
    "characters_of_indexed_rows": {"changelog t  0": "the zeros get into the changelog there"},
    "a_list_is_added": {"changelog t  2": NOT_WRITTEN},
    "refused_writes": {"PUT_KV log table": "-1 there; 20 says what is wrong"},
}


def operations(side, table):
    """Inserts, updates, deletes, several changes of one key in one batch, batches without effect."""
    put(side, table, "insert", [1, "a", 10], [2, None, None], [3, "c", -1])
    put(side, table, "update", [1, "aa", 11], [4, "d", 2**40])
    put(side, table, "same again", [1, "aa", 11])
    put(side, table, "one key often", [5, "x", 1], [5, "y", 2], (5,), [5, "z", 3])
    put(side, table, "delete", (2,), (3,))
    put(side, table, "delete what is not there", (2,), (77,))
    put(side, table, "insert and delete", [6, "f", 6], (6,))
    put(side, table, "delete and insert", (1,), [1, "new", 0])
    put(side, table, "after a delete", [2, "back", None])
    put(side, table, "nothing")
    put(side, table, "negative key", [-1, "", -(2**63)], [2**31 - 1, "ü\0€", 2**63 - 1])
    lookup(side, table, "all", (1,), (2,), (3,), (4,), (5,), (6,), (77,), (-1,), (2**31 - 1,), (1,))
    lookup(side, table, "none")
    contents(side, table)


def formats(side):
    """Both kv formats, both changelog formats, both images."""
    for kv_format, log_format in (("COMPACTED", "ARROW"), ("INDEXED", "ARROW"), ("COMPACTED", "COMPACTED")):
        for image in ("FULL", "WAL"):
            name = f"{kv_format}_{log_format}_{image}".lower()
            properties = {
                "table.kv.format": kv_format,
                "table.log.format": log_format,
                "table.changelog.image": image,
            }
            operations(side, create(side, name, properties=properties))


def compression(side):
    """The bytes are up to the compressor, the rows are not."""
    for codec in ("ZSTD", "LZ4_FRAME"):
        table = create(side, codec, properties={"table.log.arrow.compression.type": codec})
        for first in range(0, 300, 100):
            put(side, table, str(first), *([i, f"value {i % 7}", i] for i in range(first, first + 100)))
        put(side, table, "more", [1, "value", 1], (2,))
        changelog(side, table, raw=False)


ALL_TYPES = {
    "boolean": (kv.simple("BOOLEAN"), [True, False]),
    "tinyint": (kv.simple("TINYINT"), [-128, 127]),
    "smallint": (kv.simple("SMALLINT"), [-32768, 32767]),
    "int": (INT, [-(2**31), 2**31 - 1]),
    "bigint": (BIGINT, [-(2**63), 2**63 - 1]),
    "float": (kv.simple("FLOAT"), [1.5, -0.0, float("inf"), float("nan")]),
    "double": (DOUBLE, [0.1, -0.0, float("-inf"), 5e-324, float("nan")]),
    "char": (kv.CHAR, ["", "ab", "abcde"]),
    "string": (STRING, ["", "grüße", "x" * 300]),
    "binary": (kv.BINARY, [b"abc", b"\1\2\3"]),
    "bytes": (kv.simple("BYTES"), [b"", b"\0\xff", bytes(range(200))]),
    "decimal_small": (kv.decimal(10, 2), [Decimal("-99999999.99"), Decimal("1.23"), Decimal("0.00")]),
    "decimal_big": (kv.decimal(38, 10), [Decimal("9" * 28 + ".0123456789"), Decimal("-0.0000000001")]),
    "date": (kv.simple("DATE"), [0, -719162, 2932896]),
    "time_0": (kv.time_of_day(), [0, 86_399_000]),
    "time_3": (kv.time_of_day(3), [0, 86_399_999]),
    "time_6": (kv.time_of_day(6), [1, 86_399_999]),
    "time_9": (kv.time_of_day(9), [1, 86_399_999]),
    "timestamp_0": (kv.timestamp(0), [(0, 0), (1_700_000_000_000, 0), (-1000, 0)]),
    "timestamp_3": (kv.timestamp(3), [(-1, 0), (1_700_000_000_123, 0)]),
    "timestamp_6": (kv.timestamp(6), [(-1, 999_000), (1_700_000_000_123, 456_000)]),
    "timestamp_9": (kv.timestamp(9), [(-1, 999_999), (1_700_000_000_123, 456_789)]),
    "ltz_3": (kv.timestamp(3, True), [(-1, 0), (1_700_000_000_123, 0)]),
    "ltz_9": (kv.timestamp(9, True), [(-1, 1), (1_700_000_000_123, 456_789)]),
    "array": (tables.array(INT), [[], [1, None, 3], [7] * 40]),
    "strings": (tables.array(STRING), [["a", "a longer one", None], [""]]),
    "map": (tables.map_of(STRING, BIGINT), [[], [("a", 1), ("another key", None)]]),
    "row": (tables.row(x=INT, y=STRING), [[1, "one"], [None, None]]),
    "deep": (
        tables.array(tables.row(k=STRING, v=tables.array(INT))),
        [[], [["a", [1, 2]], None, [None, None]]],
    ),
}


def every_type(side):
    """As values with nulls between, full rows and updates to and from null."""
    for kv_format in ("COMPACTED", "INDEXED"):
        chosen = {n: d for n, d in ALL_TYPES.items() if (n, kv_format) != ("char", "INDEXED")}
        columns = {"k": INT, **{n: t for n, (t, _) in chosen.items()}}
        for image in ("FULL", "WAL"):
            name = f"{kv_format}_{image}".lower()
            properties = {"table.kv.format": kv_format, "table.changelog.image": image}
            table = create(side, name, columns, properties=properties)

            def row(key, turn, chosen=chosen):
                found = [v[turn % (len(v) + 1) :][:1] for _, v in chosen.values()]
                return [key, *(f[0] if f else None for f in found)]

            put(side, table, "first", *(row(i, i) for i in range(6)))
            put(side, table, "second", *(row(i, i + 1) for i in range(6)), [9, *[None] * len(chosen)])
            lookup(side, table, "all", *((i,) for i in range(10)))
            contents(side, table)


def characters_of_indexed_rows(side):
    """They are padded with zeros, which do not belong to the value."""
    table = create(side, columns={"k": INT, "c": kv.CHAR}, properties={"table.kv.format": "INDEXED"})
    put(side, table, "rows", *([i, v] for i, v in enumerate(["", "ab", "abcde", None])))
    lookup(side, table, "all", *((i,) for i in range(4)))
    contents(side, table)


KEY_TYPES = [n for n, (t, _) in ALL_TYPES.items() if t["type"] not in ("ARRAY", "MAP", "ROW")]


def every_key_type(side):
    for name in KEY_TYPES:
        data_type, known = ALL_TYPES[name]
        table = create(side, name, {"k": data_type, "n": INT, "v": STRING}, key=("k", "n"))
        keys = [(value, n) for n in (3, -1) for value in known]
        put(side, table, "rows", *([k, n, str(n)] for k, n in keys))
        put(side, table, "again", [*keys[0], "new"], keys[1])
        lookup(side, table, "all", *keys)
        contents(side, table)


def delete_behaviours(side):
    for behaviour in ("ALLOW", "IGNORE", "DISABLE"):
        table = create(side, behaviour, properties={"table.delete.behavior": behaviour})
        put(side, table, "insert", [1, "a", 1], [2, "b", 2])
        put(side, table, "delete", (1,))
        put(side, table, "between", [3, "c", 3], (2,), [4, "d", 4])
        put(side, table, "delete nothing", (9,))
        put(side, table, "partial delete", (3,), target=[0, 1])
        put(side, table, "overwriting delete", (4,), mode=kv.OVERWRITE)
        lookup(side, table, "all", (1,), (2,), (3,), (4,))
        contents(side, table)


def partial_updates(side):
    for image in ("FULL", "WAL"):
        table = create(side, image.lower(), properties={"table.changelog.image": image})
        put(side, table, "insert a part", [1, "a", None], target=[0, 1])
        put(side, table, "the other part", [1, None, 10], target=[0, 2])
        put(side, table, "values of others are not looked at", [1, "zzz", 11], target=[0, 2])
        put(side, table, "to null", [1, None, None], target=[0, 1])
        put(side, table, "the key only, new", [2, None, None], target=[0])
        put(side, table, "the key only, known", [1, None, None], target=[0])
        put(side, table, "some columns", [3, "c", None], target=[0, 1])
        put(side, table, "other order", [3, None, 4], target=[2, 0])
        put(side, table, "full row", [1, "full", 1])
        put(side, table, "delete a part", (1,), target=[0, 1])
        put(side, table, "delete the rest", (1,), target=[0, 2])
        put(side, table, "delete a part of nothing", (8,), target=[0, 1])
        put(side, table, "delete by the key", (3,), target=[0])
        put(side, table, "mixed", [4, "d", None], (3,), [4, "dd", None], [5, "e", None], target=[0, 1])
        lookup(side, table, "all", *((i,) for i in range(1, 9)))
        for target in ([1], [1, 2], [0, 0], [0, 1, 1]):
            put(side, table, f"target {target}", [6, "f", 6], target=target)
        contents(side, table)


def targets_that_are_no_columns(side):
    for target in ([0, 3], [0, -1], [99], [0, 2**31 - 1]):
        table = create(side, f"t{target[-1]}".replace("-", "_"))
        put(side, table, str(target), [1, "a", 1], target=target)


def every_column_as_target(side):
    required = {"k": INT, "v": {**STRING, "nullable": False}}
    for name, columns, image in (
        ("full", SMALL, "FULL"),
        ("wal", SMALL, "WAL"),
        ("required", required, "FULL"),
    ):
        table = create(side, name, columns, properties={"table.changelog.image": image})
        row = [1, "a", 1][: len(columns)]
        put(side, table, "all", row, target=range(len(columns)))
        contents(side, table)


def targets_of_required_columns(side):
    columns = {"k": INT, "v": {**STRING, "nullable": False}, "w": BIGINT}
    table = create(side, columns=columns)
    for target in ([0], [0, 1], [0, 2]):
        put(side, table, f"target {target}", [1, "a", 1], target=target)
    put(side, table, "full", [1, "a", 1])
    two = create(side, "two", {"a": INT, "b": STRING, "v": INT, "w": INT}, key=("a", "b"))
    for target in ([0], [0, 2], [1, 2], [0, 1, 2], [3, 1, 0]):
        put(side, two, f"target {target}", [1, "x", 5, 6], target=target)
    put(side, two, "delete", (1, "x"), target=[0, 1, 3])
    for table in (table, two):
        contents(side, table)


def idempotence(side):
    table = create(side)
    writer = side.cluster.tablet.call("INIT_WRITER").writer_id

    def send(label, sequence, *records, writer=writer):
        header = {"writer_id": writer, "sequence": sequence}
        return put(side, table, f"{label} {sequence}", *records, header=header)

    for sequence in (0, 1, 2, 3, 4, 5, 6):
        send("fresh", sequence, [sequence % 3, str(sequence), sequence])
    for sequence in (6, 2, 1, 0, 8, -1, 2**31 - 1):
        send("wrong or known", sequence, [0, "never", sequence])
    send("without effect", 7, (55,))
    send("without effect, again", 7, (55,))
    send("empty", 8)
    send("empty, again", 8)
    send("next", 9, [9, "nine", 9], (0,))
    send("next, again with other rows", 9, [0, "never", 9], (9,))
    send("refused", 11, [0, "never", 9])
    send("stranger", 5, [0, "never", 9], writer=writer + 1000)
    lookup(side, table, "all", (0,), (1,), (2,), (9,))
    contents(side, table)


def overwriting(side):
    """Mode 1 passes by the merge engine; other modes are the default."""
    engines = {
        "none": {},
        "first_row": {"table.merge-engine": "first_row"},
        "versioned": {
            "table.merge-engine": "versioned",
            "table.merge-engine.versioned.ver-column": "w",
        },
        "aggregation": {"table.merge-engine": "aggregation"},
    }
    for name, properties in engines.items():
        sums = {"w": {"type": "sum"}} if name == "aggregation" else None
        table = create(side, name, properties=properties, aggregates=sums)
        put(side, table, "insert", [1, "a", 10], [2, "b", 20])
        for mode in (0, 1, 2, 7):
            put(side, table, f"mode {mode}", [1, f"mode {mode}", 5], [3, "c", mode], mode=mode)
        put(side, table, "part", [2, "part", None], mode=1, target=[0, 1])
        put(side, table, "delete", (2,), mode=1)
        put(side, table, "part of nothing", [2, "part", None], mode=1, target=[0, 1])
        put(side, table, "delete a part", (1,), mode=1, target=[0, 2])
        put(side, table, "default again", [1, "z", 1], (3,), mode=0)
        lookup(side, table, "all", (1,), (2,), (3,))
        contents(side, table)


def schema_evolution(side):
    for kv_format in ("COMPACTED", "INDEXED"):
        table = create(side, kv_format.lower(), properties={"table.kv.format": kv_format})
        put(side, table, "old", [1, "a", 1], [2, "b", 2], [3, "c", 3])
        for name, data_type in (("x", INT), ("y", tables.row(p=STRING, q=DOUBLE))):
            table.add_column(name, data_type)
            await_schema(side, table)
        put(side, table, "old rows after", [4, "d", 4], [1, "aa", 11])
        put(side, table, "new rows", [2, "bb", 22, 222, ["y", 0.5]], [5, "e", 5, None, None], schema_id=3)
        put(side, table, "middle", [3, "cc", 33, 333], schema_id=2)
        put(side, table, "new part", [1, None, None, 111, None], schema_id=3, target=[0, 3])
        put(side, table, "new part, old row", [4, None, None, 444, None], schema_id=3, target=[0, 3])
        put(side, table, "old part, new row", [2, "bbb", None], target=[0, 1])
        put(side, table, "old full, new row", [5, "ee", 55])
        put(side, table, "delete", (3,), schema_id=3)
        for number in (4, 0, -1, 32767):
            batch = kv.pack([table.record([7, "g", 7])], schema_id=number)
            side.ask("PUT_KV", label=f"{kv_format} schema {number}", **table.put_fields(batch))
        lookup(side, table, "all", *((i,) for i in range(1, 8)))
        contents(side, table)


def a_list_is_added(side):
    table = create(side)
    put(side, table, "old", [1, "a", 1])
    table.add_column("y", tables.array(STRING))
    await_schema(side, table)
    put(side, table, "old again", [1, "b", 2])
    contents(side, table)


def await_schema(side, table):
    """Until the tablet server takes a batch, without rows, of the newest schema."""
    newest = max(table.columns)
    batch = kv.pack([], schema_id=newest)

    def known():
        answer = table.cluster.tablet.call("PUT_KV", version=1, **table.put_fields(batch)).buckets_resp[0]
        return not answer.HasField("error_code")

    patience.until(known, f"schema {newest} is not known")


def random_writes(side):
    """Many keys, many batches, over several buckets; the same ones on both sides."""
    dice = random.Random(20_260_822)
    table = create(side, buckets=3)

    def record(fixed):
        key = dice.randrange(60)
        if dice.random() < 0.25:
            return (key,)
        return [key, dice.choice(["", "ab", "x" * dice.randrange(200), None]), dice.choice([None, fixed])]

    for turn in range(60):
        target = dice.choice([[], [], [0, 1], [0, 2]])
        put(
            side,
            table,
            f"turn {turn}",
            *(record(turn) for _ in range(dice.randrange(30))),
            bucket=dice.randrange(3),
            target=target,
        )
    for bucket in range(3):
        lookup(side, table, f"all of {bucket}", *((i,) for i in range(60)), bucket=bucket)
        contents(side, table, bucket=bucket)


def refused_writes(side):
    table = create(side, buckets=2)
    for acks in (-1, 0, 1, 2, -2):
        put(side, table, f"acks {acks}", [1, "a", acks], acks=acks)
    table.await_end(5)
    put(side, table, "unknown bucket", [1, "a", 1], bucket=2)
    put(side, table, "unknown partition", [1, "a", 1], partition=99)
    fields = table.put_fields(table.batch([1, "a", 1]))
    side.ask("PUT_KV", label="unknown table", **{**fields, "table_id": 10**9})
    log = tables.Table.create(side.cluster, side.db, "log", SMALL)
    side.ask("PUT_KV", label="log table", **{**fields, "table_id": log.id})
    several = [{"bucket_id": b, "records": table.batch([b, "several", 1])} for b in (0, 1, 2)]
    side.ask("PUT_KV", label="several buckets", **{**fields, "buckets_req": several})
    twice = table.batch([21, "first", 1]) + table.batch([22, "second", 1])
    side.ask("PUT_KV", label="two batches", **table.put_fields(twice))
    lookup(side, table, "after", (1,), (21,), (22,))
    contents(side, table)
    contents(side, table, bucket=1)


SCENARIOS = [
    formats, compression, every_type, characters_of_indexed_rows, every_key_type, delete_behaviours, partial_updates, targets_that_are_no_columns, every_column_as_target,
    targets_of_required_columns, idempotence, overwriting, schema_evolution, a_list_is_added, random_writes, refused_writes,
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_writes_are_those_of_fluss(scenario, ours, peer):
    same(scenario, ours, peer, EXPECTED.get(scenario.__name__, {}))
