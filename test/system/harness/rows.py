"""Rows and keys as clients write them: COMPACTED and INDEXED rows; compacted, Paimon and Iceberg keys.

Types are the documents of table descriptors. Values: int for whole numbers, dates (days) and times
(milliseconds of the day); Decimal; str; bytes; (milliseconds, nanoseconds of it) for timestamps; a list
for an array or a row; a list of pairs for a map; None.
"""

import struct
from decimal import Context

EXACT = Context(prec=80)
FIXED = {
    "BOOLEAN": "<?", "TINYINT": "<b", "SMALLINT": "<h", "INTEGER": "<i", "BIGINT": "<q", "FLOAT": "<f",
    "DOUBLE": "<d", "DATE": "<i", "TIME_WITHOUT_TIME_ZONE": "<i",
}  # fmt: skip
VARINT = {"INTEGER": 32, "BIGINT": 64, "DATE": 32, "TIME_WITHOUT_TIME_ZONE": 32}
SHORT_TIMESTAMP, SHORT_DECIMAL = 3, 18
INLINE = 7  # bytes of a string that fit into a slot of an aligned row


def kind(data_type):
    root = data_type["type"]
    return "TIMESTAMP" if root.startswith("TIMESTAMP") else root


def is_short(data_type):
    """Of decimals and timestamps: fits into 8 bytes."""
    if kind(data_type) == "DECIMAL":
        return data_type["precision"] <= SHORT_DECIMAL
    return data_type.get("precision", 6) <= SHORT_TIMESTAMP


def unscaled(value, data_type):
    return int(value.scaleb(data_type["scale"], EXACT))


def big_endian(number):
    """Two's complement in the fewest bytes, as Java's BigInteger."""
    size = ((number if number >= 0 else ~number).bit_length() + 8) // 8
    return number.to_bytes(size, "big", signed=True)


def varint(number, bits=32):
    number &= (1 << bits) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def sized(raw):
    return varint(len(raw)) + raw


def text(value):
    return value if isinstance(value, bytes) else value.encode()


