"""Record batches as clients write them, and a reader that judges what the server returns.

base_offset i64 | length i32 | magic i8 | commit_timestamp i64 | [leader_epoch i32, magic 2]
| crc u32 | schema_id i16 | attributes i8 | last_offset_delta i32 | writer_id i64
| batch_sequence i32 | record_count i32 | [statistics_length i32, magic 1 and 2] | body
All little-endian; the CRC-32C covers schema_id to the end.
"""

import struct
from dataclasses import dataclass

import pyarrow as pa

APPEND_ONLY = 1


def _crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def crc32c(data) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def arrow_message(batch: pa.RecordBatch, codec=None) -> bytes:
    """One encapsulated RecordBatch message, without a schema message."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    messages = pa.ipc.MessageReader.open_stream(sink.getvalue())
    messages.read_next_message()  # the schema
    return messages.read_next_message().serialize().to_pybytes()


def pack(
    body,
    count,
    magic=0,
    schema_id=1,
    writer_id=-1,
    sequence=-1,
    statistics=b"",
    attributes=APPEND_ONLY,
    delta=None,
):
    """A whole batch with the header fields a client sets."""
    covered = struct.pack(
        "<hbiqii",
        schema_id,
        attributes,
        max(count - 1, 0) if delta is None else delta,
        writer_id,
        sequence,
        count,
    )
    if magic >= 1:
        covered += struct.pack("<i", len(statistics)) + statistics
    covered += bytes(body)
    head = struct.pack("<bq", magic, 0)
    if magic == 2:
        head += struct.pack("<i", -1)
    head += struct.pack("<I", crc32c(covered))
    return struct.pack("<qi", 0, len(head) + len(covered)) + head + covered


def arrow_batch(batch: pa.RecordBatch, codec=None, **header) -> bytes:
    return pack(arrow_message(batch, codec), batch.num_rows, **header)


@dataclass
class Batch:
    base_offset: int
    magic: int
    timestamp: int
    crc: int
    schema_id: int
    attributes: int
    last_offset_delta: int
    writer_id: int
    sequence: int
    count: int
    statistics: bytes
    body: bytes
    crc_valid: bool

    @property
    def last_offset(self):
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self):
        return self.last_offset + 1

    def table(self, schema: pa.Schema) -> pa.RecordBatch:
        body = self.body if self.attributes & APPEND_ONLY else self.body[self.count :]
        return pa.ipc.read_record_batch(pa.py_buffer(body), schema)


def split(records: bytes, whole=False):
    """The complete batches of `records`; a partial tail is dropped, or refused with `whole`."""
    batches, at = [], 0
    while at + 12 <= len(records):
        size = 12 + struct.unpack_from("<i", records, at + 8)[0]
        if at + size > len(records):
            break
        batches.append(_parse(records[at : at + size]))
        at += size
    assert not whole or at == len(records), f"{len(records) - at} bytes of a partial batch"
    return batches


def _parse(raw):
    base, _, magic, timestamp = struct.unpack_from("<qibq", raw)
    at = 25 if magic == 2 else 21
    (crc,) = struct.unpack_from("<I", raw, at)
    fields = struct.unpack_from("<hbiqii", raw, at + 4)
    end = at + 4 + struct.calcsize("<hbiqii")
    statistics = b""
    if magic >= 1:
        (length,) = struct.unpack_from("<i", raw, end)
        statistics = raw[end + 4 : end + 4 + length]
        end += 4 + length
    valid = crc32c(raw[at + 4 :]) == crc
    return Batch(base, magic, timestamp, crc, *fields, statistics, raw[end:], valid)


def rows(records, schema) -> list:
    """All rows of the complete batches, as dicts."""
    return [row for b in split(records) if b.count for row in b.table(schema).to_pylist()]
