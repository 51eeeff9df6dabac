"""Short ways to write and read log tables with the stock Python client."""

import asyncio

import fluss

from .patience import PATIENCE_S


async def make(client, db, schema, name="t", **options):
    path = fluss.TablePath(db, name)
    await client.get_admin().create_table(path, fluss.TableDescriptor(fluss.Schema(schema), **options))
    return await client.get_table(path)


async def make_keyed(client, db, schema, keys, name="t", **options):
    path = fluss.TablePath(db, name)
    described = fluss.TableDescriptor(fluss.Schema(schema, primary_keys=keys), **options)
    await client.get_admin().create_table(path, described)
    return await client.get_table(path)


async def append_table(table, data):
    writer = table.new_append().create_writer()
    writer.write_arrow(data)
    await writer.flush()


def subscribe(scanner, buckets, offset=fluss.EARLIEST_OFFSET):
    scanner.subscribe_buckets(dict.fromkeys(range(buckets), offset))
    return scanner


async def read(table, columns=None, buckets=None, offset=fluss.EARLIEST_OFFSET):
    """Everything up to the present end, as an Arrow table."""
    scan = table.new_scan()
    if columns is not None:
        scan = scan.project(columns) if isinstance(columns[0], int) else scan.project_by_name(columns)
    scanner = await scan.create_record_batch_log_scanner()
    subscribe(scanner, buckets or table.get_table_info().num_buckets, offset)
    return await asyncio.wait_for(scanner.to_arrow(), PATIENCE_S)


async def poll_rows(scanner, count):
    """At least `count` records, with their metadata."""
    records, end = [], asyncio.get_running_loop().time() + PATIENCE_S
    while len(records) < count and asyncio.get_running_loop().time() < end:
        records += list(await scanner.poll(500))
    return records


async def row_scanner(table, offset=fluss.EARLIEST_OFFSET):
    scanner = await table.new_scan().create_log_scanner()
    return subscribe(scanner, table.get_table_info().num_buckets, offset)


def load(server, tables, db="fluss"):
    """{name: Arrow table} as log tables, outside of any event loop."""

    async def run():
        client = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": server.address}))
        for name, data in tables.items():
            await append_table(await make(client, db, data.schema, name=name, bucket_count=2), data)
        await client.close()

    asyncio.run(run())


def load_slices(server, db, data, rows, properties):
    """The Arrow table as the log table t of a new database, in batches of so many rows."""

    async def run():
        client = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": server.address}))
        await client.get_admin().create_database(db)
        table = await make(client, db, data.schema, bucket_count=2, properties=properties)
        for at in range(0, data.num_rows, rows):
            await append_table(table, data.slice(at, rows))
        await client.close()

    asyncio.run(run())
