"""Primary-key tables with the stock Python client: writes, lookups, scans, changelogs, all types."""

import asyncio
from datetime import datetime, time
from decimal import Context, Decimal

import fluss
import pyarrow as pa
import pytest
from harness import streams, tables, types
from harness.patience import PATIENCE_S

USERS = pa.schema([("id", pa.int32()), ("name", pa.string()), ("age", pa.int64())])
NO_KEY = ("array", "map", "row", "deep")
CHANGES = ["+I", "-U", "+U", "-D"]
EXACT = Context(prec=40)


async def make(client, db, schema=USERS, keys=("id",), name="t", auto_increment=None, **options):
    path = fluss.TablePath(db, name)
    described = fluss.Schema(schema, primary_keys=list(keys), auto_increment_column=auto_increment)
    await client.get_admin().create_table(path, fluss.TableDescriptor(described, **options))
    return await client.get_table(path)


def user(number, name=None, age=None):
    return {"id": number, "name": name, "age": age}


async def upsert(table, *rows, writer=None):
    writer = writer or table.new_upsert().create_writer()
    for row in rows:
        writer.upsert(row)
    await asyncio.wait_for(writer.flush(), PATIENCE_S)
    return writer


async def delete(table, *keys):
    writer = table.new_upsert().create_writer()
    for key in keys:
        writer.delete(key)
    await asyncio.wait_for(writer.flush(), PATIENCE_S)


async def lookups(table, *keys):
    """A lookuper does one lookup at a time, and each waits for company; several do not."""
    found = []
    for first in range(0, len(keys), 500):
        part = keys[first : first + 500]
        found += await asyncio.gather(*(table.new_lookup().create_lookuper().lookup(k) for k in part))
    return found


async def changes(table, count, offset=fluss.EARLIEST_OFFSET):
    """(offset, change, row) of the only bucket."""
    scanner = await streams.row_scanner(table, offset)
    records = await streams.poll_rows(scanner, count)
    return [(r.offset, r.change_type.short_string(), r.row) for r in records]


async def limit_scan(table, limit, bucket=0, partition=None, columns=None):
    number = table.get_table_info().table_id
    if partition is None:
        where = fluss.TableBucket(number, bucket)
    else:
        where = fluss.TableBucket.with_partition(number, partition, bucket)
    scan = table.new_scan().limit(limit)
    if columns is not None:
        scan = scan.project_by_name(columns)
    return await scan.create_bucket_batch_scanner(where).to_arrow()


async def test_upsert_update_delete(client, db):
    table = await make(client, db)
    await upsert(table, user(1, "a", 10), user(2, None, 20), user(3, "", None))
    assert await lookups(table, [1], {"id": 2}, (3,), [4]) == [
        user(1, "a", 10), user(2, None, 20), user(3, "", None), None,
    ]  # fmt: skip
    await upsert(table, user(1, "b", 11))
    await delete(table, {"id": 2}, {"id": 99})
    assert await lookups(table, [1], [2], [3]) == [user(1, "b", 11), None, user(3, "", None)]
    await upsert(table, user(2, "back", 1))
    assert await lookups(table, [2]) == [user(2, "back", 1)]


async def test_a_row_is_seen_when_it_is_acknowledged(client, db):
    table = await make(client, db)
    writer = table.new_upsert().create_writer()
    lookuper = table.new_lookup().create_lookuper()
    for turn in range(12):
        await writer.upsert(user(turn % 3, str(turn), turn)).wait()
        assert await lookuper.lookup([turn % 3]) == user(turn % 3, str(turn), turn)


async def test_the_changelog(client, db):
    table = await make(client, db, bucket_count=1)
    await upsert(table, user(1, "a", 1), user(2, "b", 2))
    await upsert(table, user(1, "aa", None))
    await delete(table, {"id": 2})
    await upsert(table, user(2, "c", 3))
    expected = [
        (0, "+I", user(1, "a", 1)), (1, "+I", user(2, "b", 2)), (2, "-U", user(1, "a", 1)),
        (3, "+U", user(1, "aa")), (4, "-D", user(2, "b", 2)), (5, "+I", user(2, "c", 3)),
    ]  # fmt: skip
    assert await changes(table, 6) == expected
    assert await changes(table, 3, offset=3) == expected[3:]


