"""Sets of numbers in the portable format of 32-bit Roaring bitmaps (RoaringFormatSpec)."""

import struct

PLAIN, WITH_RUNS = 12346, 12347
ARRAY_MAX = 4096
OFFSETS_FROM = 4  # containers; with runs, smaller bitmaps have no offsets


def pack(numbers):
    """Array containers only: at most 4096 numbers with the same upper half."""
    chunks = {}
    for number in sorted(numbers):
        chunks.setdefault(number >> 16, []).append(number & 0xFFFF)
    head = struct.pack("<II", PLAIN, len(chunks))
    head += b"".join(struct.pack("<HH", key, len(low) - 1) for key, low in chunks.items())
    at, offsets, body = len(head) + 4 * len(chunks), b"", b""
    for low in chunks.values():
        offsets += struct.pack("<I", at + len(body))
        body += struct.pack(f"<{len(low)}H", *low)
    return head + offsets + body


def unpack(raw):
    (cookie,) = struct.unpack_from("<I", raw)
    at, runs = 4, b""
    if cookie & 0xFFFF == WITH_RUNS:
        count = (cookie >> 16) + 1
        runs = raw[at : at + (count + 7) // 8]
        at += len(runs)
    else:
        assert cookie == PLAIN, raw.hex()
        (count,) = struct.unpack_from("<I", raw, at)
        at += 4
    heads = [struct.unpack_from("<HH", raw, at + 4 * i) for i in range(count)]
    at += 4 * count
    if not runs or count >= OFFSETS_FROM:
        at += 4 * count
    out = set()
    for i, (key, cardinality) in enumerate(heads):
        is_run = bool(runs) and runs[i // 8] & 1 << i % 8
        low, at = _container(raw, at, cardinality + 1, is_run)
        out.update(key << 16 | number for number in low)
    assert at == len(raw), raw.hex()
    return frozenset(out)


def _container(raw, at, cardinality, is_run):
    if is_run:
        (count,) = struct.unpack_from("<H", raw, at)
        pairs = struct.unpack_from(f"<{2 * count}H", raw, at + 2)
        low = [n for start, more in zip(pairs[::2], pairs[1::2]) for n in range(start, start + more + 1)]
        return low, at + 2 + 4 * count
    if cardinality <= ARRAY_MAX:
        return struct.unpack_from(f"<{cardinality}H", raw, at), at + 2 * cardinality
    bits = int.from_bytes(raw[at : at + 8192], "little")
    return [i for i in range(65536) if bits >> i & 1], at + 8192