def null_bits(values):
    bits = bytearray((len(values) + 7) // 8)
    for i, value in enumerate(values):
        if value is None:
            bits[i // 8] |= 1 << i % 8
    return bytes(bits)


def row(columns, values, form="COMPACTED"):
    """`columns`: a list of types."""
    return (compacted_row if form == "COMPACTED" else indexed_row)(columns, values)


def compacted_row(columns, values):
    cells = [compacted(t, v) for t, v in zip(columns, values, strict=True) if v is not None]
    return null_bits(values) + b"".join(cells)


def compacted(data_type, value):
    """One value of a compacted row, and of a compacted key."""
    root = kind(data_type)
    if root in VARINT:
        return varint(value, VARINT[root])
    if root in FIXED:
        return struct.pack(FIXED[root], value)
    if root == "TIMESTAMP":
        millis = varint(value[0], 64)
        return millis if is_short(data_type) else millis + varint(value[1])
    if root == "DECIMAL" and is_short(data_type):
        return varint(unscaled(value, data_type), 64)
    return sized(variable(data_type, value, compacted_row))


def variable(data_type, value, nested_row):
    """The bytes of a value without a fixed size."""
    root = kind(data_type)
    if root == "DECIMAL":
        return big_endian(unscaled(value, data_type))
    if root == "ARRAY":
        return array(data_type["element_type"], value, nested_row)
    if root == "MAP":
        keys = array(data_type["key_type"], [k for k, _ in value], nested_row)
        values = array(data_type["value_type"], [v for _, v in value], nested_row)
        return struct.pack("<i", len(keys)) + keys + values
    if root == "ROW":
        return nested_row([f["field_type"] for f in data_type["fields"]], value)
    return text(value)


def indexed_row(columns, values):
    lengths, cells, slots = [], [], 0
    for data_type, value in zip(columns, values, strict=True):
        fixed = indexed_fixed(data_type, value)
        slots += fixed is None
        if value is None:
            continue
        cells.append(variable(data_type, value, indexed_row) if fixed is None else fixed)
        if fixed is None:
            lengths.append(len(cells[-1]))
    lengths += [0] * (slots - len(lengths))
    return null_bits(values) + struct.pack(f"<{slots}i", *lengths) + b"".join(cells)


def indexed_fixed(data_type, value):
    """The bytes of a value of fixed size, None if the type has none."""
    root = kind(data_type)
    if root in ("STRING", "BYTES", "ARRAY", "MAP", "ROW") or root == "DECIMAL" and not is_short(data_type):
        return None
    if value is None:
        return b""
    if root in FIXED:
        return struct.pack(FIXED[root], value)
    if root == "TIMESTAMP":
        millis = struct.pack("<q", value[0])
        return millis if is_short(data_type) else millis + struct.pack("<i", value[1])
    if root == "DECIMAL":
        return struct.pack("<q", unscaled(value, data_type))
    return text(value).ljust(data_type["length"], b"\0")  # CHAR and BINARY


class Slots:
    """The 8-byte slots of aligned rows and arrays, and the variable part behind them."""

    def __init__(self, start, nested_row):
        self.at = start
        self.tail = b""
        self.nested_row = nested_row

    def add(self, raw):
        """Appends to the variable part; returns its offset."""
        offset = self.at + len(self.tail)
        self.tail += raw + bytes(-len(raw) % 8)
        return offset

    def slot(self, data_type, value):
        root = kind(data_type)
        if root in FIXED:
            return struct.pack(FIXED[root], value).ljust(8, b"\0")
        if root == "TIMESTAMP":
            return self._timestamp(data_type, value)
        if root == "DECIMAL":
            return self._decimal(data_type, value)
        raw = variable(data_type, value, self.nested_row)
        if root in ("ARRAY", "MAP", "ROW") or len(raw) > INLINE:
            return struct.pack("<q", self.add(raw) << 32 | len(raw))
        return raw.ljust(INLINE, b"\0") + bytes([0x80 | len(raw)])

    def _timestamp(self, data_type, value):
        if is_short(data_type):
            return struct.pack("<q", value[0])
        return struct.pack("<q", self.add(struct.pack("<q", value[0])) << 32 | value[1])

    def _decimal(self, data_type, value):
        number = unscaled(value, data_type)
        if is_short(data_type):
            return struct.pack("<q", number)
        raw = big_endian(number)
        return struct.pack("<q", self.add(raw.ljust(16, b"\0")) << 32 | len(raw))


def array(element, values, nested_row):
    size = struct.calcsize(FIXED[kind(element)]) if kind(element) in FIXED else 8
    head = bytearray(struct.pack("<i", len(values)) + bytes((len(values) + 31) // 32 * 4))
    fixed = len(head) + size * len(values)
    slots = Slots(fixed + -fixed % 8, nested_row)
    body = b""
    for i, value in enumerate(values):
        if value is None:
            head[4 + i // 8] |= 1 << i % 8
        body += bytes(size) if value is None else slots.slot(element, value)[:size]
    return bytes(head) + body + bytes(-fixed % 8) + slots.tail


def aligned_row(columns, values):
    """The key encoding of Paimon; nothing is null."""
    head = (len(values) + 63 + 8) // 64 * 8
    slots = Slots(head + 8 * len(values), aligned_row)
    body = b"".join(slots.slot(t, v) for t, v in zip(columns, values, strict=True))
    return bytes(head) + body + slots.tail


def compacted_key(columns, values):
    return b"".join(compacted(t, v) for t, v in zip(columns, values, strict=True))


def iceberg_key(columns, values):
    (data_type,), (value,) = columns, values
    root = kind(data_type)
    if root in ("INTEGER", "DATE", "BIGINT"):
        return struct.pack("<q", value)
    if root == "TIME_WITHOUT_TIME_ZONE":
        return struct.pack("<q", value * 1000)
    if root == "TIMESTAMP":
        return struct.pack("<q", value[0] * 1000 + value[1] // 1000)
    if root in FIXED:
        return struct.pack(FIXED[root], value)
    if root == "DECIMAL":
        return big_endian(unscaled(value, data_type))
    return text(value)


KEYS = {None: compacted_key, "paimon": aligned_row, "iceberg": iceberg_key}