async def test_a_projected_changelog(client, db):
    table = await make(client, db, bucket_count=1)
    await upsert(table, user(1, "a", 1))
    await upsert(table, user(1, "b", 2))
    await delete(table, {"id": 77})  # a batch without rows between them
    await upsert(table, user(1, "c", 3))
    scanner = await table.new_scan().project_by_name(["age", "id"]).create_log_scanner()
    records = await streams.poll_rows(streams.subscribe(scanner, 1), 5)
    assert [(r.offset, r.change_type.short_string()) for r in records] == [
        (0, "+I"), (1, "-U"), (2, "+U"), (4, "-U"), (5, "+U"),
    ]  # fmt: skip
    assert [r.row for r in records] == [{"age": a, "id": 1} for a in (1, 1, 2, 2, 3)]


async def test_a_changelog_of_new_values_only(client, db):
    table = await make(client, db, bucket_count=1, properties={"table.changelog.image": "WAL"})
    await upsert(table, user(1, "a", 1))
    await upsert(table, user(1, "b", 2))
    await delete(table, {"id": 1})
    assert [(kind, row) for _, kind, row in await changes(table, 3)] == [
        ("+U", user(1, "a", 1)), ("+U", user(1, "b", 2)), ("-D", user(1, "b", 2)),
    ]  # fmt: skip


async def test_following_a_changelog(client, db):
    table = await make(client, db, bucket_count=1)
    await upsert(table, user(0))
    scanner = await streams.row_scanner(table)
    seen = await streams.poll_rows(scanner, 1)
    for turn in range(1, 5):
        await upsert(table, user(turn, "x" * turn, turn))
        seen += await streams.poll_rows(scanner, 1)
    assert [r.offset for r in seen] == list(range(5))
    assert seen[-1].row == user(4, "xxxx", 4)


async def test_partial_updates(client, db):
    table = await make(client, db, bucket_count=1)
    names = table.new_upsert().partial_update_by_name(["id", "name"]).create_writer()
    ages = table.new_upsert().partial_update_by_index([0, 2]).create_writer()
    await upsert(table, {"id": 1, "name": "a"}, writer=names)
    await upsert(table, {"id": 1, "age": 5}, {"id": 2, "age": 6}, writer=ages)
    assert await lookups(table, [1], [2]) == [user(1, "a", 5), user(2, None, 6)]
    names.delete({"id": 1})
    names.delete({"id": 2})
    await names.flush()
    assert await lookups(table, [1], [2]) == [user(1, None, 5), user(2, None, 6)]
    ages.delete({"id": 1})
    await ages.flush()
    assert await lookups(table, [1]) == [None]


async def test_prefix_lookups(client, db):
    schema = pa.schema([("a", pa.int32()), ("b", pa.string()), ("c", pa.int64()), ("v", pa.string())])
    table = await make(client, db, schema, ["a", "b", "c"], bucket_keys=["a", "b"], bucket_count=3)
    rows = [
        {"a": a, "b": b, "c": c, "v": f"{a}{b}{c}"} for a in range(4) for b in ("x", "xy") for c in range(5)
    ]
    await upsert(table, *rows)
    await delete(table, {"a": 1, "b": "x", "c": 0})
    lookuper = table.new_lookup().lookup_by(["a", "b"]).create_lookuper()
    for a in range(4):
        for b in ("x", "xy"):
            expected = [r for r in rows if (r["a"], r["b"]) == (a, b) and r["v"] != "1x0"]
            assert await lookuper.lookup([a, b]) == expected
    assert await lookuper.lookup({"a": 9, "b": "x"}) == []
    assert (await lookups(table, [1, "x", 1]))[0]["v"] == "1x1"


async def test_partitions(client, db, cluster):
    schema = pa.schema([("id", pa.int32()), ("region", pa.string()), ("v", pa.string())])
    table = await make(client, db, schema, ["id", "region"], partition_keys=["region"], bucket_count=2)
    admin, path = client.get_admin(), fluss.TablePath(db, "t")
    for region in ("eu", "us"):
        await admin.create_partition(path, {"region": region})
    rows = [{"id": i, "region": r, "v": f"{r}{i}"} for r in ("eu", "us") for i in range(20)]
    await upsert(table, *rows)
    assert await lookups(table, *([r["id"], r["region"]] for r in rows)) == rows
    await delete(table, {"id": 3, "region": "eu"})
    assert await lookups(table, [3, "eu"], [3, "us"], [3, "asia"]) == [None, rows[23], None]
    found = {p.partition_name: p.partition_id for p in await admin.list_partition_infos(path)}
    scanned = [await limit_scan(table, 100, bucket=b, partition=found["eu"]) for b in (0, 1)]
    assert sorted(r["id"] for part in scanned for r in part.to_pylist()) == [i for i in range(20) if i != 3]
    number = table.get_table_info().table_id
    counts = [row_count(cluster, number, bucket, found["us"]) for bucket in (0, 1)]
    assert sum(counts) == 20 and all(counts)
    await admin.drop_partition(path, {"region": "eu"})
    assert await lookups(table, [4, "us"]) == [rows[24]]


