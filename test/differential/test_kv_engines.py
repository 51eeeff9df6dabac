"""Merge engines and generated values of primary-key tables, against Apache Fluss 0.9.1."""

import json
import random
from decimal import Decimal

import pytest
from compare import same
from harness import kv, roaring
from harness.process import ROOT
from harness.tables import BIGINT, DOUBLE, INT, STRING
from kv_scenario import contents, create, lookup, put

# Differences that are wanted: {scenario: {request: reason}}.
EXPECTED = {
    "small_ranges_of_ids": {
        "changelog t  5": "a range for a batch larger than the cache is as large as the batch here",
        "LIMIT_SCAN t": "the same ids",
    },
}

AGGREGATION = {"table.merge-engine": "aggregation"}
NUMBERS = {
    "tinyint": (kv.simple("TINYINT"), [100, 100, None, -128, 3]),
    "smallint": (kv.simple("SMALLINT"), [30_000, 30_000, None, -32768, 2]),
    "int": (INT, [2**31 - 1, 1, None, -(2**31), 7]),
    "bigint": (BIGINT, [2**63 - 1, 1, None, -(2**63), -3]),
    "float": (kv.simple("FLOAT"), [0.5, 1e38, None, float("inf"), float("nan"), -0.0, 0.0]),
    "double": (DOUBLE, [0.1, 0.2, None, 1e308, 1e308, float("-inf"), -0.0]),
}
DECIMALS = {
    "small": (kv.decimal(5, 2), [Decimal("1.50"), Decimal("-2.25"), None, Decimal("0.01")]),
    "small_end": (kv.decimal(5, 2), [Decimal("999.99"), Decimal("0.01"), None, Decimal("-500.55")]),
    "long": (kv.decimal(18, 0), [Decimal(10**17), Decimal(3), None, Decimal(-(10**16))]),
    "long_end": (kv.decimal(18, 0), [Decimal(10**18 - 1), Decimal(1), None, Decimal(-(10**17))]),
    "big": (kv.decimal(38, 3), [Decimal("12.345"), Decimal("-0.500"), None, Decimal(10**20)]),
    "big_end": (kv.decimal(38, 3), [Decimal("9" * 35), Decimal("0.5"), None, Decimal("12.345")]),
    "rounded": (kv.decimal(20, 4), [Decimal("1.0005"), Decimal("-2.5000"), None, Decimal("0.0005")]),
}
ORDERED = {
    **NUMBERS,
    **{f"decimal_{n}": d for n, d in DECIMALS.items()},
    "char": (kv.CHAR, ["b", "a", None, "ab", "ü", "ab"]),
    "string": (STRING, ["b", "", None, "ab", "ü", "\U0001f600", "\uffff"]),
    "date": (kv.simple("DATE"), [0, -5, None, 20_000]),
    "time": (kv.time_of_day(3), [5, 0, None, 86_399_999]),
    "timestamp_3": (kv.timestamp(3), [(0, 0), (-1, 0), None, (10**12, 0)]),
    "timestamp_9": (kv.timestamp(9), [(5, 5), (5, 6), None, (4, 999_999)]),
    "ltz_6": (kv.timestamp(6, True), [(5, 5000), (5, 6000), None, (4, 999_000)]),
}
FLAGS = {"boolean": (kv.simple("BOOLEAN"), [True, False, None, True, False])}
TEXTS = {"string": (STRING, ["a", "", None, "b,c", "ü"]), "char": (kv.CHAR, ["a", None, "b"])}
ANY = {**ORDERED, **FLAGS, "bytes": (kv.simple("BYTES"), [b"\0", None, b"abc", b""])}
FUNCTIONS = {
    "sum": NUMBERS, "product": NUMBERS, "max": ORDERED, "min": ORDERED, "last_value": ANY,
    "last_value_ignore_nulls": ANY, "first_value": ANY, "first_value_ignore_nulls": ANY,
    "bool_and": FLAGS, "bool_or": FLAGS,
}  # fmt: skip


