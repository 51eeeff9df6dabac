"""Filters that let the server leave out whole batches by their statistics."""

import json
import re
import struct

import pyarrow as pa
import pytest
from harness import batches, tables
from harness.process import ROOT
from harness.wire import ErrorReply

pytestmark = pytest.mark.own_server  # newer than Apache Fluss 0.9.1

LEAVES = [
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "IS_NULL",
    "IS_NOT_NULL",
    "STARTS_WITH",
    "CONTAINS",
    "ENDS_WITH",
    "IN",
    "NOT_IN",
]
COMPOUNDS = ["AND", "OR"]
COLUMNS = {"a": tables.INT, "b": tables.STRING, "c": tables.BIGINT}
SCHEMA = pa.schema([("a", pa.int32()), ("b", pa.string()), ("c", pa.int64())])
LITERALS = {"a": (3, "int_value", int), "b": (8, "string_value", str), "c": (4, "bigint_value", int)}


def aligned_row(a, b, c) -> bytes:
    """8 bytes of header with the null bits from bit 8, then a slot of 8 bytes for each value."""
    nulls = sum(1 << (8 + i) for i, v in enumerate((a, b, c)) if v is None)
    text = bytes(8) if b is None else b.encode().ljust(7, b"\0") + bytes([0x80 | len(b)])
    return struct.pack("<qi4x8sq", nulls, a or 0, text, c or 0)


def statistics(low, high, nulls) -> bytes:
    low, high = aligned_row(*low), aligned_row(*high)
    head = struct.pack("<bh3h3i", 1, 3, 0, 1, 2, *nulls)
    return head + struct.pack("<i", len(low)) + low + struct.pack("<i", len(high)) + high


def leaf(column, function, *values):
    kind, field, cast = LITERALS[column]
    literals = [
        {"literal_type": kind, "is_null": v is None, **({} if v is None else {field: cast(v)})}
        for v in values
    ]
    position = list(COLUMNS).index(column)
    return {
        "type": 0,
        "leaf": {"function": LEAVES.index(function), "field_id": position, "literals": literals},
    }


def compound(function, *children):
    return {"type": 1, "compound": {"function": COMPOUNDS.index(function), "children": children}}


def predicate(text):
    """From the texts of the golden file, for example "a IN (1,2)" or "a = 7 AND b = zz"."""
    for function in COMPOUNDS:
        if f" {function} " in text:
            return compound(function, *map(predicate, text.split(f" {function} ")))
    column, rest = text.split(" ", 1)
    for function in sorted(LEAVES, key=len, reverse=True):
        spoken = function.replace("_", " ")
        if rest == spoken or rest.startswith(spoken + " "):
            return leaf(column, function, *re.findall(r"[^\s(),]+", rest[len(spoken) :]))
    raise ValueError(text)


def batch(count, low, high, nulls, **header):
    rows = pa.record_batch([pa.array([v] * count, f.type) for v, f in zip(low, SCHEMA)], schema=SCHEMA)
    return batches.arrow_batch(rows, magic=1, statistics=statistics(low, high, nulls), **header)


def simple(low, high, count=10):
    return batch(count, [low, "x", 1], [high, "x", 1], [0, 0, 0])


@pytest.fixture
def table(create):
    return create(columns=COLUMNS, properties={"table.statistics.columns": "*"})


def fetch(table, filter_predicate, **options):
    answer = table.fetch(filter_predicate=filter_predicate, filter_schema_id=1, **options)
    assert not answer.HasField("error_code"), answer
    return answer


def bases(answer):
    return [b.base_offset for b in batches.split(answer.records)]


def test_decisions_are_those_of_the_reference(table):
    cases = json.loads((ROOT / "test" / "golden" / "filter_eval_main.json").read_text())["cases"]
    offsets = {}
    for case in cases:
        key = json.dumps([case["min"], case["max"]])
        if key not in offsets:
            part = batch(case["row_count"], case["min"], case["max"], case["null_counts"])
            offsets[key] = table.append(part)
    ends = sorted(offsets.values())
    wrong = []
    for case in cases:
        offset = offsets[json.dumps([case["min"], case["max"]])]
        answer = fetch(table, predicate(case["predicate"]), offset=ends[0])
        if (offset in bases(answer)) != case["keep_batch"]:
            wrong.append(case)
    assert wrong == []


