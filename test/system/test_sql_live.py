"""SQL on tables while they are written, altered and dropped."""

import asyncio
import threading

import fluss
import psycopg
import pyarrow as pa
import pytest
from harness import sql, streams, tables
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
PAIRS = pa.schema([("batch", pa.int64()), ("amount", pa.int64())])
ACCOUNTS = pa.schema([("id", pa.int32()), ("amount", pa.int64())])


def pair(number, count=10):
    """Rows of a batch that add up to 0."""
    amounts = [number + i for i in range(count)] + [-number - i for i in range(count)]
    return pa.table({"batch": [number] * (2 * count), "amount": amounts}, schema=PAIRS)


async def test_what_is_acknowledged_is_seen(server, client, db):
    table = await streams.make(client, db, PAIRS)
    with sql.connect(server, db) as c:
        assert sql.rows(c, "select count(*), sum(amount) from t") == [(0, None)]
        for number in range(1, 31):
            await streams.append_table(table, pair(number))
            assert sql.rows(c, "select count(*), max(batch) from t") == [(20 * number, number)]


async def test_no_query_sees_half_a_batch(server, client, db):
    table = await streams.make(client, db, PAIRS)
    ended = threading.Event()
    seen = []

    def ask():
        with sql.connect(server, db) as c:
            while not ended.is_set() or len(seen) < 20:
                seen.append(sql.rows(c, "select count(*), coalesce(sum(amount), 0) from t")[0])

    asking = asyncio.get_running_loop().run_in_executor(None, ask)
    for number in range(200):
        await streams.append_table(table, pair(number))
    ended.set()
    await asyncio.wait_for(asking, PATIENCE_S)
    assert all(count % 20 == 0 and total == 0 for count, total in seen), seen
    assert [count for count, _ in seen] == sorted(count for count, _ in seen)


async def answered(answers, count, *asking):
    """Until there are so many answers, or somebody has failed."""
    while len(answers) < count and not any(a.done() for a in asking):
        await asyncio.sleep(0.01)


async def test_a_statement_reads_one_cut(server, client, db):
    table = await streams.make(client, db, PAIRS)
    ended = threading.Event()
    query = "select (select count(*) from t), (select count(*) from t), (select sum(1) from t)"
    seen = []

    def ask():
        with sql.connect(server, db) as c:
            while not ended.is_set():
                seen.append(sql.rows(c, query)[0])

    await streams.append_table(table, pair(0))
    asking = asyncio.get_running_loop().run_in_executor(None, ask)
    await answered(seen, 1, asking)
    for number in range(200):
        await streams.append_table(table, pair(number))
    ended.set()
    await asyncio.wait_for(asking, PATIENCE_S)
    assert seen and all(len(set(row)) == 1 for row in seen), seen


async def test_current_rows_follow_upserts_and_deletes(server, client, db):
    path = fluss.TablePath(db, "t")
    described = fluss.TableDescriptor(fluss.Schema(ACCOUNTS, primary_keys=["id"]), bucket_count=3)
    await client.get_admin().create_table(path, described)
    table = await client.get_table(path)
    with sql.connect(server, db) as c:
        for round_ in range(5):
            writer = table.new_upsert().create_writer()
            for i in range(100):
                writer.upsert({"id": i, "amount": round_})
            await writer.flush()
            assert sql.rows(c, "select count(*), min(amount), max(amount) from t") == [(100, round_, round_)]
        writer = table.new_upsert().create_writer()
        for i in range(0, 100, 2):
            writer.delete({"id": i})
        await writer.flush()
        assert sql.rows(c, "select count(*), min(id) from t") == [(50, 1)]
        changes = dict(sql.rows(c, 'select _change_type, count(*) from "t$changelog" group by 1'))
        assert changes == {"insert": 100, "update_before": 400, "update_after": 400, "delete": 50}


async def test_changelog_columns(server, client, db):
    table = await streams.make(client, db, PAIRS, bucket_count=2)
    for number in range(4):
        await streams.append_table(table, pair(number))
    with sql.connect(server, db) as c:
        rows = sql.rows(c, 'select _bucket, min(_log_offset), max(_log_offset), count(*) from "t$changelog" group by 1')
        assert sum(count for *_, count in rows) == 80
        assert all(low == 0 and high == count - 1 for _, low, high, count in rows)
        assert sql.rows(c, 'select distinct _change_type from "t$changelog"') == [("insert",)]
        assert sql.one(c, 'select max(_commit_timestamp) > now() - interval 1 hour from "t$changelog"')


