"""The numbers in a serialized Roaring64Bitmap, whatever order its containers are in."""

import struct

NODE_BYTES = [4, 16, 256, 32]
LEAF = 4
RUN, BITSET, ARRAY = 0, 1, 2


def numbers(raw):
    """{upper 48 bits: the lower ones as an integer with these bits set}."""
    if raw[:1] == b"\0":
        return {}
    leaves = {}
    at = _node(raw, 9, leaves)
    containers = _containers(raw, at)
    return {high: containers[place] for high, place in leaves.items()}


def _node(raw, at, leaves):
    """Notes the leaves of a node: upper bits -> (list, entry); returns where the next node is."""
    kind, children, prefix = struct.unpack_from("<BHB", raw, at)
    at += 4 + prefix
    if kind == LEAF:
        upper, lower = struct.unpack_from(">IH", raw, at)
        (place,) = struct.unpack_from("<q", raw, at + 6)
        leaves[upper << 16 | lower] = (place >> 32, place & 0xFFFFFFFF)
        return at + 14
    at += NODE_BYTES[kind]
    for _ in range(children):
        at = _node(raw, at, leaves)
    return at


def _containers(raw, at):
    found = {}
    (lists,) = struct.unpack_from("<i", raw, at)
    at += 4
    for number in range(lists):
        (entries,) = struct.unpack_from("<i", raw, at + 1)
        at += 5
        for entry in range(entries):
            at += 1
            if raw[at - 1]:
                found[number, entry], at = _container(raw, at)
    return found


def _container(raw, at):
    kind, cardinality = struct.unpack_from("<Bi", raw, at)
    at += 5
    if kind == BITSET:
        return int.from_bytes(raw[at : at + 8192], "little"), at + 8192
    bits = 0
    if kind == ARRAY:
        for one in struct.unpack_from(f"<{cardinality}H", raw, at):
            bits |= 1 << one
        return bits, at + 2 * cardinality
    (runs,) = struct.unpack_from("<H", raw, at)
    pairs = struct.unpack_from(f"<{2 * runs}H", raw, at + 2)
    for first, more in zip(pairs[::2], pairs[1::2], strict=True):
        bits |= ((1 << more + 1) - 1) << first
    return bits, at + 2 + 4 * runs