def test_what_is_kept_is_whole_and_unchanged(table):
    sent = [simple(i * 10, i * 10 + 9) for i in range(5)]
    for part in sent:
        table.append(part)
    found = batches.split(fetch(table, leaf("a", "=", 25)).records, whole=True)
    assert [(b.base_offset, b.count, b.crc_valid) for b in found] == [(20, 10, True)]
    assert found[0].statistics == batches.split(sent[2])[0].statistics


def test_the_filtered_end_offset_lets_the_client_go_on(table):
    for i in range(5):
        table.append(simple(i * 10, i * 10 + 9))
    answer = fetch(table, leaf("a", "=", 25))
    assert answer.filtered_end_offset == 50
    answer = fetch(table, leaf("a", "=", 1000))
    assert (answer.records, answer.filtered_end_offset) == (b"", 50)
    answer = fetch(table, leaf("a", "=", 45))
    assert bases(answer) == [40] and not answer.HasField("filtered_end_offset")


def test_batches_without_statistics_are_kept(table):
    plain = pa.record_batch(
        [pa.array([1], f.type) if f.name != "b" else pa.array(["x"]) for f in SCHEMA], schema=SCHEMA
    )
    table.append(batches.arrow_batch(plain))
    table.append(batches.arrow_batch(plain, magic=1))
    table.append(simple(0, 9))
    assert bases(fetch(table, leaf("a", "=", 77))) == [0, 1]


def test_filter_and_projection_together(table):
    for i in range(5):
        table.append(simple(i * 10, i * 10 + 9))
    answer = fetch(table, leaf("a", ">=", 30), columns=[2])
    found = batches.split(answer.records, whole=True)
    assert [b.base_offset for b in found] == [30, 40]
    assert found[0].table(pa.schema([SCHEMA.field("c")])).to_pylist() == [{"c": 1}] * 10


def test_a_filter_without_schema_id_is_an_error(table):
    with pytest.raises(ErrorReply) as e:
        table.fetch(filter_predicate=leaf("a", "=", 1))
    assert e.value.code == -1


@pytest.mark.parametrize("field, literal", [(77, 3), (0, 8), (0, 99)], ids=["column", "type", "literal"])
def test_a_filter_that_makes_no_sense_filters_nothing(table, field, literal):
    table.append(simple(0, 9))
    odd = leaf("a", "=", 1000)
    odd["leaf"]["field_id"] = field
    odd["leaf"]["literals"][0]["literal_type"] = literal
    assert bases(fetch(table, odd)) == [0]


def test_damaged_statistics_keep_their_batch(table):
    good = statistics([0, "x", 1], [9, "x", 1], [0, 0, 0])
    rows = pa.record_batch([pa.array([5], pa.int32()), pa.array(["x"]), pa.array([1])], schema=SCHEMA)
    count = 0
    for end in range(0, len(good), 5):
        table.append(batches.arrow_batch(rows, magic=1, statistics=good[:end]))
        count += 1
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 0xFF
        table.append(batches.arrow_batch(rows, magic=1, statistics=bytes(bad)))
        count += 1
    answer = fetch(table, leaf("c", "IS_NOT_NULL"))
    assert bases(answer) and count == table.offset(1)


def test_deeply_nested_predicates_do_no_harm(table, server):
    table.append(simple(0, 9))
    deep = leaf("a", "=", 5)
    for _ in range(60):
        deep = compound("AND", deep)
    try:
        table.fetch(filter_predicate=deep, filter_schema_id=1)
    except ErrorReply:
        pass  # a limit on the depth is fine
    server.check()
    assert bases(fetch(table, leaf("a", "=", 5))) == [0]