def every_function(side):
    """Each function over each of its types: full and partial rows, values and nulls in any order."""
    for function, domain in FUNCTIONS.items():
        columns = {"k": INT, **{n: t for n, (t, _) in domain.items()}}
        table = create(
            side,
            function,
            columns,
            aggregates={n: {"type": function} for n in domain},
            properties=AGGREGATION,
        )
        turns = max(len(v) for _, v in domain.values())

        def row(key, turn, domain=domain):
            return [key, *(v[turn % len(v)] for _, v in domain.values())]

        for turn in range(turns):
            put(side, table, f"turn {turn}", row(1, turn), row(2, turn + 1), row(3, 2 - turn))
        put(side, table, "all in one", *(row(4, turn) for turn in range(turns)))
        nothing = [5, *[None] * len(domain)]
        put(side, table, "nulls", nothing, nothing, row(5, 0), nothing)
        put(side, table, "one column", row(1, 1), nothing, target=[0, 1])
        put(side, table, "other columns", row(2, 0), row(9, 0), target=[0, *range(2, len(columns))])
        put(side, table, "overwrite", row(3, 1), mode=kv.OVERWRITE)
        put(side, table, "delete", (1,))
        lookup(side, table, "all", *((i,) for i in range(1, 10)))
        contents(side, table)


def decimals(side):
    """Sums and products, each type alone, since a result that does not fit may refuse the batch."""
    for function in ("sum", "product"):
        for name, (data_type, known) in DECIMALS.items():
            table = create(
                side,
                f"{function}_{name}",
                {"k": INT, "d": data_type},
                aggregates={"d": {"type": function}},
                properties=AGGREGATION,
            )
            for turn in range(2 * len(known)):
                put(side, table, f"turn {turn}", [1, known[turn % len(known)]])
            for one in range(len(known)):
                for other in range(one, len(known)):
                    key = 10 + one * len(known) + other
                    put(side, table, f"{one} and {other}", [key, known[one]], [key, known[other]])
            lookup(side, table, "all", *((i,) for i in range(30)))
            contents(side, table)


def lists_of_texts(side):
    functions = {
        "plain": {"type": "listagg"},
        "other": {"type": "string_agg"},
        "bar": {"type": "listagg", "parameters": {"delimiter": "|"}},
        "words": {"type": "string_agg", "parameters": {"delimiter": " and "}},
    }
    columns = {"k": INT, **dict.fromkeys(functions, STRING)}
    table = create(side, columns=columns, aggregates=functions, properties=AGGREGATION)
    for value in TEXTS["string"][1]:
        put(side, table, repr(value), [1, *[value] * 4], [2, "x", None, value, "y"])
    put(side, table, "in one", *([3, *[v] * 4] for v in TEXTS["string"][1]))
    put(side, table, "long", *([4, *["x" * 500] * 4] for _ in range(20)))
    lookup(side, table, "all", *((i,) for i in range(5)))
    contents(side, table)


def bitmaps(side):
    """Unions of serialized bitmaps, those of the golden file, and nulls."""
    cases = json.loads((ROOT / "test" / "golden" / "roaring.json").read_text())["cases"]
    for bits in (32, 64):
        columns = {"k": INT, "b": kv.simple("BYTES")}
        functions = {"b": {"type": f"rbm{bits}"}}
        table = create(side, f"rbm{bits}", columns, aggregates=functions, properties=AGGREGATION)
        pairs = [c for c in cases if c["bits"] == bits]
        for number, case in enumerate(pairs):
            put(side, table, f"{case['name']} a", [number, bytes.fromhex(case["a"])])
            put(side, table, f"{case['name']} b", [number, bytes.fromhex(case["b"])])
        put(side, table, "all", *([100, bytes.fromhex(c["b"])] for c in pairs))
        put(side, table, "nulls", [101, None], [101, bytes.fromhex(pairs[2]["a"])], [101, None])
        for offset, kind, (key, value) in table.changes():
            side.note(f"rbm{bits} {offset}", (kind, key, value if bits == 32 else unordered(value)))
        if bits == 32:
            contents(side, table)


def unordered(value):
    """The containers of 64-bit bitmaps are in the order of their keys, in Fluss in that of their arrival."""
    return value and sorted(roaring.numbers(value).items())


