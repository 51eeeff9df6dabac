"""The stock JDBC driver: values both ways, portals, cancel, and all the metadata that DBeaver, Metabase
and their like ask it for. The driver's own SQL is the test of the system catalogs."""

import asyncio

import pyarrow as pa
import pytest
from harness import java, jdbc, sql, streams, types
from harness.patience import PATIENCE_S

pytestmark = [
    pytest.mark.sql_server,
    pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}"),
]
ITEMS = pa.schema([("id", pa.int32()), ("region", pa.string()), ("price", pa.decimal128(10, 2))])
LONG = "select count(*) from range(100000000) a(x), range(100000) b(y) where x + y = 7"


@pytest.fixture(scope="session")
def jvm():
    driver = jdbc.Driver()
    yield driver
    driver.end()


@pytest.fixture
def connected(jvm, server, db):
    at = sql.place(server)
    jvm.connect(url=f"jdbc:postgresql://{at['host']}:{at['port']}/{db}?user=test")
    yield jvm
    jvm.close()


@pytest.fixture
async def keyed(client, db):
    return await streams.make_keyed(client, db, ITEMS, ["region", "id"], name="items", bucket_count=2)


@pytest.mark.parametrize("binary", [False, True])
def test_values_there_and_back(connected, binary):
    assert connected.echo(binary=binary) == []


async def test_every_type(connected, client, db):
    data = types.table(200)
    table = await streams.make(client, db, data.schema)
    await streams.append_table(table, data)
    for threshold in (0, -1):
        rows = connected.query(sql="select * from t order by id", threshold=threshold)
        assert [int(row["id"]) for row in rows] == data.column("id").to_pylist()
        assert [row["string"] for row in rows] == data.column("string").to_pylist()
        assert [row["bigint"] and int(row["bigint"]) for row in rows] == data.column("bigint").to_pylist()


async def test_prepared_and_by_pieces(connected, client, db):
    table = await streams.make(client, db, ITEMS)
    rows = pa.table({"id": range(5000), "region": ["a"] * 5000, "price": [None] * 5000}, schema=ITEMS)
    await streams.append_table(table, rows)
    found = connected.query(sql="select count(*) as n from t where id < ?", parameters=[10], times=20)
    assert found == [{"n": "10"}]
    connected.autocommit(on=False)  # what the driver wants for a fetch size
    found = connected.query(sql="select id from t order by id", fetch=777)
    assert [int(row["id"]) for row in found] == list(range(5000))
    connected.autocommit(on=True)


async def test_rows_as_they_arrive_by_pieces(connected, client, db):
    """A fetch size, which the driver heeds in a transaction alone, over a query without end."""
    table = await streams.make(client, db, ITEMS, bucket_count=1)

    async def append(first, count):
        rows = pa.table({"id": range(first, first + count), "region": ["a"] * count, "price": [None] * count})
        await streams.append_table(table, rows.cast(ITEMS))

    await append(0, 100)
    connected.autocommit(on=False)
    found = connected.query(sql="select id from tail('t', 'earliest') limit 95", fetch=10)
    assert [int(row["id"]) for row in found] == list(range(95))
    tail = "select id from tail('t', 'offset:50') where id % 2 = 0"
    follow = asyncio.create_task(asyncio.to_thread(connected.follow, sql=tail, fetch=10, count=80))
    for i in range(100, 210, 5):
        await append(i, 5)
    found = await asyncio.wait_for(follow, PATIENCE_S)
    assert [int(v) for v in found["values"]] == list(range(50, 210, 2))
    assert found["state"] == "57014"
    with pytest.raises(java.Refused) as e:
        connected.query(sql="select 1")
    assert e.value.code == "25P02"  # until the transaction ends
    connected.autocommit(on=True)
    assert connected.query(sql="select count(*) as n from t") == [{"n": "210"}]


def test_errors_and_cancel(connected):
    with pytest.raises(java.Refused) as e:
        connected.query(sql="select * from missing")
    assert e.value.code == "42P01"
    assert connected.cancel(sql=LONG) == "57014"
    assert connected.valid() is True


def metadata(connected, call, *arguments):
    return connected.metadata(call=call, arguments=list(arguments))


async def test_tables_and_keys(connected, keyed, db):
    tables = metadata(connected, "getTables", None, db, "%", ["TABLE", "VIEW"])
    names = ("items", "items$changelog", "items$binlog")
    assert {(t["TABLE_SCHEM"], t["TABLE_NAME"]) for t in tables} == {(db, name) for name in names}
    columns = metadata(connected, "getColumns", None, db, "items", "%")
    assert [(c["COLUMN_NAME"], c["TYPE_NAME"], c["NULLABLE"]) for c in columns] == [
        ("id", "int4", "0"),
        ("region", "text", "0"),
        ("price", "numeric", "1"),
    ]
    assert (columns[2]["COLUMN_SIZE"], columns[2]["DECIMAL_DIGITS"]) == ("10", "2")
    keys = metadata(connected, "getPrimaryKeys", None, db, "items")
    assert [(k["COLUMN_NAME"], k["KEY_SEQ"], k["PK_NAME"]) for k in keys] == [
        ("region", "1", "items_pkey"),
        ("id", "2", "items_pkey"),
    ]
    index = metadata(connected, "getIndexInfo", None, db, "items", False, True)
    assert [(i["INDEX_NAME"], i["NON_UNIQUE"], i["COLUMN_NAME"]) for i in index] == [
        ("items_pkey", "f", "region"),
        ("items_pkey", "f", "id"),
    ]
    best = metadata(connected, "getBestRowIdentifier", None, db, "items", 1, True)
    assert {b["COLUMN_NAME"] for b in best} == {"id", "region"}
    assert db in {s["TABLE_SCHEM"] for s in metadata(connected, "getSchemas")}


NOTHING = [
    ("getImportedKeys", [None, "x", "items"]),
    ("getExportedKeys", [None, "x", "items"]),
    ("getCrossReference", [None, "x", "items", None, "x", "items"]),
    ("getProcedures", [None, None, "%"]),
    ("getFunctions", [None, None, "%"]),
    ("getFunctionColumns", [None, None, "%", "%"]),
    ("getUDTs", [None, None, "%", None]),
]
SOMETHING = ["getTypeInfo", "getTableTypes", "getCatalogs", "getClientInfoProperties", "getSQLKeywords"]


async def test_the_rest_of_the_metadata(connected, keyed, db):
    for call, arguments in NOTHING:
        assert metadata(connected, call, *arguments) == [], call
    for call in SOMETHING:
        assert metadata(connected, call), call
    assert metadata(connected, "getTablePrivileges", None, db, "items")
    assert metadata(connected, "getColumnPrivileges", None, db, "items", "%")
    assert metadata(connected, "getDatabaseProductName") == "PostgreSQL"
    assert metadata(connected, "getMaxColumnNameLength") == "63"
    assert {t["TYPE_NAME"] for t in metadata(connected, "getTypeInfo")} > {"int4", "text", "numeric", "_int4"}
