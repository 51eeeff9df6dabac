"""Our codec against google.protobuf: random messages in, the same messages out, and the ways in
which bytes may differ without meaning anything else. Runs test/protocol/roundtrip.c."""
import os
import pathlib
import random
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("EIDER_ROUNDTRIP", str(ROOT / "build" / "protocol_roundtrip"))
SEED = int(os.environ.get("EIDER_SEED", "1"))
NUMBERS = {
    "int32": [0, 1, 127, 128, 2**31 - 1, -1, -(2**31)],
    "int64": [0, 1, 2**35, 2**63 - 1, -1, -2, -(2**63)],
    "float": [0.0, 1.5, -3.25, float("inf")],
    "double": [0.0, 1.5, -1e300, float("-inf")],
    "bool": [False, True],
}
KINDS = {1: "double", 2: "float", 3: "int64", 5: "int32", 8: "bool", 9: "string", 12: "bytes"}
NESTED = 11
REQUIRED, REPEATED = 2, 3


class Program:
    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, name, body):
        """(ok, bytes): the message encoded again, or the error text."""
        request = name.encode()
        self.process.stdin.write(struct.pack("<I", len(request)) + request)
        self.process.stdin.write(struct.pack("<I", len(body)) + body)
        self.process.stdin.flush()
        status, length = struct.unpack("<BI", self.process.stdout.read(5))
        return status == 0, self.process.stdout.read(length)


@pytest.fixture(scope="module")
def program():
    started = Program()
    yield started
    started.process.stdin.close()
    assert started.process.wait(120) == 0


def tops(messages):
    """Messages that are the body of a frame."""
    return sorted(name for name in messages if not name.startswith("Pb"))


def value(kind, rng):
    if kind in NUMBERS:
        return rng.choice(NUMBERS[kind])
    length = rng.choice([0, 1, 5, 130, 4095, 4096, 9000]) if rng.random() < 0.3 else rng.randrange(20)
    if kind == "bytes":
        return rng.randbytes(length)
    return "".join(rng.choice(["a", "Z", "\u00e9", "\u20ac", "\U0001f986", "\0"]) for _ in range(length))


def fill(message, rng, depth=0):
    for field in message.DESCRIPTOR.fields:
        many = field.label == REPEATED if hasattr(field, "label") else field.is_repeated
        must = field.label == REQUIRED if hasattr(field, "label") else field.is_required
        present = must or (depth < 6 and rng.random() < 0.6)
        if not present:
            continue
        target = getattr(message, field.name)
        if field.type == NESTED:
            if many:
                for _ in range(rng.randrange(4)):
                    fill(target.add(), rng, depth + 1)
            else:
                target.SetInParent()
                fill(target, rng, depth + 1)
        elif many:
            target.extend(value(KINDS[field.type], rng) for _ in range(rng.randrange(6)))
        else:
            setattr(message, field.name, value(KINDS[field.type], rng))
    return message


def varint(v):
    out = bytearray()
    while v >= 0x80:
        out.append(v & 0x7F | 0x80)
        v >>= 7
    return bytes(out + bytes([v]))


def unknown(rng):
    """A field with a number that no message has, of any wire type but groups."""
    number = rng.choice([99, 2000, 2**28])
    wire = rng.choice([0, 1, 2, 5])
    body = {0: varint(2**63 + 5), 1: bytes(8), 2: varint(3) + b"\xff\xfe\xfd", 5: bytes(4)}[wire]
    return varint(number << 3 | wire) + body


def fields(body):
    """Top-level fields of a body as byte strings."""
    at, found = 0, []

    def number():
        nonlocal at
        v = shift = 0
        while True:
            byte = body[at]
            at += 1
            v |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return v

    while at < len(body):
        start = at
        wire = number() & 7
        if wire == 0:
            number()
        else:
            length = number() if wire == 2 else {1: 8, 5: 4}[wire]
            at += length
        found.append(body[start:at])
    return found


def test_random_messages(program, messages):
    rng = random.Random(SEED)
    for name in tops(messages):
        for _ in range(40):
            message = fill(messages[name](), rng)
            ok, out = program(name, message.SerializeToString())
            assert ok, (name, out)
            assert messages[name].FromString(out).SerializeToString(deterministic=True) == \
                message.SerializeToString(deterministic=True), name


def test_bytes_are_those_of_protobuf(program, messages):
    """Declaration order is number order in all messages, so even the bytes agree."""
    rng = random.Random(SEED + 1)
    for name in tops(messages):
        for _ in range(10):
            body = fill(messages[name](), rng).SerializeToString(deterministic=True)
            assert program(name, body) == (True, body), name