async def test_binlog(server, client, db):
    path = fluss.TablePath(db, "t")
    schema = fluss.Schema(ACCOUNTS, primary_keys=["id"])
    await client.get_admin().create_table(path, fluss.TableDescriptor(schema, bucket_count=2))
    table = await client.get_table(path)
    writer = table.new_upsert().create_writer()
    for amount in (1, 2):
        for i in range(50):
            writer.upsert({"id": i, "amount": amount})
        await writer.flush()
    writer.delete({"id": 7})
    await writer.flush()
    with sql.connect(server, db) as c:
        assert sql.rows(c, 'select before, after from "t$binlog" where _change_type = \'update\' and after.id = 7') == [
            ({"id": 7, "amount": 1}, {"id": 7, "amount": 2})
        ]
        counts = 'select _change_type, count(before), count(after) from "t$binlog" group by 1 order by 1'
        assert sql.rows(c, counts) == [("delete", 1, 0), ("insert", 0, 50), ("update", 50, 50)]
        pairs = 'select count(*) from "t$binlog" b join "t$changelog" c on b._log_offset = c._log_offset'
        assert sql.one(c, pairs + " and b._commit_timestamp = c._commit_timestamp and b.after.id = c.id where c._bucket = 0") > 0


async def test_partitions(server, cluster, client, db):
    columns = pa.schema([("day", pa.string()), ("n", pa.int32())])
    table = await streams.make(client, db, columns, partition_keys=["day"])
    admin = client.get_admin()
    for day in ("a", "b", "c"):
        await admin.create_partition(fluss.TablePath(db, "t"), {"day": day})
        await streams.append_table(table, pa.table({"day": [day] * 5, "n": range(5)}, schema=columns))
    with sql.connect(server, db) as c:
        assert sql.rows(c, "select day, sum(n) from t group by 1 order by 1") == [("a", 10), ("b", 10), ("c", 10)]


async def test_tables_come_and_go(server, client, db):
    admin = client.get_admin()
    with sql.connect(server, db) as c:
        with pytest.raises(psycopg.errors.UndefinedTable):
            sql.rows(c, "select * from t")
        await streams.make(client, db, PAIRS)
        assert sql.rows(c, "select * from t") == []
        await admin.drop_table(fluss.TablePath(db, "t"), False)
        with pytest.raises(psycopg.errors.UndefinedTable):
            sql.rows(c, "select * from t")
        await streams.make(client, db, ACCOUNTS)
        assert [d.name for d in c.execute("select * from t").description] == ["id", "amount"]


async def test_added_columns(server, cluster, client, db):
    """Old rows read as null, old statements go on."""
    old = pa.schema([("id", pa.int32()), ("name", pa.string())])
    new = old.append(pa.field("extra", pa.int64()))
    table = await streams.make(client, db, old)
    await streams.append_table(table, pa.table({"id": [0, 1], "name": ["a", None]}, schema=old))
    with sql.connect(server, db, prepare_threshold=0) as c:
        query = "select * from t order by id"
        assert sql.rows(c, query) == [(0, "a"), (1, None)]
        change = {"column_name": "extra", "data_type_json": b'{"type":"BIGINT"}', "column_position_type": 0}
        cluster.coordinator.call(
            "ALTER_TABLE", table_path=tables.path(db, "t"), ignore_if_not_exists=False, add_columns=[change]
        )
        fresh = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": server.address}))
        again = await fresh.get_table(fluss.TablePath(db, "t"))
        await streams.append_table(again, pa.table({"id": [2], "name": ["b"], "extra": [7]}, schema=new))
        assert sql.rows(c, "select * from t order by 1") == [(0, "a", None), (1, None, None), (2, "b", 7)]
        assert sql.rows(c, "select extra, count(*) from t group by 1 order by 1") == [(7, 1), (None, 2)]
        await fresh.close()


async def test_catalog_changes_beside_queries(server, client, db):
    """Tables come and go while others are read; nobody waits for ever, nobody sees half a catalog."""
    table = await streams.make(client, db, PAIRS)
    await streams.append_table(table, pair(1))
    ended = threading.Event()
    counts = []

    def ask():
        with sql.connect(server, db) as c:
            while not ended.is_set():
                assert sql.rows(c, "select count(*), sum(amount) from t") == [(20, 0)]
                found = {name for (name,) in sql.rows(c, "select relname from pg_catalog.pg_class")}
                assert all(f"{name}$changelog" in found for name in found if "$" not in name)
                counts.append(len(found))

    asking = [asyncio.get_running_loop().run_in_executor(None, ask) for _ in range(3)]
    for number in range(30):
        await answered(counts, number, *asking)
        await streams.make(client, db, ACCOUNTS, name=f"other{number}")
        if number >= 5:
            await client.get_admin().drop_table(fluss.TablePath(db, f"other{number - 5}"), False)
    ended.set()
    await asyncio.wait_for(asyncio.gather(*asking), PATIENCE_S)
    assert len(set(counts)) > 1
