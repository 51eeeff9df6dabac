"""Values of every column type: made at random, read from rows and from Arrow.

Values are those of harness.rows, which writes them. What is read back is spelled the same way, so that
two values are equal when they are the same for a client.
"""

import struct
from decimal import Decimal

import pyarrow as pa
from harness import kv, rows
from harness.rows import FIXED, VARINT, is_short, kind

INTEGER, BIGINT, STRING = ({"type": name} for name in ("INTEGER", "BIGINT", "STRING"))
TYPES = [
    *({"type": name} for name in ("BOOLEAN", "TINYINT", "SMALLINT", "FLOAT", "DOUBLE", "BYTES", "DATE")),
    INTEGER, BIGINT, STRING, kv.CHAR, kv.BINARY, kv.decimal(10, 2), kv.decimal(25, 4),
    kv.time_of_day(0), kv.time_of_day(3), *(kv.timestamp(p) for p in (0, 3, 6, 9)),
    kv.timestamp(3, local=True), kv.timestamp(9, local=True),
    {"type": "ARRAY", "element_type": INTEGER}, {"type": "ARRAY", "element_type": STRING},
    {"type": "MAP", "key_type": {**STRING, "nullable": False}, "value_type": BIGINT},
    {"type": "ROW", "fields": [{"name": "x", "field_type": INTEGER}, {"name": "y", "field_type": STRING}]},
]  # fmt: skip
BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
TEXTS = ["", "a", "b", "grüße", "\U0001f600", "x" * 300, "nul\0inside", "seven 7", "eight 88"]
DAY_MS = 86_400_000