def test_unknown_fields_are_skipped(program, messages):
    rng = random.Random(SEED + 2)
    for name in tops(messages):
        body = fill(messages[name](), rng).SerializeToString()
        parts = fields(body)
        for at in range(len(parts) + 1):
            mixed = b"".join(parts[:at]) + unknown(rng) + b"".join(parts[at:])
            assert program(name, mixed) == (True, body), name


def test_any_order_of_fields(program, messages):
    """Elements of a repeated field keep their order; all else may be mixed."""
    rng = random.Random(SEED + 3)
    for name in tops(messages):
        body = fill(messages[name](), rng).SerializeToString()
        queues = {}
        for part in fields(body):
            queues.setdefault(part[0], []).append(part)
        mixed = b""
        while queues:
            key = rng.choice(sorted(queues))
            mixed += queues[key].pop(0)
            if not queues[key]:
                del queues[key]
        assert program(name, mixed) == (True, body), name


def test_last_value_counts(program, messages):
    old = messages["InitWriterResponse"](writer_id=1).SerializeToString()
    new = messages["InitWriterResponse"](writer_id=-7).SerializeToString()
    assert program("InitWriterResponse", old + new) == (True, new)


def test_packed_and_unpacked(program, messages):
    rng = random.Random(SEED + 4)
    seen = 0
    for name in tops(messages):
        for field in messages[name].DESCRIPTOR.fields:
            if field.type in (3, 5) and hasattr(getattr(messages[name](), field.name), "append"):
                message = fill(messages[name](), rng)
                message.ClearField(field.name)
                values = [0, 1, 300, -1, 2**31 - 1]
                raw = [varint(v % 2**64) for v in values]
                unpacked = b"".join(varint(field.number << 3) + r for r in raw)
                run = b"".join(raw[1:])
                half = varint(field.number << 3) + raw[0] + \
                    varint(field.number << 3 | 2) + varint(len(run)) + run
                body = message.SerializeToString()
                getattr(message, field.name).extend(values)
                want = message.SerializeToString()
                for form in (unpacked, half):
                    assert program(name, body + form) == (True, want), name
                seen += 1
    assert seen >= 5


def test_empty_packed_run(program):
    assert program("MetadataRequest", b"\x1a\x00") == (True, b"")


def test_bool_is_true_only_for_one(program):
    assert program("TableExistsResponse", b"\x08\x01") == (True, b"\x08\x01")
    assert program("TableExistsResponse", b"\x08\x02") == (True, b"\x08\x00")


def test_missing_required_fields(program, messages):
    rng = random.Random(SEED + 5)
    for name in tops(messages):
        parts = fields(fill(messages[name](), rng).SerializeToString())
        required = [
            f for f in messages[name].DESCRIPTOR.fields
            if (f.label == REQUIRED if hasattr(f, "label") else f.is_required)
        ]
        for field in required:
            body = b"".join(p for p in parts if p[0] >> 3 != field.number)
            ok, text = program(name, body)
            assert not ok and text.decode().endswith(": required, but missing"), (name, text)


def test_cut_short(program, messages):
    """No prefix crashes, and what protobuf refuses we refuse too."""
    rng = random.Random(SEED + 6)
    for name in tops(messages):
        body = fill(messages[name](), rng).SerializeToString()
        cuts = range(len(body)) if len(body) < 300 else sorted(rng.sample(range(len(body)), 300))
        for cut in cuts:
            ok, _ = program(name, body[:cut])
            try:
                messages[name].FromString(body[:cut])
            except Exception:  # its class depends on the protobuf release
                assert not ok, (name, cut)


def test_refused(program):
    tag = b"\x12"  # ErrorResponse.error_message
    good = b"\x08\x07"
    for body, text in (
        (b"\x0d\0\0\0\0", "ErrorResponse.error_code: wrong wire type"),
        (good + tag + b"\x05ab", "ErrorResponse.error_message: its length exceeds the message"),
        (good + tag + b"\x02\xc3\x28", "ErrorResponse.error_message: not UTF-8"),
        (b"\x08" + b"\x80" * 11, "ErrorResponse.error_code: the number is cut short"),
        (good + b"\x00", "ErrorResponse: malformed field tag"),
        (good + b"\x9b\x06\x9c\x06", "ErrorResponse: malformed unknown field"),
    ):
        assert program("ErrorResponse", body) == (False, text.encode())
