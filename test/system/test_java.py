"""The stock Java clients 0.9.1 and 1.0.0: all types in the three log formats, and the admin calls."""

import time

import pyarrow as pa
import pytest
from harness import batches, java, tables, types
from harness.patience import PATIENCE_S
from harness.tables import path

pytestmark = pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}")

DB_EXISTS, TABLE_MISSING, TABLE_EXISTS, PARTITION_EXISTS, INVALID_ALTER = 6, 7, 8, 42, 56
COLUMNS = [["id", "INT"], *([n, t] for n, t in types.TEXTS.items())]


@pytest.fixture(scope="session", params=java.VERSIONS)
def jvm(request):
    driver = java.Driver(request.param)
    yield driver
    driver.end()


@pytest.fixture
def client(jvm, server):
    jvm.connect(bootstrap=server.address)
    yield jvm
    jvm.close()


@pytest.fixture(params=["ARROW", "INDEXED", "COMPACTED"])
def log_format(request, jvm):
    if request.param == "COMPACTED":
        if jvm.version.startswith("0.9"):
            pytest.skip("the client of 0.9.1 does not know COMPACTED logs")
        if request.config.getoption("--bootstrap"):
            pytest.skip("Fluss 0.9.1 does not know COMPACTED logs")
    return request.param


def refused(call, **fields):
    with pytest.raises(java.Refused) as e:
        call(**fields)
    return e.value.code


def in_order(records):
    """The rows by offset. The client keeps maps in hash maps, so their pairs come in any order."""
    found = [r["row"] for r in sorted(records, key=lambda r: (r["bucket"], r["offset"]))]
    return [[sorted(v) if is_map(v) else v for v in row] for row in found]


def is_map(value):
    return (
        isinstance(value, list)
        and value
        and all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in value)
    )


def test_every_type_in_every_log_format(client, db, log_format):
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=COLUMNS, properties={"table.log.format": log_format})
    expected = java.encode_table(types.table(60))
    assert client.append(**at, rows=expected) == 60
    records = client.scan(**at)
    assert [r["offset"] for r in records] == list(range(60))
    assert {r["kind"] for r in records} == {"+A"}
    assert in_order(records) == expected


def test_projection_in_every_log_format(client, db, log_format):
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=COLUMNS, properties={"table.log.format": log_format})
    data = types.table(60)
    client.append(**at, rows=java.encode_table(data))
    for names in (["id"], ["string", "int"], ["deep", "boolean", "decimal_big"], ["map", "row"]):
        assert in_order(client.scan(**at, columns=names)) == java.encode_table(data.select(names))


@pytest.mark.parametrize("kind", ["NONE", "LZ4_FRAME", "ZSTD"])
def test_what_java_writes_pyarrow_reads(client, cluster, db, kind):
    expected = types.table(60)
    properties = {"table.log.arrow.compression.type": kind}
    client.create_table(db=db, table="t", columns=COLUMNS, properties=properties)
    client.append(db=db, table="t", rows=java.encode_table(expected))
    table = tables.Table(cluster, db, "t").open()
    plain = pa.schema([pa.field(f.name, without_zone(f.type)) for f in expected.schema])
    parts = [b.table(plain) for b in batches.split(table.records(bucket_bytes=8 << 20), whole=True)]
    assert java.encode_table(pa.Table.from_batches(parts)) == java.encode_table(expected)
    some = pa.schema([plain.field(i) for i in (0, 8, 22, 24)])
    parts = [b.table(some) for b in batches.split(table.records(columns=[0, 8, 22, 24]), whole=True)]
    assert java.encode_table(pa.Table.from_batches(parts)) == java.encode_table(
        expected.select([0, 8, 22, 24])
    )


def without_zone(kind):
    return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind


def test_what_pyarrow_writes_java_reads(client, cluster, db):
    expected = types.table(60)
    properties = {"table.log.arrow.compression.type": "NONE"}
    client.create_table(db=db, table="t", columns=COLUMNS, properties=properties)
    table = tables.Table(cluster, db, "t").open()
    for part in expected.to_batches(max_chunksize=17):
        table.append(batches.arrow_batch(part))
    assert in_order(client.scan(db=db, table="t")) == java.encode_table(expected)
    names = ["row", "time_3"]
    assert in_order(client.scan(db=db, table="t", columns=names)) == java.encode_table(expected.select(names))


def test_offsets_and_positions(client, db):
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=[["id", "INT"]])
    client.append(**at, rows=[[i] for i in range(10)])
    time.sleep(0.05)
    middle = int(time.time() * 1000)
    time.sleep(0.05)
    client.append(**at, rows=[[i] for i in range(10, 20)])
    assert client.offsets(**at, at="earliest") == {"0": 0}
    assert client.offsets(**at, at="latest") == {"0": 20}
    assert client.offsets(**at, at=middle) == {"0": 10}
    assert in_order(client.scan(**at, **{"from": 13})) == [[i] for i in range(13, 20)]
    assert client.limit(**at, limit=3) == [[17], [18], [19]]
    assert client.row_count(**at) == 20


def test_buckets_and_keys(client, db):
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=[["id", "INT"], ["name", "STRING"]], buckets=4, bucket_keys=["id"])
    for _ in range(2):
        client.append(**at, rows=[[i, str(i)] for i in range(200)])
    records = client.scan(**at)
    assert sum(client.offsets(**at, at="latest").values()) == len(records) == 400
    homes = {}
    for record in records:
        homes.setdefault(record["row"][0], set()).add(record["bucket"])
    assert len(homes) == 200 and all(len(b) == 1 for b in homes.values())
    assert {b for home in homes.values() for b in home} == {0, 1, 2, 3}