def wrap(number, bits):
    """As an addition in Java leaves it."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def single(number):
    """The nearest float of 32 bits."""
    try:
        return struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def make(chance, data_type):
    """A value that is not null."""
    root = kind(data_type)
    if root in BITS:
        top = 1 << (BITS[root] - 1)
        return chance.choice([0, 1, -1, top - 1, -top, chance.randrange(-100, 100), chance.randrange(top)])
    if root in ("STRING", "BYTES"):
        text = chance.choice([*TEXTS, str(chance.randrange(1000))])
        return text if root == "STRING" else text.encode() + bytes([chance.randrange(256)])
    if root == "ARRAY":
        return [maybe(chance, data_type["element_type"]) for _ in range(chance.choice([0, 1, 3, 40]))]
    if root == "MAP":
        names = chance.sample(TEXTS, chance.choice([0, 1, 4]))
        return [(name, maybe(chance, data_type["value_type"])) for name in names]
    if root == "ROW":
        return [maybe(chance, f["field_type"]) for f in data_type["fields"]]
    return SCALARS[root](chance, data_type)


def maybe(chance, data_type):
    return None if chance.random() < 0.2 else make(chance, data_type)


def _decimal(chance, data_type):
    """Sums of the short ones are not checked, and too large for Arrow when they overflow."""
    top = 10 ** data_type["precision"] - 1
    if is_short(data_type):
        top //= 1000
    number = chance.choice([0, 1, -1, top, -top, chance.randrange(-(10**5), 10**5)])
    return _scaled(number, data_type)


def _scaled(number, data_type):
    return Decimal(number).scaleb(-data_type["scale"], rows.EXACT)


def _timestamp(chance, data_type):
    """(milliseconds, nanoseconds of it), as exact as the type; nanoseconds of 64 bits reach 2262."""
    unit = 10 ** (9 - data_type["precision"])
    nanos = chance.choice([0, 1, chance.randrange(10**18), -chance.randrange(10**18)]) // unit * unit
    return (nanos // 10**6, nanos % 10**6)


def _time(chance, data_type):
    unit = 1000 if data_type["precision"] == 0 else 1
    return chance.randrange(DAY_MS) // unit * unit


SCALARS = {
    "BOOLEAN": lambda chance, _: chance.random() < 0.5,
    "FLOAT": lambda chance, _: single(chance.choice([0.0, -1.5, 3e38, chance.uniform(-9, 9)])),
    "DOUBLE": lambda chance, _: chance.choice([0.0, 5e-324, -1e300, chance.uniform(-9, 9)]),
    "CHAR": lambda chance, _: chance.choice(["abcde", "vwxyz", "äö1"]),
    "BINARY": lambda chance, data_type: bytes([7] * data_type["length"]),
    "DECIMAL": _decimal,
    "DATE": lambda chance, _: chance.choice([0, -1, -719162, 2932896, chance.randrange(30_000)]),
    "TIME_WITHOUT_TIME_ZONE": _time,
    "TIMESTAMP": _timestamp,
}


class Cursor:
    """Reads what harness.rows writes."""

    def __init__(self, raw):
        self.raw = raw
        self.at = 0

    def take(self, count):
        assert 0 <= count <= len(self.raw) - self.at, f"{count} bytes at {self.at} of {self.raw.hex()}"
        self.at += count
        return self.raw[self.at - count : self.at]

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def varint(self, bits=32):
        number = shift = 0
        while True:
            byte = self.unpack("<B")
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return wrap(number, bits)

    def end(self):
        assert self.at == len(self.raw), f"bytes after the end: {self.raw[self.at :].hex()}"


def row(columns, raw, form="COMPACTED"):
    cursor = Cursor(raw)
    bits = cursor.take((len(columns) + 7) // 8)
    null = [bool(bits[i // 8] & 1 << i % 8) for i in range(len(columns))]
    out = (_compacted_row if form == "COMPACTED" else _indexed_row)(cursor, columns, null)
    cursor.end()
    return out


def _compacted_row(cursor, columns, null):
    return [None if n else _compacted(cursor, t) for t, n in zip(columns, null, strict=True)]


def _compacted(cursor, data_type):
    root = kind(data_type)
    if root in VARINT:
        return cursor.varint(VARINT[root])
    if root in FIXED:
        return cursor.unpack(FIXED[root])
    if root == "TIMESTAMP":
        millis = cursor.varint(64)
        return (millis, 0) if is_short(data_type) else (millis, cursor.varint())
    if root == "DECIMAL" and is_short(data_type):
        return _scaled(cursor.varint(64), data_type)
    return _variable(data_type, cursor.take(cursor.varint()), "COMPACTED")


def _variable(data_type, raw, form):
    root = kind(data_type)
    if root == "DECIMAL":
        return _scaled(int.from_bytes(raw, "big", signed=True), data_type)
    if root == "ARRAY":
        return _array(data_type["element_type"], raw, form)
    if root == "MAP":
        (size,) = struct.unpack_from("<i", raw)
        keys = _array(data_type["key_type"], raw[4 : 4 + size], form)
        return list(zip(keys, _array(data_type["value_type"], raw[4 + size :], form), strict=True))
    if root == "ROW":
        return row([f["field_type"] for f in data_type["fields"]], raw, form)
    return raw.decode() if root in ("STRING", "CHAR") else raw


def _array(element, raw, form):
    """Elements are whole numbers of fixed size or strings, the only ones that TYPES nests."""
    (count,) = struct.unpack_from("<i", raw)
    start = 4 + (count + 31) // 32 * 4
    fixed = FIXED.get(kind(element))
    size = struct.calcsize(fixed) if fixed else 8
    out = []
    for i in range(count):
        slot = raw[start + i * size : start + (i + 1) * size]
        if raw[4 + i // 8] & 1 << i % 8:
            out.append(None)
        elif fixed:
            out.append(struct.unpack(fixed, slot)[0])
        else:
            out.append(_variable(element, _slot(raw, slot), form))
    return out


def _slot(raw, slot):
    if slot[7] & 0x80:
        return slot[: slot[7] & 0x7F]
    length, offset = struct.unpack("<ii", slot)
    return raw[offset : offset + length]


def _indexed_row(cursor, columns, null):
    sizes = [_indexed_size(t) for t in columns]
    lengths = iter([cursor.unpack("<i") for size in sizes if size is None])
    out = []
    for data_type, size, is_null in zip(columns, sizes, null, strict=True):
        if is_null:
            out.append(None)
        elif size is None:
            out.append(_variable(data_type, cursor.take(next(lengths)), "INDEXED"))
        else:
            out.append(_indexed_fixed(data_type, cursor.take(size)))
    return out


def _indexed_size(data_type):
    """Bytes of a value, None if it is variable."""
    root = kind(data_type)
    if root in FIXED:
        return struct.calcsize(FIXED[root])
    if root in ("TIMESTAMP", "DECIMAL"):
        return 8 if is_short(data_type) else 12 if root == "TIMESTAMP" else None
    return data_type["length"] if root in ("CHAR", "BINARY") else None


def _indexed_fixed(data_type, raw):
    root = kind(data_type)
    if root in FIXED:
        return struct.unpack(FIXED[root], raw)[0]
    if root == "TIMESTAMP":
        return (*struct.unpack("<q", raw[:8]), *(struct.unpack("<i", raw[8:]) if raw[8:] else (0,)))
    if root == "DECIMAL":
        return _scaled(struct.unpack("<q", raw)[0], data_type)
    return raw.rstrip(b"\0").decode() if root == "CHAR" else raw.rstrip(b"\0")


def columns_of_arrow(batch, types):
    """The rows of a record batch."""
    listed = [_of_arrow(column, t) for column, t in zip(batch.columns, types, strict=True)]
    return [list(r) for r in zip(*listed)]


def _of_arrow(column, data_type):
    root = kind(data_type)
    if root in ("DATE", "TIME_WITHOUT_TIME_ZONE"):
        width = pa.int64() if pa.types.is_time64(column.type) else pa.int32()
        unit = {"s": 1000}.get(getattr(column.type, "unit", ""), 1)
        return [None if v is None else v * unit for v in column.view(width).to_pylist()]
    if root == "TIMESTAMP":
        unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[column.type.unit]
        numbers = [None if v is None else v * unit for v in column.view(pa.int64()).to_pylist()]
        return [None if n is None else (n // 10**6, n % 10**6) for n in numbers]
    return [_plain(v, root) for v in column.to_pylist()]


def _plain(value, root):
    return list(value.values()) if root == "ROW" and value is not None else value
