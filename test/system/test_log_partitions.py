"""Partitioned log tables: writing, reading, dropping, and partitions that come by themselves."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import fluss
import pyarrow as pa
import pytest
from harness import streams, tables, wire
from harness.patience import PATIENCE_S
from harness.tables import path

SCHEMA = pa.schema([("id", pa.int32()), ("region", pa.string()), ("value", pa.float64())])


def rows(region, first, count):
    ids = range(first, first + count)
    columns = [pa.array(ids, pa.int32()), [region] * count, [i / 2 for i in ids]]
    return pa.table(columns, schema=SCHEMA)


async def make(client, db, **options):
    return await streams.make(client, db, SCHEMA, partition_keys=["region"], **options)


async def partitions(client, db):
    infos = await client.get_admin().list_partition_infos(fluss.TablePath(db, "t"))
    return {p.partition_name: p.partition_id for p in infos}


async def add(client, db, region):
    await client.get_admin().create_partition(fluss.TablePath(db, "t"), {"region": region})
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:  # leaders come a little later
        try:
            path = fluss.TablePath(db, "t")
            await client.get_admin().list_partition_offsets(path, region, [0], fluss.OffsetSpec.latest())
            return
        except fluss.FlussError:
            await asyncio.sleep(0.05)


async def read(table, ids, columns=None):
    scan = table.new_scan()
    scan = scan if columns is None else scan.project_by_name(columns)
    scanner = await scan.create_record_batch_log_scanner()
    buckets = range(table.get_table_info().num_buckets)
    scanner.subscribe_partition_buckets({(i, b): fluss.EARLIEST_OFFSET for i in ids for b in buckets})
    return await asyncio.wait_for(scanner.to_arrow(), PATIENCE_S)


async def test_each_partition_has_its_own_log(client, db):
    table = await make(client, db, bucket_count=2)
    for region, first in (("eu", 0), ("us", 100), ("asia", 200)):
        await add(client, db, region)
        await streams.append_table(table, rows(region, first, 50))
    ids = await partitions(client, db)
    assert sorted(ids) == ["asia", "eu", "us"]
    for region, first in (("eu", 0), ("us", 100), ("asia", 200)):
        found = await read(table, [ids[region]])
        assert sorted(found["id"].to_pylist()) == list(range(first, first + 50))
        assert set(found["region"].to_pylist()) == {region}
    everything = await read(table, ids.values(), columns=["id"])
    assert everything.num_rows == 150


async def test_rows_find_their_partition(client, db):
    table = await make(client, db)
    await add(client, db, "eu")
    await add(client, db, "us")
    writer = table.new_append().create_writer()
    for i in range(100):
        writer.append({"id": i, "region": "eu" if i % 2 else "us", "value": None})
    await writer.flush()
    ids = await partitions(client, db)
    assert (await read(table, [ids["eu"]]))["id"].to_pylist() == list(range(1, 100, 2))
    assert (await read(table, [ids["us"]]))["id"].to_pylist() == list(range(0, 100, 2))


async def test_offsets_of_a_partition(client, db):
    table = await make(client, db)
    await add(client, db, "eu")
    await add(client, db, "us")
    await streams.append_table(table, rows("eu", 0, 7))
    admin = client.get_admin()
    latest = fluss.OffsetSpec.latest()
    assert await admin.list_partition_offsets(fluss.TablePath(db, "t"), "eu", [0], latest) == {0: 7}
    assert await admin.list_partition_offsets(fluss.TablePath(db, "t"), "us", [0], latest) == {0: 0}


async def test_a_dropped_partition_is_gone_and_may_come_back_empty(client, db):
    table = await make(client, db)
    await add(client, db, "eu")
    await streams.append_table(table, rows("eu", 0, 10))
    before = await partitions(client, db)
    await client.get_admin().drop_partition(fluss.TablePath(db, "t"), {"region": "eu"})
    assert await partitions(client, db) == {}
    await add(client, db, "eu")
    after = await partitions(client, db)
    assert after["eu"] > before["eu"]
    assert (await read(table, [after["eu"]])).num_rows == 0


KEY_TYPES = {
    "int": (tables.INT, "42"),
    "bigint": (tables.BIGINT, "-7"),
    "boolean": ({"type": "BOOLEAN"}, "true"),
    "date": ({"type": "DATE"}, "2026-08-22"),
    "char": ({"type": "CHAR", "length": 3}, "abc"),
    "bytes": ({"type": "BYTES"}, "00ff"),
    "time": ({"type": "TIME_WITHOUT_TIME_ZONE", "precision": 3}, "13-14-15_123"),
    "timestamp": ({"type": "TIMESTAMP_WITHOUT_TIME_ZONE", "precision": 3}, "2026-08-22-13-14-15_123"),
    "double": (tables.DOUBLE, "1_5"),
}


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_key_types(create, kind):
    data_type, value = KEY_TYPES[kind]
    table = create(columns={"id": tables.INT, "k": data_type}, partition_key=["k"])
    table.add_partition(k=value)
    listed = table.cluster.tablet.call("LIST_PARTITION_INFOS", table_path=table.path).partitions_info
    assert [p.partition_spec.partition_key_values[0].value for p in listed] == [value]


def auto_partitioned(cluster, db, **properties):
    columns = {"id": tables.INT, "day": tables.STRING}
    settings = {"enabled": "true", "time-unit": "DAY", "time-zone": "UTC", "num-precreate": "3", **properties}
    table = tables.descriptor(
        columns,
        partition_key=["day"],
        properties={f"table.auto-partition.{k}": v for k, v in settings.items()},
    )
    cluster.coordinator.call(
        "CREATE_TABLE",
        table_path=path(db, "t"),
        table_json=json.dumps(table).encode(),
        ignore_if_exists=False,
    )
    return tables.Table(cluster, db, "t").open(partitioned=True)


def names(table):
    listed = table.cluster.tablet.call("LIST_PARTITION_INFOS", table_path=table.path).partitions_info
    return sorted(p.partition_spec.partition_key_values[0].value for p in listed)


def wait_for(condition, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def far_from_the_next_hour():
    """Hours, days, months and years end with an hour: what is asked for is still so when it is looked at."""
    while datetime.now(UTC).minute == 59:
        time.sleep(1)


def day(ahead):
    return (datetime.now(UTC) + timedelta(days=ahead)).strftime("%Y%m%d")


def test_partitions_are_made_ahead(cluster, db, far_from_the_next_hour):
    table = auto_partitioned(cluster, db)
    wait_for(lambda: names(table) == [day(i) for i in range(3)])
    table.open_partition(day(0))


@pytest.mark.parametrize("unit, pattern", [("YEAR", "%Y"), ("MONTH", "%Y%m"), ("HOUR", "%Y%m%d%H")])
def test_units(cluster, db, unit, pattern, far_from_the_next_hour):
    table = auto_partitioned(cluster, db, **{"time-unit": unit, "num-precreate": "1"})
    now = datetime.now(UTC)
    wait_for(lambda: names(table) == [now.strftime(pattern)])


@pytest.mark.own_server
def test_old_partitions_go_by_themselves(launch, far_from_the_next_hour):
    server = launch(options={"auto-partition.check.interval": "1s"})
    cluster = wire.Cluster(server.address)
    table = auto_partitioned(cluster, "fluss", **{"num-retention": "2", "num-precreate": "1"})
    wait_for(lambda: names(table) == [day(0)])
    table.add_partition(day=day(-1))
    table.add_partition(day=day(-2))
    cluster.coordinator.call(
        "ALTER_TABLE",
        table_path=table.path,
        ignore_if_not_exists=False,
        config_changes=[
            {"config_key": "table.auto-partition.num-retention", "config_value": "1", "op_type": 0}
        ],
    )
    wait_for(lambda: names(table) == [day(-1), day(0)])
    cluster.close()
