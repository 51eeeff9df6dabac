"""Every data type through SQL, by psycopg in both formats; what pyarrow was given is the judge, and
DuckDB on the same table for what is computed."""

import math
import struct
from datetime import UTC, datetime

import duckdb
import fluss
import pytest
from harness import sql, streams, types

pytestmark = pytest.mark.sql_server
COUNT = 40
NO_KEY = ("array", "map", "row", "deep")


def plain(value):
    """What the values of both sides are compared as."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(v, tuple) for v in value):
            return {str(k): plain(v) for k, v in value}
        return [plain(v) for v in value]
    return value


def expected(table, name):
    values = table.column(name).to_pylist()
    if name == "map":
        return [v if v is None else {k: x for k, x in v} for v in values]
    return [plain(v) for v in values]


def found(connection, name, binary):
    """psycopg gives json as values already, and real as the double that its text is."""
    values = [v for (v,) in sql.rows(connection, f'select "{name}" from t order by id', binary=binary)]
    if name == "float":
        values = [v if v is None else struct.unpack("f", struct.pack("f", v))[0] for v in values]
    return [plain(v) for v in values]


@pytest.mark.parametrize("kind", ["NONE", "LZ4_FRAME", "ZSTD"])
async def test_log_tables(server, client, db, kind):
    data = types.table(COUNT * 100)
    options = {"properties": {"table.log.arrow.compression.type": kind}}
    table = await streams.make(client, db, data.schema, **options)
    await streams.append_table(table, data)
    with sql.connect(server, db) as c:
        assert sql.one(c, "select count(*) from t") == COUNT * 100
        for name in types.COLUMNS:
            for binary in (False, True):
                assert found(c, name, binary) == expected(data, name), name
        everything = sql.rows(c, "select * from t order by id")
        assert len(everything) == COUNT * 100 and len(everything[0]) == len(types.COLUMNS) + 1


async def keyed(client, db, data):
    """A primary-key table t of these rows."""
    path = fluss.TablePath(db, "t")
    schema = fluss.Schema(data.schema, primary_keys=["id"])
    described = fluss.TableDescriptor(schema, bucket_count=3)
    await client.get_admin().create_table(path, described)
    table = await client.get_table(path)
    writer = table.new_upsert().create_writer()
    for row in data.to_pylist():
        writer.upsert(row)
    await writer.flush()


async def test_primary_key_tables(server, client, db):
    names = [n for n in types.COLUMNS if n not in NO_KEY]
    data = types.table(COUNT, names)
    await keyed(client, db, data)
    with sql.connect(server, db) as c:
        assert sql.one(c, "select count(*) from t") == COUNT
        for name in names:
            assert found(c, name, False) == expected(data, name), name
        assert sql.one(c, 'select count(*) from "t$changelog"') == COUNT


async def test_rows_by_key(server, client, db):
    """Answered by lookups, which write values without DuckDB: as it writes them, byte for byte."""
    names = [n for n in types.COLUMNS if n not in NO_KEY]
    data = types.table(COUNT, names)
    await keyed(client, db, data)

    def asked(cursor, query, key):
        cursor.execute(query, (key,))
        assert cursor.pgresult.ntuples == 1
        return [cursor.pgresult.get_value(0, i) for i in range(cursor.pgresult.nfields)]

    with sql.connect(server, db, prepare_threshold=0) as c:
        for binary in (False, True):
            with c.cursor(binary=binary) as cursor:
                for key in data.column("id").to_pylist():
                    lookup = asked(cursor, "select * from t where id = %b", key)
                    assert lookup == asked(cursor, "select * from t where id + 0 = %b", key)
        c.execute("alter table t add column more varchar")
        with c.cursor() as cursor:
            for _ in range(3):
                assert asked(cursor, 'select more, "int" from t where id = %b', 0)[0] is None
        c.execute("create table n (id int not null, l int[], primary key (id))")
        c.execute("insert into n values (1, [1, null, 3])")
        with c.cursor(binary=True) as cursor:
            for _ in range(3):
                assert cursor.execute("select l, id from n where id = %b", (1,)).fetchall() == [([1, None, 3], 1)]


QUERIES = [
    'select count(*), count("int"), sum("int"), min("bigint"), max("date") from t',
    'select "smallint", count(*), sum("decimal_small") from t group by 1 order by 1 nulls last',
    'select "string", id from t where "string" like \'%a%\' order by id',
    'select count(distinct "timestamp_6"), max("timestamp_9"), min("time_3") from t',
    'select id, len("array"), "row"."x", "map"[\'a\'] from t order by id',
    'select a.id, b."double" from t a join t b on a.id = b.id + 1 order by 1',
    "select id, row_number() over (order by id desc) from t order by id limit 7",
    "select sum(x) from (select unnest(\"array\") as x from t)",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_as_duckdb_itself(server, client, db, query):
    data = types.table(COUNT * 50)
    table = await streams.make(client, db, data.schema, bucket_count=2)
    await streams.append_table(table, data)
    with duckdb.connect() as judge, sql.connect(server, db) as c:
        judge.execute("set timezone = 'UTC'")
        judge.register("t", data)
        right = [[plain(v) for v in row] for row in judge.execute(query).fetchall()]
        assert [[plain(v) for v in row] for row in sql.rows(c, query)] == right
