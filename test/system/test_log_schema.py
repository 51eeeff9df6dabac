"""ADD COLUMN on a table with data: old and new rows, old and new clients."""

import asyncio
import json

import fluss
import pyarrow as pa
from harness import batches, streams, tables
from harness.patience import PATIENCE_S
from harness.tables import path

OLD = pa.schema([("id", pa.int32()), ("name", pa.string())])
NEW = OLD.append(pa.field("extra", pa.int64()))


def add_column(cluster, db, name, kind):
    change = {"column_name": name, "data_type_json": json.dumps(kind).encode(), "column_position_type": 0}
    cluster.coordinator.call(
        "ALTER_TABLE", table_path=path(db, "t"), ignore_if_not_exists=False, add_columns=[change]
    )


def old_rows(first):
    return pa.table({"id": pa.array([first, first + 1], pa.int32()), "name": ["a", None]}, schema=OLD)


def new_rows(first):
    ids = pa.array([first, first + 1], pa.int32())
    return pa.table({"id": ids, "name": ["b", None], "extra": pa.array([7, None], pa.int64())}, schema=NEW)


async def altered(cluster, client, server, db):
    """Old rows, then the new column, then new rows; and a table handle of a fresh client."""
    table = await streams.make(client, db, OLD)
    await streams.append_table(table, old_rows(0))
    add_column(cluster, db, "extra", tables.BIGINT)
    fresh = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": server.address}))
    again = await fresh.get_table(fluss.TablePath(db, "t"))
    await streams.append_table(again, new_rows(2))
    return table, again, fresh


async def aligned(table):
    """All rows in the newest schema. (The row scanner of pyfluss cannot do that.)"""
    scanner = await table.new_scan().with_fixed_schema(True).create_record_batch_log_scanner()
    return await asyncio.wait_for(streams.subscribe(scanner, 1).to_arrow(), PATIENCE_S)


EXPECTED = [
    {"id": 0, "name": "a", "extra": None},
    {"id": 1, "name": None, "extra": None},
    {"id": 2, "name": "b", "extra": 7},
    {"id": 3, "name": None, "extra": None},
]


async def test_new_clients_see_nulls_in_old_rows(cluster, client, server, db):
    _, again, fresh = await altered(cluster, client, server, db)
    assert again.get_table_info().schema_id == 2
    found = await aligned(again)
    await fresh.close()
    assert found.to_pylist() == EXPECTED


async def test_columns_of_the_old_schema_over_both(cluster, client, server, db):
    _, again, fresh = await altered(cluster, client, server, db)
    found = await streams.read(again, columns=["id"])
    await fresh.close()
    assert found["id"].to_pylist() == [0, 1, 2, 3]


async def test_old_clients_go_on_writing(cluster, client, server, db):
    table, again, fresh = await altered(cluster, client, server, db)
    await streams.append_table(table, old_rows(4))
    found = await aligned(again)
    await fresh.close()
    assert found["id"].to_pylist() == list(range(6))
    assert found["extra"].to_pylist() == [None, None, 7, None, None, None]


def test_schema_ids_mix_in_one_fetch(cluster, create, db):
    table = create()
    table.append(batches.arrow_batch(tables.small_rows(0, 2)))
    add_column(cluster, db, "extra", tables.BIGINT)
    wide = tables.small_rows(2, 2).append_column("extra", pa.array([1, None], pa.int64()))
    table.append(batches.arrow_batch(wide, schema_id=2))
    found = batches.split(table.records(), whole=True)
    assert [(b.schema_id, b.base_offset) for b in found] == [(1, 0), (2, 2)]
    assert found[1].table(wide.schema).equals(wide)


def test_nested_columns(cluster, create, db):
    create()
    add_column(cluster, db, "r", tables.row(x=tables.INT, y=tables.array(tables.STRING)))
    schema = cluster.tablet.call("GET_TABLE_SCHEMA", table_path=path(db, "t"), schema_id=2)
    column = json.loads(schema.schema_json)["columns"][3]
    assert column["id"] == 3
    assert [f["field_id"] for f in column["data_type"]["fields"]] == [4, 5]