def aggregation_defaults(side):
    """Columns without a function, deletes by behaviour, both images."""
    columns = {"k": INT, "sum": BIGINT, "plain": STRING}
    for behaviour in ("ALLOW", "IGNORE", "DISABLE"):
        table = create(
            side,
            behaviour,
            columns,
            aggregates={"sum": {"type": "sum"}},
            properties={**AGGREGATION, "table.delete.behavior": behaviour},
        )
        put(side, table, "insert", [1, 1, "a"], [2, None, None], [1, 2, None], [1, None, "b"])
        put(side, table, "delete", (1,), [1, 5, "c"])
        put(side, table, "part", [1, 5, None], target=[0, 1])
        put(side, table, "delete a part", (1,), target=[0, 1])
        put(side, table, "delete the rest", (1,), target=[0, 2])
        put(side, table, "key alone", [3, None, None], [3, None, None], target=[0])
        put(side, table, "duplicate rows", [2, 1, "x"], [2, 1, "x"])
        lookup(side, table, "all", (1,), (2,), (3,))
        contents(side, table)


def first_row(side):
    for image in ("FULL", "WAL"):
        for behaviour in ("IGNORE", "DISABLE"):
            properties = {
                "table.merge-engine": "first_row",
                "table.changelog.image": image,
                "table.delete.behavior": behaviour,
            }
            table = create(side, f"{image}_{behaviour}".lower(), properties=properties)
            put(side, table, "first", [1, "a", 1], [2, "b", 2], [1, "never", 9])
            put(side, table, "second", [1, "never", 9], [3, "c", 3], [2, "never", 9])
            put(side, table, "known only", [1, "never", 9])
            put(side, table, "delete", (1,), [4, "d", 4])
            put(side, table, "part", [5, "e", None], target=[0, 1])
            lookup(side, table, "all", *((i,) for i in range(1, 6)))
            contents(side, table)


VERSIONS = {
    "int": (INT, [5, 3, None, 5, 6, -1, 2**31 - 1]),
    "bigint": (BIGINT, [5, 3, None, 5, 6, -(2**63), 2**63 - 1]),
    "timestamp_3": (kv.timestamp(3), [(5, 0), (3, 0), None, (5, 0), (6, 0)]),
    "timestamp_9": (kv.timestamp(9), [(5, 10), (5, 9), None, (5, 10), (5, 11), (6, 0)]),
    "ltz_6": (kv.timestamp(6, True), [(5, 10_000), (5, 9000), None, (5, 10_000), (6, 0)]),
}


def versioned(side):
    for name, (data_type, known) in VERSIONS.items():
        for image in ("FULL", "WAL"):
            properties = {
                "table.merge-engine": "versioned",
                "table.merge-engine.versioned.ver-column": "ver",
                "table.changelog.image": image,
            }
            columns = {"k": INT, "v": STRING, "ver": data_type}
            table = create(side, f"{name}_{image}".lower(), columns, properties=properties)
            for turn, version in enumerate(known):
                put(side, table, f"turn {turn}", [1, f"turn {turn}", version])
            put(side, table, "null first", [2, "null", None], [2, "null again", None], [2, "x", known[0]])
            put(side, table, "in one", *([3, str(turn), v] for turn, v in enumerate(known)))
            put(side, table, "delete", (1,))
            put(side, table, "part", [4, "d", known[0]], target=[0, 1])
            lookup(side, table, "all", (1,), (2,), (3,), (4,))
            contents(side, table)


def auto_increment(side):
    for number, data_type in enumerate((INT, BIGINT)):
        columns = {"k": STRING, "id": data_type, "v": STRING}
        for image in ("FULL", "WAL"):
            name = f"{image}_{number}".lower()
            properties = {"table.changelog.image": image}
            table = create(side, name, columns, auto_increment="id", properties=properties)
            target = {"target": [0, 2]}
            put(side, table, "insert", ["a", None, "1"], ["b", 77, "2"], **target)
            put(side, table, "update", ["a", None, "11"], ["c", None, "3"], **target)
            put(side, table, "key alone", ["d", None, None], target=[0])
            put(side, table, "delete", ("a",), **target)
            put(side, table, "insert again", ["a", None, "111"], **target)
            put(side, table, "full row", ["e", None, "5"])
            put(side, table, "full delete", ("b",))
            put(side, table, "after it", ["b", None, "22"], **target)
            for chosen in ([0, 1], [0, 1, 2], [1]):
                put(side, table, f"target {chosen}", ["f", 5, "6"], target=chosen)
            lookup(side, table, "all", *((k,) for k in "abcdef"))
            contents(side, table)