async def test_limit_scans(client, db):
    table = await make(client, db, bucket_count=1)
    await upsert(table, *(user(i, str(i), i) for i in (5, 0, 3, 1, 200, 128)))
    await delete(table, {"id": 3})
    expected = [user(i, str(i), i) for i in (0, 1, 5, 128, 200)]
    for limit in (1, 4, 5, 50):
        found = await limit_scan(table, limit)
        assert sorted(found.to_pylist(), key=lambda r: r["id"]) == expected[:limit]
    assert (await limit_scan(table, 3, columns=["name"])).to_pylist() == [{"name": n} for n in "015"]


def row_count(cluster, table, bucket=0, partition=None):
    entry = {"bucket_id": bucket} | ({} if partition is None else {"partition_id": partition})
    answer = cluster.tablet.call("GET_TABLE_STATS", table_id=table, buckets_req=[entry]).buckets_resp[0]
    assert not answer.HasField("error_code"), answer
    return answer.row_count


async def test_row_counts(client, db, cluster):
    table = await make(client, db, bucket_count=1)
    number = table.get_table_info().table_id
    await upsert(table, *(user(i % 30) for i in range(100)))
    assert row_count(cluster, number) == 30
    await delete(table, *({"id": i} for i in range(25, 40)))
    assert row_count(cluster, number) == 25
    await upsert(table, user(0), user(30))
    assert row_count(cluster, number) == 26


async def test_auto_increment(client, db):
    schema = pa.schema([("word", pa.string()), ("number", pa.int64())])
    table = await make(client, db, schema, ["word"], auto_increment="number", bucket_count=1)
    writer = table.new_upsert().partial_update_by_name(["word"]).create_writer()
    await upsert(table, *({"word": w} for w in ("a", "b", "a", "c")), writer=writer)
    assert [r["number"] for r in await lookups(table, ["a"], ["b"], ["c"])] == [1, 2, 3]


async def test_a_refused_delete(client, db):
    table = await make(client, db, properties={"table.delete.behavior": "DISABLE"})
    await upsert(table, user(1, "a", 1))
    with pytest.raises(fluss.FlussError):
        await table.new_upsert().create_writer().delete({"id": 1}).wait()
    assert await lookups(table, [1]) == [user(1, "a", 1)]


async def test_every_type(client, db):
    """As values with nulls between: written, looked up, read from the changelog and scanned.

    In COMPACTED rows; the client knows no others."""
    expected = types.table(40)
    rows = expected.to_pylist()
    table = await make(client, db, expected.schema, bucket_count=1)
    await upsert(table, *({**r, **{n: None for n in types.COLUMNS}} for r in rows[:5]))
    await upsert(table, *rows)
    found = await lookups(table, *([r["id"]] for r in rows))
    assert plain(found) == plain(rows)
    scanned = await limit_scan(table, 100)
    assert plain(sorted(scanned.to_pylist(), key=lambda r: r["id"])) == plain(rows)
    seen = await changes(table, 50)
    assert plain([row for _, kind, row in seen if kind == "+U"]) == plain(rows[:5])
    assert plain([row for _, kind, row in seen[5:] if kind == "+I"]) == plain(rows[5:])


def plain(rows):
    """Equal values of equal text: maps in any form and order, times with or without zone."""
    return [{n: _plain(v) for n, v in row.items()} for row in rows]


def _plain(value):
    if isinstance(value, dict):
        return sorted((str(k), _plain(v)) for k, v in value.items())
    if isinstance(value, list):
        if value and all(isinstance(v, tuple) for v in value):
            return sorted((str(k), _plain(v)) for k, v in value)
        return [_plain(v) for v in value]
    if isinstance(value, Decimal):
        return str(value.normalize(EXACT))
    if isinstance(value, (datetime, time)):  # pandas has timestamps of its own
        return value.replace(tzinfo=None).isoformat()
    return repr(value)


