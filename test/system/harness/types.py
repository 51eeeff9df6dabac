"""Every data type of a log table: its Arrow form and values at its edges, with nulls between."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa

UTC = UTC
LIST = pa.list_(pa.field("element", pa.int32()))
MAP = pa.map_(pa.string(), pa.int64())
STRUCT = pa.struct([("x", pa.int32()), ("y", pa.string())])
DEEP = pa.list_(pa.field("element", pa.struct([("k", pa.string()), ("v", LIST)])))


def _stamps(tz=None):
    return [datetime(1970, 1, 1, tzinfo=tz), datetime(2026, 8, 22, 13, 14, 15, 123000, tz)]


COLUMNS = {  # name: (Arrow type, values)
    "boolean": (pa.bool_(), [True, False]),
    "tinyint": (pa.int8(), [-128, 127, 0]),
    "smallint": (pa.int16(), [-32768, 32767]),
    "int": (pa.int32(), [-(2**31), 2**31 - 1, 0]),
    "bigint": (pa.int64(), [-(2**63), 2**63 - 1, 0]),
    "float": (pa.float32(), [1.5, -0.0, float("inf"), 3.4028234663852886e38]),
    "double": (pa.float64(), [0.1, -0.0, float("-inf"), 1.7976931348623157e308, 5e-324]),
    "string": (pa.string(), ["", "a", "grüße", "\U0001f600", "x" * 1000, "nul\0inside"]),
    "bytes": (pa.binary(), [b"", b"\0\xff", bytes(range(256))]),
    "binary": (pa.binary(4), [b"\0\0\0a", b"abcd", b"\xff" * 4]),
    "decimal_small": (pa.decimal128(10, 2), [Decimal("0.00"), Decimal("-99999999.99"), Decimal("1.23")]),
    "decimal_big": (pa.decimal128(38, 10), [Decimal("9" * 28 + "." + "9" * 10), Decimal("-0.0000000001")]),
    "date": (pa.date32(), [date(1970, 1, 1), date(1, 1, 1), date(9999, 12, 31)]),
    "time_0": (pa.time32("s"), [time(0, 0, 0), time(23, 59, 59)]),
    "time_3": (pa.time32("ms"), [time(0, 0, 0), time(23, 59, 59, 999000)]),
    "timestamp_0": (pa.timestamp("s"), [datetime(1970, 1, 1), datetime(2026, 8, 22, 13, 14, 15)]),
    "timestamp_3": (pa.timestamp("ms"), _stamps()),
    "timestamp_6": (pa.timestamp("us"), [*_stamps(), datetime(2026, 8, 22, 13, 14, 15, 123456)]),
    "timestamp_9": (pa.timestamp("ns"), _stamps()),
    "timestamp_ltz_3": (pa.timestamp("ms", tz="UTC"), _stamps(UTC)),
    "timestamp_ltz_6": (pa.timestamp("us", tz="UTC"), _stamps(UTC)),
    "array": (LIST, [[], [1, None, 3], [-(2**31)] * 100]),
    "map": (MAP, [[], [("a", 1), ("b", None)], [(str(i), i) for i in range(50)]]),
    "row": (STRUCT, [{"x": 1, "y": "one"}, {"x": None, "y": None}, {"x": -1, "y": ""}]),
    "deep": (DEEP, [[], [{"k": "a", "v": [1, 2]}, None, {"k": None, "v": None}], [{"k": "", "v": []}]]),
}


TEXTS = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INT",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "STRING",
    "bytes": "BYTES",
    "binary": "BINARY(4)",
    "decimal_small": "DECIMAL(10, 2)",
    "decimal_big": "DECIMAL(38, 10)",
    "date": "DATE",
    "time_0": "TIME(0)",
    "time_3": "TIME(3)",
    "timestamp_0": "TIMESTAMP(0)",
    "timestamp_3": "TIMESTAMP(3)",
    "timestamp_6": "TIMESTAMP(6)",
    "timestamp_9": "TIMESTAMP(9)",
    "timestamp_ltz_3": "TIMESTAMP_LTZ(3)",
    "timestamp_ltz_6": "TIMESTAMP_LTZ(6)",
    "array": "ARRAY<INT>",
    "map": "MAP<STRING NOT NULL, BIGINT>",
    "row": "ROW<x INT, y STRING>",
    "deep": "ARRAY<ROW<k STRING, v ARRAY<INT>>>",
}


def values(name, count):
    """`count` values of the column in turn, every fourth of them null."""
    known = COLUMNS[name][1]
    return [None if i % 4 == 3 else known[(i - i // 4) % len(known)] for i in range(count)]


def schema(names=COLUMNS):
    return pa.schema([("id", pa.int32()), *[(n, COLUMNS[n][0]) for n in names]])


def table(count, names=COLUMNS) -> pa.Table:
    columns = [pa.array(range(count), pa.int32())]
    columns += [pa.array(values(n, count), COLUMNS[n][0]) for n in names]
    return pa.table(columns, schema=schema(names))