def small_ranges_of_ids(side):
    """Ids of several buckets come from ranges; each range is used up before the next."""
    columns = {"k": INT, "id": BIGINT, "v": STRING}
    properties = {"table.auto-increment.cache-size": "5"}
    table = create(side, columns=columns, auto_increment="id", buckets=2, properties=properties)
    key = 0
    for count, bucket in ((3, 0), (4, 1), (4, 0), (1, 1), (12, 0), (2, 1)):
        new = [[i, None, str(i)] for i in range(key, key + count)]
        key += count
        put(side, table, f"{count} in {bucket}", *new, bucket=bucket, target=[0, 2])
    for bucket in (0, 1):
        contents(side, table, bucket=bucket)


def insert_if_not_exists(side):
    columns = {"k": STRING, "id": INT, "v": STRING}
    table = create(side, columns=columns, auto_increment="id")
    missing = {"insert_if_not_exists": True, "acks": -1, "timeout_ms": 10_000}
    put(side, table, "known", ["a", None, "1"], target=[0, 2])
    lookup(side, table, "plain", ("a",), ("b",))
    lookup(side, table, "insert", ("a",), ("b",), ("c",), ("b",), **missing)
    lookup(side, table, "again", ("c",), ("b",), ("a",), **missing)
    lookup(side, table, "nothing to insert", ("a",), **missing)
    lookup(side, table, "no keys", **missing)
    for acks in (0, 1):
        lookup(side, table, f"acks {acks}", (f"acks {acks}",), **{**missing, "acks": acks})
    table.await_end(5)
    contents(side, table)
    plain = create(side, "plain")
    lookup(side, plain, "insert", (1,), (2,), **missing)
    contents(side, plain)
    two = create(side, "two", {"a": INT, "b": STRING, "v": INT}, key=("a", "b"))
    lookup(side, two, "insert", (1, "x"), (-1, ""), **missing)
    contents(side, two)
    required = create(side, "required", {"k": INT, "v": {**STRING, "nullable": False}})
    lookup(side, required, "insert", (1,), **missing)
    contents(side, required)
    first = create(side, "first", properties={"table.merge-engine": "first_row"})
    lookup(side, first, "insert", (1,), **missing)
    contents(side, first)


def random_merges(side):
    """Many writes to each engine, the same ones on both sides."""
    engines = {
        "first": {"table.merge-engine": "first_row"},
        "versioned": {"table.merge-engine": "versioned", "table.merge-engine.versioned.ver-column": "w"},
        "aggregation": {**AGGREGATION, "table.delete.behavior": "ALLOW"},
        "wal": {"table.changelog.image": "WAL"},
    }
    columns = {"k": INT, "s": STRING, "w": BIGINT, "d": kv.decimal(12, 3)}
    functions = {"s": {"type": "listagg"}, "w": {"type": "max"}, "d": {"type": "sum"}}
    for name, properties in engines.items():
        dice = random.Random(name)
        partial = name in ("aggregation", "wal")
        aggregates = functions if name == "aggregation" else None
        table = create(side, name, columns, properties=properties, aggregates=aggregates)

        def record(dice=dice):
            if dice.random() < 0.2:
                return (dice.randrange(20),)
            texts = [None, "", "abc", "x" * dice.randrange(40)]
            number = dice.choice([None, Decimal(dice.randrange(-(10**9), 10**9)).scaleb(-3)])
            return [dice.randrange(20), dice.choice(texts), dice.choice([None, dice.randrange(50)]), number]

        for turn in range(40):
            target = dice.choice([[], [], [0, 1], [0, 2, 3]]) if partial else []
            mode = kv.OVERWRITE if dice.random() < 0.1 else None
            new = [record() for _ in range(dice.randrange(12))]
            put(side, table, f"turn {turn}", *new, target=target, mode=mode)
        lookup(side, table, "all", *((i,) for i in range(20)))
        contents(side, table)


SCENARIOS = [
    every_function, decimals, lists_of_texts, bitmaps, aggregation_defaults, first_row, versioned, auto_increment,
    small_ranges_of_ids, insert_if_not_exists, random_merges,
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_merges_are_those_of_fluss(scenario, ours, peer):
    same(scenario, ours, peer, EXPECTED.get(scenario.__name__, {}))
