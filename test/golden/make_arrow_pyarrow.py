"""Makes arrow_pyarrow.json: Arrow messages as Arrow C++ writes them, whose flatbuffers are laid out
differently from those of the Java client and which leave out validity buffers without nulls.

Run with pyarrow 15 or newer: python3 test/golden/make_arrow_pyarrow.py > test/golden/arrow_pyarrow.json
"""
import json

import pyarrow as pa

ROWS = 50


def table():
    nulls = [i % 7 == 3 for i in range(ROWS)]
    columns = {
        "a": ("INT", pa.array(range(ROWS), pa.int32())),
        "b": ("STRING", pa.array([None if n else f"value {i}" for i, n in enumerate(nulls)], pa.string())),
        "c": ("ARRAY<BIGINT>", pa.array([None if n else [i, None] * (i % 3) for i, n in enumerate(nulls)],
                                        pa.list_(pa.int64()))),
        "d": ("BOOLEAN", pa.array([i % 2 == 0 for i in range(ROWS)], pa.bool_())),
        "e": ("MAP<STRING NOT NULL, INT>", pa.array([[(f"k{i}", i)] for i in range(ROWS)],
                                                    pa.map_(pa.string(), pa.int32()))),
        "f": ("ROW<`x` INT, `y` BYTES>", pa.array([None if n else {"x": i, "y": b"\x00" * i}
                                                   for i, n in enumerate(nulls)],
                                                  pa.struct([("x", pa.int32()), ("y", pa.binary())]))),
        "g": ("DOUBLE", pa.array([None] * ROWS, pa.float64())),
    }
    schema = [{"name": name, "type": text} for name, (text, _) in columns.items()]
    return schema, pa.record_batch([array for _, array in columns.values()], names=list(columns))


def message(batch, codec):
    """The second message of a stream; the first is the schema."""
    options = pa.ipc.IpcWriteOptions(compression={"NONE": None, "LZ4_FRAME": "lz4", "ZSTD": "zstd"}[codec])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=options) as stream:
        stream.write_batch(batch)
    messages = list(pa.ipc.MessageReader.open_stream(sink.getvalue()))
    return messages[1].serialize(alignment=64).to_pybytes().hex()


def case(codec, projection):
    schema, batch = table()
    return {
        "name": f"{codec}/{projection}",
        "schema": schema,
        "rows": ROWS,
        "codec": codec,
        "projection": projection,
        "message_hex": message(batch, codec),
        "selected_hex": message(batch.select(projection), codec),
    }


document = {
    "description": "Arrow RecordBatch messages written by pyarrow: 'message_hex' with all columns, "
                   "'selected_hex' with the columns of 'projection' only.",
    "source_version": f"pyarrow {pa.__version__}",
    "cases": [case(codec, projection) for codec in ("NONE", "LZ4_FRAME", "ZSTD")
              for projection in ([0], [1, 2], [2, 4, 6], [0, 1, 2, 3, 4, 5, 6])],
}
print(json.dumps(document, indent=1))
