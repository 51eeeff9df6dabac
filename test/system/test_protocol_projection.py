"""Column projection of ARROW batches by the server, judged by pyarrow."""

import json

import pyarrow as pa
import pytest
from harness import batches, tables
from harness.process import ROOT

INVALID_PROJECTION = 34

WIDE = {
    "i": tables.INT,
    "s": tables.STRING,
    "b": {"type": "BOOLEAN"},
    "d": {"type": "DECIMAL", "precision": 20, "scale": 3},
    "a": tables.array(tables.STRING),
    "m": tables.map_of(tables.STRING, tables.INT),
    "r": tables.row(x=tables.INT, y=tables.STRING),
    "t": {"type": "TIMESTAMP_WITHOUT_TIME_ZONE", "precision": 6},
}
WIDE_ARROW = pa.schema(
    [
        ("i", pa.int32()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.decimal128(20, 3)),
        ("a", pa.list_(pa.field("element", pa.string()))),
        ("m", pa.map_(pa.string(), pa.int32())),
        ("r", pa.struct([("x", pa.int32()), ("y", pa.string())])),
        ("t", pa.timestamp("us")),
    ]
)


def wide_rows(count):
    none = lambda i, k, v: None if i % k == k - 1 else v  # noqa: E731
    columns = [
        [none(i, 7, i) for i in range(count)],
        [none(i, 3, f"text {i}" * (i % 4)) for i in range(count)],
        [none(i, 4, i % 2 == 0) for i in range(count)],
        [none(i, 5, i * 1000) for i in range(count)],
        [none(i, 6, [None if j % 2 else f"e{j}" for j in range(i % 5)]) for i in range(count)],
        [none(i, 8, [(f"k{j}", none(j, 2, j)) for j in range(i % 3)]) for i in range(count)],
        [none(i, 9, {"x": i, "y": none(i, 2, str(i))}) for i in range(count)],
        [none(i, 10, i * 1_000_001) for i in range(count)],
    ]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, WIDE_ARROW)]
    return pa.record_batch(arrays, schema=WIDE_ARROW)


CODECS = {"NONE": None, "LZ4_FRAME": "lz4", "ZSTD": "zstd"}


@pytest.fixture(params=CODECS)
def codec(request):
    return request.param


@pytest.fixture
def wide(create, codec):
    return create(columns=WIDE, properties={"table.log.arrow.compression.type": codec})


def project(batch, columns):
    schema = pa.schema([WIDE_ARROW.field(c) for c in columns])
    return batch.table(schema)


SELECTIONS = [[0], [1], [2], [4], [5], [6], [7], [0, 7], [1, 3, 5], [0, 4, 6], list(range(8))]


@pytest.mark.parametrize("columns", SELECTIONS, ids=lambda c: "".join(map(str, c)))
def test_columns_come_back_as_they_were_written(wide, codec, columns):
    parts = [wide_rows(n) for n in (1, 10, 200)]
    for part in parts:
        wide.append(batches.arrow_batch(part, codec=CODECS[codec]))
    found = batches.split(wide.records(columns=columns), whole=True)
    assert [(b.base_offset, b.count) for b in found] == [(0, 1), (1, 10), (11, 200)]
    for batch, part in zip(found, parts):
        assert project(batch, columns).equals(part.select(columns))


def test_a_projected_read_ends_on_a_batch_border(create):
    table = create()
    for i in range(20):
        table.append(batches.arrow_batch(tables.small_rows(i * 50, 50), codec="zstd"))
    whole = len(table.records(columns=[0])) // 20
    for limit in (1, whole, whole * 3 + 7):
        found = batches.split(table.records(columns=[0], bucket_bytes=limit), whole=True)
        assert found and found[0].base_offset == 0


def test_limits_and_offsets_lead_to_the_end(create):
    table = create()
    for i in range(20):
        table.append(batches.arrow_batch(tables.small_rows(i * 50, 50), codec="zstd"))
    offset, ids = 0, []
    schema = pa.schema([tables.SMALL_ARROW.field("id")])
    while offset < 1000:
        found = batches.split(table.records(offset=offset, columns=[0], bucket_bytes=700), whole=True)
        ids += [r["id"] for b in found for r in b.table(schema).to_pylist()]
        offset = found[-1].next_offset
    assert ids == list(range(1000))


