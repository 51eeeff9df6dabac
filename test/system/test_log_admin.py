"""Databases, tables and partitions through the stock Python client."""

import fluss
import pyarrow as pa
import pytest

SCHEMA = pa.schema([("id", pa.int32()), ("name", pa.string())])


def table_path(db, name="t"):
    return fluss.TablePath(db, name)


async def refused(call):
    with pytest.raises(fluss.FlussError) as e:
        await call
    return e.value.error_code


async def test_databases(client, db):
    admin = client.get_admin()
    name = db + "_more"
    descriptor = fluss.DatabaseDescriptor(comment="all flights", custom_properties={"owner": "me"})
    await admin.create_database(name, descriptor)
    assert await admin.database_exists(name)
    assert {name, "fluss"} <= set(await admin.list_databases())
    found = (await admin.get_database_info(name)).get_database_descriptor()
    assert (found.comment, found.get_custom_properties()) == ("all flights", {"owner": "me"})
    assert await refused(admin.create_database(name)) == fluss.ErrorCode.DATABASE_ALREADY_EXIST
    await admin.create_database(name, ignore_if_exists=True)
    await admin.drop_database(name)
    assert not await admin.database_exists(name)
    assert await refused(admin.drop_database(name)) == fluss.ErrorCode.DATABASE_NOT_EXIST
    await admin.drop_database(name, ignore_if_not_exists=True)


async def test_tables(client, db):
    admin = client.get_admin()
    descriptor = fluss.TableDescriptor(
        fluss.Schema(SCHEMA),
        bucket_count=3,
        bucket_keys=["id"],
        comment="numbers",
        properties={"table.log.ttl": "2d"},
        custom_properties={"made by": "test"},
    )
    await admin.create_table(table_path(db), descriptor)
    assert await admin.table_exists(table_path(db))
    assert await admin.list_tables(db) == ["t"]
    info = await admin.get_table_info(table_path(db))
    assert (info.num_buckets, info.schema_id, info.comment) == (3, 1, "numbers")
    assert (info.get_bucket_keys(), info.get_primary_keys(), info.get_partition_keys()) == (["id"], [], [])
    assert info.get_properties()["table.log.ttl"] == "2d"
    assert info.get_custom_properties() == {"made by": "test"}
    assert info.get_column_names() == SCHEMA.names
    assert (await client.get_table(table_path(db))).arrow_schema == SCHEMA
    again = admin.create_table(table_path(db), descriptor)
    assert await refused(again) == fluss.ErrorCode.TABLE_ALREADY_EXIST
    await admin.create_table(table_path(db), descriptor, ignore_if_exists=True)
    await admin.drop_table(table_path(db))
    assert await admin.list_tables(db) == []
    assert await refused(admin.get_table_info(table_path(db))) == fluss.ErrorCode.TABLE_NOT_EXIST
    assert await refused(admin.drop_table(table_path(db))) == fluss.ErrorCode.TABLE_NOT_EXIST


async def test_a_database_with_tables(client, db):
    admin = client.get_admin()
    await admin.create_table(table_path(db), fluss.TableDescriptor(fluss.Schema(SCHEMA)))
    drop = admin.drop_database(db, cascade=False)
    assert await refused(drop) == fluss.ErrorCode.DATABASE_NOT_EMPTY
    await admin.drop_database(db, cascade=True)
    assert not await admin.table_exists(table_path(db))


async def test_the_servers_are_listed(client):
    nodes = await client.get_admin().get_server_nodes()
    assert {n.server_type for n in nodes} == {"CoordinatorServer", "TabletServer"}


async def test_partitions(client, db):
    admin = client.get_admin()
    schema = fluss.Schema(pa.schema([("id", pa.int32()), ("region", pa.string()), ("y", pa.string())]))
    await admin.create_table(table_path(db), fluss.TableDescriptor(schema, partition_keys=["region", "y"]))
    for region in ("eu", "us"):
        await admin.create_partition(table_path(db), {"region": region, "y": "2026"})
    names = [p.partition_name for p in await admin.list_partition_infos(table_path(db))]
    assert sorted(names) == ["eu$2026", "us$2026"]
    some = await admin.list_partition_infos(table_path(db), {"region": "us"})
    assert [p.partition_name for p in some] == ["us$2026"]
    again = admin.create_partition(table_path(db), {"region": "eu", "y": "2026"})
    assert await refused(again) == fluss.ErrorCode.PARTITION_ALREADY_EXISTS
    await admin.drop_partition(table_path(db), {"region": "eu", "y": "2026"})
    names = [p.partition_name for p in await admin.list_partition_infos(table_path(db))]
    assert names == ["us$2026"]


async def test_partitions_of_a_plain_table(client, db):
    admin = client.get_admin()
    await admin.create_table(table_path(db), fluss.TableDescriptor(fluss.Schema(SCHEMA)))
    call = admin.create_partition(table_path(db), {"name": "x"})
    assert await refused(call) == fluss.ErrorCode.TABLE_NOT_PARTITIONED_EXCEPTION
