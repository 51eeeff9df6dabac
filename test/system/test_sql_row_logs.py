"""SQL on logs in every format, written and read by the stock Java client: SQL says the same of all."""

import pyarrow as pa
import pytest
from harness import java, sql, types

pytestmark = [
    pytest.mark.sql_server,
    pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}"),
]
COLUMNS = [["id", "INT"], *([n, t] for n, t in types.TEXTS.items())]
FORMATS = ["ARROW", "INDEXED", "COMPACTED"]


@pytest.fixture(scope="session")
def jvm():
    driver = java.Driver(java.VERSIONS[-1])
    yield driver
    driver.end()


@pytest.fixture
def client(jvm, server):
    jvm.connect(bootstrap=server.address)
    yield jvm
    jvm.close()


def in_order(records):
    rows = [r["row"] for r in sorted(records, key=lambda r: r["offset"])]
    return [[sorted(v) if isinstance(v, list) and is_map(v) else v for v in row] for row in rows]


def is_map(value):
    return value and all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], str) for p in value)


def text_of(c, query):
    """Nested values as json, whose maps come in any order."""
    return [[str(sorted(v.items()) if isinstance(v, dict) else v) for v in row] for row in sql.rows(c, query)]


def test_every_type_is_read_and_written(client, server, db):
    expected = java.encode_table(types.table(300))
    for name in FORMATS:
        at = {"db": db, "table": name.lower()}
        client.create_table(**at, columns=COLUMNS, properties={"table.log.format": name})
        assert client.append(**at, rows=expected) == 300
    with sql.connect(server, db) as c:
        rows = text_of(c, "select * from arrow order by id")
        assert len(rows) == 300
        for name in ("indexed", "compacted"):
            assert text_of(c, f"select * from {name} order by id") == rows
            assert text_of(c, f'select deep, id, "row" from {name} where id < 250 order by id') == text_of(
                c, 'select deep, id, "row" from arrow where id < 250 order by id'
            )
            assert sql.one(c, f"select count(*) from {name}") == 300
            kinds = f'select _change_type, min(_log_offset), max(_log_offset) from "{name}$changelog" group by 1'
            assert sql.rows(c, kinds) == [("insert", 0, 299)]
            c.execute(f"insert into {name} select * from arrow order by id")
    for name in ("indexed", "compacted"):
        assert in_order(client.scan(db=db, table=name)) == 2 * expected


def test_schemas_of_before(client, server, db):
    with sql.connect(server, db) as c:
        for name in FORMATS:
            c.execute(f"create table t{name} (a int, b text) with ('table.log.format' = '{name}')")
            c.execute(f"insert into t{name} values (1, 'x'), (2, null)")
            c.execute(f"alter table t{name} add column c bigint")
            c.execute(f"insert into t{name} values (3, 'y', 33)")
            assert sql.rows(c, f"select c, a from t{name} order by a") == [(None, 1), (None, 2), (33, 3)]
            assert sql.rows(c, f"select sum(c) from t{name} where b = 'y'") == [(33,)]
            rows = in_order(client.scan(db=db, table=f"t{name}".lower()))
            assert rows == java.encode_table(types_of([(1, "x", None), (2, None, None), (3, "y", 33)]))


def types_of(rows):
    schema = pa.schema([("a", pa.int32()), ("b", pa.string()), ("c", pa.int64())])
    return pa.Table.from_pylist([dict(zip("abc", row, strict=True)) for row in rows], schema=schema)