def test_a_narrow_column_is_a_fraction_of_the_bytes(create):
    table = create()
    wide = pa.record_batch(
        [pa.array(range(100), pa.int32()), pa.array(["x" * 1000] * 100), pa.array([0.5] * 100)],
        schema=tables.SMALL_ARROW,
    )
    table.append(batches.arrow_batch(wide))
    assert len(table.records(columns=[0])) < len(table.records()) / 50


@pytest.mark.parametrize(
    "columns",
    [pytest.param([], marks=pytest.mark.own_server), [3], [-1], [1, 0], [0, 0], [0, 1, 2, 3]],
    ids=str,
)
def test_impossible_projections(create, columns):
    table = create()
    table.append(batches.arrow_batch(tables.small_rows(0, 3)))
    assert table.fetch(columns=columns).error_code == INVALID_PROJECTION


def test_row_formats_cannot_be_projected(create):
    table = create(properties={"table.log.format": "INDEXED"})
    table.append(batches.pack(b"", 0))
    assert table.fetch(columns=[0]).error_code == INVALID_PROJECTION


def test_a_parked_projected_fetch_is_answered_projected(create):
    table = create()
    with table.cluster.connect() as c:
        request_id = c.send("FETCH_LOG", **table.fetch_fields(columns=[1], wait_ms=10_000, min_bytes=1))
        table.append(batches.arrow_batch(tables.small_rows(0, 6), codec="zstd"))
        answer = c.result("FETCH_LOG", request_id).tables_resp[0].buckets_resp[0]
    schema = pa.schema([tables.SMALL_ARROW.field("name")])
    assert batches.rows(answer.records, schema) == tables.small_rows(0, 6).select([1]).to_pylist()


GOLDEN_TYPES = {
    "INT": tables.INT,
    "STRING": tables.STRING,
    "BIGINT": tables.BIGINT,
    "DOUBLE": tables.DOUBLE,
    "BOOLEAN": {"type": "BOOLEAN"},
    "BYTES": {"type": "BYTES"},
    "CHAR(4)": {"type": "CHAR", "length": 4},
    "BINARY(3)": {"type": "BINARY", "length": 3},
    "DECIMAL(20, 3)": {"type": "DECIMAL", "precision": 20, "scale": 3},
    "TIMESTAMP(6)": {"type": "TIMESTAMP_WITHOUT_TIME_ZONE", "precision": 6},
    "ARRAY<STRING>": tables.array(tables.STRING),
    "MAP<STRING NOT NULL, BIGINT>": tables.map_of(tables.STRING, tables.BIGINT),
    "ROW<`x` INT, `y` ARRAY<INT>>": tables.row(x=tables.INT, y=tables.array(tables.INT)),
}


def _golden():
    """The cases grouped by the table they fit: "simple/append_only/NONE" and so on."""
    groups = {}
    for case in json.loads((ROOT / "test" / "golden" / "projection.json").read_text())["cases"]:
        groups.setdefault(case["name"].rsplit("/", 1)[0], []).append(case)
    return groups


def _unstamped(records):
    """Without the bytes that each server sets: base offset and commit timestamp."""
    out, at = bytearray(records), 0
    while at < len(out):
        size = 12 + int.from_bytes(out[at + 8 : at + 12], "little")
        out[at : at + 8] = bytes(8)
        out[at + 13 : at + 21] = bytes(8)
        at += size
    return bytes(out)


@pytest.mark.parametrize("group", _golden())
def test_bytes_are_those_of_the_reference(create, group):
    cases = _golden()[group]
    codec = group.rsplit("/", 1)[1].removesuffix("-3")
    table = create(
        columns={c["name"]: GOLDEN_TYPES[c["type"]] for c in cases[0]["schema"]},
        properties={"table.log.arrow.compression.type": codec},
    )
    for case in cases:
        offset = table.append(bytes.fromhex(case["input_hex"]))
        found = table.records(offset=offset, columns=case["projection"])
        assert _unstamped(found) == _unstamped(bytes.fromhex(case["output_hex"])), case["name"]


@pytest.mark.own_server
def test_the_codec_is_that_of_the_batch(create):
    """Apache Fluss declares the codec of the table options whatever the batch says."""
    table = create(properties={"table.log.arrow.compression.type": "LZ4_FRAME"})
    for i, codec in enumerate(["lz4", None, "zstd"]):
        table.append(batches.arrow_batch(tables.small_rows(i * 100, 100), codec=codec))
    schema = pa.schema([tables.SMALL_ARROW.field("id")])
    found = batches.rows(table.records(columns=[0]), schema)
    assert [r["id"] for r in found] == list(range(300))