@pytest.mark.parametrize("name", [n for n in types.COLUMNS if n not in NO_KEY])
async def test_each_type_as_key(client, db, name):
    kind, known = types.COLUMNS[name]
    schema = pa.schema([("k", kind), ("n", pa.int32()), ("v", pa.string())])
    table = await make(client, db, schema, ["k", "n"], bucket_count=3)
    rows = [{"k": k, "n": n, "v": f"{i} {n}"} for i, k in enumerate(known) for n in (-1, 7)]
    await upsert(table, *rows)
    found = await lookups(table, *([r["k"], r["n"]] for r in rows))
    assert plain(found) == plain(rows)
    await delete(table, {"k": rows[0]["k"], "n": -1})
    assert await lookups(table, [rows[0]["k"], -1]) == [None]


async def test_a_column_is_added(client, db, cluster):
    table = await make(client, db, bucket_count=1)
    await upsert(table, user(1, "a", 1), user(2, "b", 2))
    raw = tables.Table(cluster, db, "t").open()
    column = {"column_name": "x", "data_type_json": b'{"type":"STRING"}', "column_position_type": 0}
    cluster.coordinator.call(
        "ALTER_TABLE", table_path=raw.path, ignore_if_not_exists=False, add_columns=[column]
    )
    client = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": cluster.bootstrap}))
    table = await client.get_table(fluss.TablePath(db, "t"))
    await upsert(table, {**user(2, "bb", 22), "x": "new"}, {**user(3), "x": None})
    expected = [{**user(1, "a", 1), "x": None}, {**user(2, "bb", 22), "x": "new"}, {**user(3), "x": None}]
    assert await lookups(table, [1], [2], [3]) == expected
    assert (await limit_scan(table, 9)).to_pylist() == expected
    await client.close()  # its scanner cannot read batches of both schemas; test_kv_java.py has that


async def test_many_rows(client, db, cluster):
    """Several buckets, batches that overlap, rows of very different sizes."""
    table = await make(client, db, bucket_count=4)
    writer = table.new_upsert().create_writer()
    rows = {}
    for i in range(10_000):
        rows[i % 3000] = user(i % 3000, "x" * (i % 97), i)
        writer.upsert(rows[i % 3000])
    for i in range(0, 3000, 30):
        del rows[i]
        writer.delete({"id": i})
    await asyncio.wait_for(writer.flush(), PATIENCE_S)
    keys = [*range(0, 3000, 7), 70_000]
    assert await lookups(table, *([k] for k in keys)) == [rows.get(k) for k in keys]
    number = table.get_table_info().table_id
    assert sum(row_count(cluster, number, bucket) for bucket in range(4)) == len(rows)
    state = {}
    scanner = await streams.row_scanner(table)
    for record in await streams.poll_rows(scanner, 3000 + 2 * 7000 + 100):
        kind, row = record.change_type.short_string(), record.row
        assert kind in CHANGES
        if kind in ("-U", "-D"):
            assert state.pop(row["id"]) == row
        else:
            assert state.setdefault(row["id"], row) is row
    assert state == rows


async def test_two_clients(client, db, server):
    """What one writes, the other finds at once."""
    table = await make(client, db)
    other = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": server.address}))
    same = await other.get_table(fluss.TablePath(db, "t"))
    await upsert(table, user(1, "mine", 1))
    assert await lookups(same, [1]) == [user(1, "mine", 1)]
    await upsert(same, user(1, "yours", 2))
    assert await lookups(table, [1]) == [user(1, "yours", 2)]
    await other.close()


@pytest.mark.own_server
async def test_rows_survive_a_restart(launch):
    server = launch()
    address = fluss.Config({"bootstrap.servers": server.address})
    client = await fluss.FlussConnection.create(address)
    await client.get_admin().create_database("kept", fluss.DatabaseDescriptor(), ignore_if_exists=True)
    table = await make(client, "kept")
    await upsert(table, *(user(i, str(i), i) for i in range(500)))
    await delete(table, *({"id": i} for i in range(0, 500, 5)))
    for stop in (server.terminate, server.kill):
        await client.close()
        stop()
        server.start()
        client = await fluss.FlussConnection.create(address)
        table = await client.get_table(fluss.TablePath("kept", "t"))
        found = await lookups(table, *([i] for i in range(500)))
        assert found == [user(i, str(i), i) if i % 5 else None for i in range(500)]
        await upsert(table, user(1, "1", 1))
    await client.close()