def test_partitions(client, db):
    at = {"db": db, "table": "t"}
    columns = [["id", "INT"], ["region", "STRING"]]
    client.create_table(**at, columns=columns, partition_keys=["region"], buckets=2)
    client.create_partition(**at, spec={"region": "eu"})
    assert refused(client.create_partition, **at, spec={"region": "eu"}) == PARTITION_EXISTS
    rows = [[i, "eu" if i % 3 else "us"] for i in range(90)]
    client.append(**at, rows=rows)  # the client creates the partition "us" itself
    assert sorted(client.partitions(**at)) == ["eu", "us"]
    ids = client.partitions(**at)
    records = client.scan(**at)
    assert sorted(r["row"] for r in records) == rows
    assert all(r["partition"] == ids[r["row"][1]] for r in records)
    assert sum(client.offsets(**at, at="latest", partition="us").values()) == 30
    client.drop_partition(**at, spec={"region": "us"})
    assert sorted(client.partitions(**at)) == ["eu"]


def test_databases(client, db):
    name = db + "_java"
    client.create_database(db=name, comment="from Java", properties={"a": "b"})
    assert client.database(db=name) == {"comment": "from Java", "properties": {"a": "b"}}
    assert name in client.databases() and client.database_exists(db=name)
    assert refused(client.create_database, db=name) == DB_EXISTS
    client.drop_database(db=name)
    assert not client.database_exists(db=name)


def test_tables(client, db):
    at = {"db": db, "table": "t"}
    table = {
        "columns": [["id", "INT"], ["r", "ROW<`x` INT, `y` ARRAY<STRING>>"]],
        "buckets": 3,
        "bucket_keys": ["id"],
        "comment": "all of it",
        "properties": {"table.log.ttl": "3d"},
        "custom": {"c": "d"},
    }
    client.create_table(**at, **table)
    assert refused(client.create_table, **at, **table) == TABLE_EXISTS
    assert client.tables(db=db) == ["t"] and client.table_exists(**at)
    found = client.table(**at)
    assert (found["buckets"], found["bucket_keys"], found["comment"]) == (3, ["id"], "all of it")
    assert found["properties"]["table.log.ttl"] == "3d" and found["custom"] == {"c": "d"}
    assert [(n, i) for n, _, i in found["columns"]] == [("id", 0), ("r", 1)]
    client.drop_table(**at)
    assert refused(client.drop_table, **at) == TABLE_MISSING
    assert not client.table_exists(**at)


def test_altering(client, db):
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=[["id", "INT"]], custom={"a": "1"})
    client.append(**at, rows=[[1], [2]])
    client.add_column(**at, name="name", type="STRING")
    assert refused(client.add_column, **at, name="name", type="STRING") == INVALID_ALTER
    assert client.schema(**at)["id"] == 2
    assert client.schema(**at, id=1)["columns"] == [["id", "INT", 0]]
    assert client.schema(**at, id=2)["columns"] == [["id", "INT", 0], ["name", "STRING", 1]]
    client.set(**at, key="a", value="2")
    client.set(**at, key="table.log.tiered.local-segments", value="7")
    client.reset(**at, key="table.log.tiered.local-segments")
    assert client.table(**at)["custom"] == {"a": "2"}


def test_rows_of_two_schemas(client, jvm, server, db):
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=[["id", "INT"]])
    client.append(**at, rows=[[1], [2]])
    client.add_column(**at, name="name", type="STRING")
    jvm.connect(bootstrap=server.address)  # a new client, which knows the new schema
    client.append(**at, rows=[[3, "three"], [4, None]])
    assert in_order(client.scan(**at)) == [[1, None], [2, None], [3, "three"], [4, None]]


def test_servers(client):
    assert sorted(client.servers()) == ["COORDINATOR", "TABLET_SERVER"]


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_many_rows(client, jvm, server, db, acks):
    idempotence = {"client.writer.enable-idempotence": "true" if acks == "all" else "false"}
    jvm.connect(bootstrap=server.address, conf={"client.writer.acks": acks, **idempotence})
    at = {"db": db, "table": "t"}
    client.create_table(**at, columns=[["id", "INT"], ["name", "STRING"]], buckets=3)
    rows = [[i, f"name {i}"] for i in range(20_000)]
    client.append(**at, rows=rows)
    end = time.monotonic() + PATIENCE_S  # with acks 0 and 1, readers may see rows a little later
    while sum(client.offsets(**at, at="latest").values()) < len(rows):
        assert time.monotonic() < end
    assert sorted(r["row"] for r in client.scan(**at)) == rows


def test_java_and_python_share_a_table(client, cluster, create):
    table = create(buckets=1, properties={"table.log.arrow.compression.type": "NONE"})
    at = {"db": table.path["database_name"], "table": "t"}
    table.append(batches.arrow_batch(tables.small_rows(0, 5)))
    client.append(**at, rows=java.encode_table(pa.Table.from_batches([tables.small_rows(5, 5)])))
    expected = pa.Table.from_batches([tables.small_rows(0, 10)])
    assert in_order(client.scan(**at)) == java.encode_table(expected)
    assert batches.rows(table.records(), table.schema) == expected.to_pylist()
    assert path(**{"db": at["db"], "name": "t"}) == table.path
