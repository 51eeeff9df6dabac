"""Every data type with nulls through ARROW logs; pyarrow is the judge.

INDEXED and COMPACTED logs cannot be read by the Python client: test_java.py has them.
"""

import asyncio
from datetime import time

import fluss
import pyarrow as pa
import pytest
from harness import streams, types
from harness.patience import PATIENCE_S

COUNT = 40


def same(found, expected):
    """Equal values; the time zone of a TIMESTAMP_LTZ and names inside nested types may differ."""
    return found.cast(expected.schema).combine_chunks().equals(expected.combine_chunks())


@pytest.mark.parametrize("name", types.COLUMNS)
async def test_each_type_as_arrow_batches(client, db, name):
    expected = types.table(COUNT, [name])
    table = await streams.make(client, db, expected.schema)
    await streams.append_table(table, expected)
    assert same(await streams.read(table), expected)
    assert same(await streams.read(table, columns=[1]), expected.select([1]))


@pytest.mark.parametrize("kind", ["NONE", "LZ4_FRAME", "ZSTD"])
async def test_all_types_at_once(client, db, kind):
    expected = types.table(200)
    options = {"properties": {"table.log.arrow.compression.type": kind}}
    table = await streams.make(client, db, expected.schema, **options)
    await streams.append_table(table, expected)
    assert same(await streams.read(table), expected)
    for columns in ([0, 5, 8], [20, 22, 24], [23], list(range(1, 26, 2))):
        assert same(await streams.read(table, columns=columns), expected.select(columns))


@pytest.mark.parametrize("name", types.COLUMNS)
async def test_each_type_row_by_row(client, db, name):
    expected = types.table(COUNT, [name])
    table = await streams.make(client, db, expected.schema)
    writer = table.new_append().create_writer()
    for row in expected.to_pylist():
        writer.append(row)
    await asyncio.wait_for(writer.flush(), PATIENCE_S)
    assert same(await streams.read(table), expected)


@pytest.mark.parametrize("unit, micros", [("us", 999999), ("ns", 999999)])
async def test_times_below_a_millisecond(client, db, unit, micros):
    data = pa.table({"t": pa.array([time(0), None, time(23, 59, 59, micros)], pa.time64(unit))})
    table = await streams.make(client, db, data.schema)
    await streams.append_table(table, data)
    assert same(await streams.read(table), data)


async def test_columns_of_nothing_but_nulls(client, db):
    schema = types.schema()
    data = pa.table([pa.nulls(10, f.type) for f in schema], schema=schema)
    table = await streams.make(client, db, schema)
    await streams.append_table(table, data)
    assert same(await streams.read(table), data)
    assert same(await streams.read(table, columns=[21, 22, 23]), data.select([21, 22, 23]))


async def test_types_are_remembered(client, db):
    await streams.make(client, db, types.schema())
    again = await client.get_table(fluss.TablePath(db, "t"))
    for found, expected in zip(again.arrow_schema, types.schema()):
        assert found.name == expected.name
        if not pa.types.is_nested(expected.type):
            assert found.type == expected.type or pa.types.is_timestamp(expected.type)
