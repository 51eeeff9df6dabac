"""_offset, _timestamp and _bucket of log tables: columns that a star leaves out."""

import psycopg
import pyarrow as pa
import pytest
from harness import sql, streams

pytestmark = pytest.mark.sql_server
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


def rows(first, last):
    return pa.table({"id": range(first, last), "name": [f"n{i}" for i in range(first, last)]}, schema=SCHEMA)


async def filled(client, db):
    table = await streams.make(client, db, SCHEMA, bucket_count=3)
    for i in range(0, 3000, 100):
        await streams.append_table(table, rows(i, i + 100))


async def test_they_say_what_the_changelog_says(server, client, db):
    await filled(client, db)
    with sql.connect(server, db) as c:
        places = sql.rows(c, "select id, _bucket, _offset, _timestamp from t order by 1")
        told = 'select id, _bucket, _log_offset, _commit_timestamp from "t$changelog" order by 1'
        assert places == sql.rows(c, told) and len(places) == 3000
        per_bucket = sql.rows(c, "select _bucket, count(*), max(_offset) + 1 from t group by all order by all")
        assert sum(count for _, count, _ in per_bucket) == 3000
        assert all(count == end for _, count, end in per_bucket)


async def test_parameters_and_binary_results(server, client, db):
    await filled(client, db)
    query = "select *, _offset from t where _bucket = %s and _offset between %s and %s order by _offset"
    with sql.connect(server, db) as c:
        for binary in (False, True):
            for first in (0, 500, 900):
                found = sql.rows(c, query, (1, first, first + 2), binary)
                kept = "select count(*) from t where _bucket = 1 and _offset between %s and %s"
                assert len(found) == sql.one(c, kept, (first, first + 2))
                assert [r[2] for r in found] == list(range(first, first + len(found)))
                assert [r[1] for r in found] == [f"n{r[0]}" for r in found]


async def test_nobody_else_sees_them(server, client, db):
    await filled(client, db)
    with sql.connect(server, db) as c:
        cursor = c.execute("select * from t where _offset = 1 and _bucket = 0")
        assert [d.name for d in cursor.description] == ["id", "name"]
        assert [d.name for d in c.execute("select * from t").description] == ["id", "name"]
        assert [r[0] for r in sql.rows(c, "describe t")] == ["id", "name"]
        names = "select column_name from information_schema.columns where table_name = 't' order by 1"
        assert sql.rows(c, names) == [("id",), ("name",)]
        with c.cursor().copy("copy t to stdout") as out:
            assert all(len(row) == 2 for row in out.rows())
        with c.cursor().copy("copy (select *, _bucket from t) to stdout") as out:
            assert {row[2] for row in out.rows()} == {"0", "1", "2"}
        with pytest.raises(psycopg.errors.FeatureNotSupported) as refused:
            c.execute("select t from t where _offset = 1")
        assert "name its columns" in refused.value.diag.message_hint
        for query in ("select _offset, nothing from t", "select a.id from t a where missing(_bucket) = 1"):
            with pytest.raises(psycopg.ProgrammingError) as refused:
                c.execute(query)
            assert "LINE" not in str(refused.value), "the text that it would show is not the client's"
    assert "_offset" not in sql.psql(server, r"\d t", database=db)


async def test_a_prepared_statement_follows_the_table(server, client, db):
    await filled(client, db)
    with sql.connect(server, db) as c:
        query = "select name from t where _bucket = %s and _offset = 0"
        first = [c.execute(query, (0,), prepare=True).fetchall() for _ in range(3)]
        assert len(first[0]) == 1 and first[0] == first[2]
        c.execute("alter table t add column more int")
        assert c.execute(query, (0,), prepare=True).fetchall() == first[0]
        c.execute("drop table t")
        c.execute("create table t (id bigint, name text) with ('bucket.num' = '1')")
        c.execute("insert into t values (1, 'new')")
        assert c.execute(query, (0,), prepare=True).fetchall() == [("new",)]


async def test_what_is_outside_is_not_read(server, client, db):
    await filled(client, db)
    with sql.connect(server, db) as c:

        def pushed(where):
            return dict(sql.rows(c, f"explain analyze select id from t where {where}"))["pushed"]

        assert "buckets 1 of 3" in pushed("_bucket = 1")
        assert "batches 0 of" in pushed("_timestamp < '2020-01-01'")
        assert "batches 1 of" in pushed("_bucket = 1 and _offset = 5")
