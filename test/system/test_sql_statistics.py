"""Statistics of the batches that SQL writes: the bytes of the Java client, which reads them, too."""

import fluss
import psycopg
import pytest
from harness import batches, java, sql, streams, tables, types

pytestmark = pytest.mark.sql_server
OPTION = "table.statistics.columns"


def written(cluster, db, name):
    return batches.split(tables.Table(cluster, db, name).open().records(bucket_bytes=8 << 20), whole=True)


def in_order(records):
    return [r["row"] for r in sorted(records, key=lambda r: r["offset"])]


@pytest.fixture(scope="module")
def jvm():
    if java.missing_tools():
        pytest.skip(f"missing: {java.missing_tools()}")
    driver = java.Driver("1.0.0")
    yield driver
    driver.end()


@pytest.mark.parametrize("columns", ["*", "string, timestamp_6,decimal_big ,int"])
def test_bytes_are_those_of_the_java_client(jvm, server, session, cluster, db, columns):
    kinds = [["id", "INT"], *([n, t] for n, t in types.TEXTS.items())]
    expected = java.encode_table(types.table(60))
    jvm.connect(bootstrap=server.address)
    try:
        for name in ("t", "u"):
            jvm.create_table(db=db, table=name, columns=kinds, properties={OPTION: columns})
        assert jvm.append(db=db, table="t", rows=expected) == 60
        theirs = written(cluster, db, "t")
        for b in theirs:
            session.execute(f"insert into u select * from t where _offset between {b.base_offset} and {b.last_offset}")
        ours = written(cluster, db, "u")
        assert {(b.magic, b.crc_valid) for b in theirs + ours} == {(1, True)}
        assert all(len(b.statistics) > 100 for b in ours)
        assert [b.statistics for b in ours] == [b.statistics for b in theirs]
        assert in_order(jvm.scan(db=db, table="u")) == in_order(jvm.scan(db=db, table="t")) != []
    finally:
        jvm.close()


async def test_the_python_client_reads_them(client, session, cluster, db):
    session.execute(f"create table t (a int, b text) with ('{OPTION}' = '*', 'bucket.num' = '1')")
    session.execute("insert into t select i, 'row ' || i from range(1000) r(i)")
    assert all(b.magic == 1 and b.crc_valid for b in written(cluster, db, "t"))
    table = await client.get_table(fluss.TablePath(db, "t"))
    assert (await streams.read(table)).to_pylist() == [{"a": i, "b": f"row {i}"} for i in range(1000)]
    assert (await streams.read(table, ["b"])).column("b")[999].as_py() == "row 999"
    records = await streams.poll_rows(await streams.row_scanner(table), 1000)
    assert [r.offset for r in records] == list(range(1000))


async def test_without_the_option_there_are_none(client, session, cluster, db):
    session.execute("create table t (a int, b text) distributed by (a) into 1 buckets")
    session.execute("insert into t values (1, 'x')")
    session.execute(f"alter table t set ('{OPTION}' = 'b')")
    session.execute("insert into t values (2, 'y')")
    session.execute(f"alter table t reset ('{OPTION}')")
    session.execute("insert into t values (3, 'z')")
    found = written(cluster, db, "t")
    assert [b.magic for b in found] == [0, 1, 0]
    assert [len(b.statistics) > 0 for b in found] == [False, True, False]
    assert sql.rows(session, "select a from t where b >= 'y' order by a") == [(2,), (3,)]


def test_every_way_to_write_has_them(session, cluster, db):
    session.execute(f"create table t (a int, b text) with ('{OPTION}' = '*', 'bucket.num' = '1')")
    session.execute("insert into t values (1, 'x'), (2, null)")
    with session.cursor().copy("copy t from stdin") as copy:
        copy.write("3\ty\n")
    with session.cursor().copy("copy t from stdin (format binary)") as copy:
        copy.set_types(["int4", "text"])
        copy.write_row((4, "z"))
    session.execute("alter table t add column c bigint")
    session.execute("insert into t (c) values (5)")
    found = written(cluster, db, "t")
    assert [(b.magic, b.statistics[1]) for b in found] == [(1, 2), (1, 2), (1, 2), (1, 3)]
    assert [r[0] for r in sql.rows(session, "select a from t where a >= 3 order by a")] == [3, 4]


@pytest.mark.parametrize("kind", ["INDEXED", "COMPACTED"])
def test_row_logs_have_none(session, cluster, db, kind):
    try:
        session.execute(f"create table t (a int) with ('{OPTION}' = '*', 'table.log.format' = '{kind}')")
    except psycopg.Error:
        return  # or they cannot have the option
    session.execute("insert into t values (1)")
    assert [b.magic for b in written(cluster, db, "t")] == [0]
