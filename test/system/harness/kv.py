"""Primary-key tables through the raw protocol: what a client's upsert writer and lookuper send.

A record of a batch is a list (the row to upsert) or a tuple (the key values of a row to delete).
"""

import json
import struct

import pyarrow as pa

from . import batches, rows, tables

KINDS = ["+A", "+I", "-U", "+U", "-D"]
OVERWRITE = 1
PLAIN = {"table.log.arrow.compression.type": "NONE"}  # so that changelogs can be compared as bytes

CHAR = {"type": "CHAR", "length": 5}
BINARY = {"type": "BINARY", "length": 3}


def simple(name, **more):
    return {"type": name, **more}


def decimal(precision, scale):
    return simple("DECIMAL", precision=precision, scale=scale)


def timestamp(precision, local=False):
    return simple(f"TIMESTAMP_WITH{'_LOCAL' if local else 'OUT'}_TIME_ZONE", precision=precision)


def time_of_day(precision=0):
    return simple("TIME_WITHOUT_TIME_ZONE", precision=precision)


def pack(records, schema_id=1, writer_id=-1, sequence=-1, count=None):
    """A whole KV batch; records are (key, row or None) as bytes."""
    body = b""
    for key, row in records:
        content = rows.sized(key) + (row or b"")
        body += struct.pack("<i", len(content)) + content
    count = len(records) if count is None else count
    covered = struct.pack("<hbqii", schema_id, 0, writer_id, sequence, count) + body
    return struct.pack("<ibI", 5 + len(covered), 0, batches.crc32c(covered)) + covered


def values(raw):
    """The values in a value batch, as a limit scan returns them."""
    length, magic, count = struct.unpack_from("<ibi", raw)
    assert length == len(raw) - 4 and magic == 0, raw.hex()
    out, at = [], 9
    for _ in range(count):
        (size,) = struct.unpack_from("<i", raw, at)
        out.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(raw), raw.hex()
    return out


ARROW = {
    "BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(),
    "BIGINT": pa.int64(), "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "CHAR": pa.string(),
    "STRING": pa.string(), "BYTES": pa.binary(), "DATE": pa.date32(),
}  # fmt: skip


def arrow_type(data_type):
    root = rows.kind(data_type)
    if root in ("TIMESTAMP", "TIME_WITHOUT_TIME_ZONE"):
        precision = data_type.get("precision", 6 if root == "TIMESTAMP" else 0)
        unit = ["s", "ms", "us", "ns"][(precision + 2) // 3]
        if root == "TIMESTAMP":
            return pa.timestamp(unit)
        return pa.time32(unit) if precision <= 3 else pa.time64(unit)
    if root == "DECIMAL":
        return pa.decimal128(data_type["precision"], data_type["scale"])
    if root == "BINARY":
        return pa.binary(data_type["length"])
    if root == "ARRAY":
        return pa.list_(arrow_type(data_type["element_type"]))
    if root == "MAP":
        return pa.map_(arrow_type(data_type["key_type"]), arrow_type(data_type["value_type"]))
    if root == "ROW":
        return pa.struct([(f["name"], arrow_type(f["field_type"])) for f in data_type["fields"]])
    return ARROW[root]


class KvTable(tables.Table):
    """A primary-key table. `encoding`: how clients encode its keys (None, "paimon" or "iceberg")."""

    @classmethod
    def create(cls, cluster, db, name, columns, key, encoding=None, **options):
        properties = {**PLAIN, **options.pop("properties", {})}
        partition_key = options.get("partition_key", ())
        options.setdefault("bucket_key", [c for c in key if c not in partition_key])
        table = super().create(
            cluster, db, name, columns, None, primary_key=key, properties=properties, **options
        )
        table.columns = {1: list(columns.items())}
        table.key = [c for c in key if c not in partition_key]
        table.encode = rows.KEYS[encoding]
        table.form = properties.get("table.kv.format", "COMPACTED").upper()
        table.log_form = properties.get("table.log.format", "ARROW").upper()
        return table

    def _led(self, buckets, partition=None):
        """The rows of a bucket may be there later than its log."""
        return super()._led(buckets, partition) and all(
            self._has_rows(b.bucket_id, partition) for b in buckets
        )

    def _has_rows(self, bucket, partition):
        entry = {"bucket_id": bucket, "keys": [b"?"]}
        if partition is not None:
            entry["partition_id"] = partition
        answer = self.cluster.tablet.call("LOOKUP", version=1, table_id=self.id, buckets_req=[entry])
        return not answer.buckets_resp[0].HasField("error_code")

    def types(self, schema_id=1):
        return [t for _, t in self.columns[schema_id]]

    def key_bytes(self, *key, columns=None):
        known = dict(self.columns[1])
        columns = self.key if columns is None else columns
        return self.encode([known[c] for c in columns], key)

    def prefix(self, *key):
        """The leading key columns, which are always encoded compactly."""
        known = dict(self.columns[1])
        return rows.compacted_key([known[c] for c in self.key[: len(key)]], key)

    def record(self, record, schema_id=1):
        if isinstance(record, tuple):
            return self.key_bytes(*record), None
        names = [n for n, _ in self.columns[schema_id]]
        key = [record[names.index(c)] for c in self.key]
        return self.key_bytes(*key), rows.row(self.types(schema_id), record, self.form)

    def batch(self, *records, schema_id=1, **header):
        return pack([self.record(r, schema_id) for r in records], schema_id, **header)

    def put_fields(self, records, bucket=0, acks=-1, partition=None, target=(), mode=None, timeout_ms=60_000):
        """`records`: a whole batch. `target`: positions of columns."""
        fields = self.produce_fields(records, bucket, acks, partition, timeout_ms)
        if mode is not None:
            fields["agg_mode"] = mode
        return {**fields, "target_columns": list(target)}

    def put(self, *records, connection=None, version=1, schema_id=1, header=None, **where):
        """Sends one batch; the answer for its bucket."""
        connection = connection or self.cluster.tablet
        fields = self.put_fields(self.batch(*records, schema_id=schema_id, **(header or {})), **where)
        return connection.call("PUT_KV", version=version, **fields).buckets_resp[0]

    def write(self, *records, **where) -> int:
        """Like put, must succeed; returns the end of the changelog."""
        answer = self.put(*records, **where)
        assert not answer.HasField("error_code"), answer
        return answer.log_end_offset

    def lookup_fields(self, *keys, bucket=0, partition=None, prefix=False, **more):
        """Each key is a tuple of values."""
        encoded = [self.prefix(*k) if prefix else self.key_bytes(*k) for k in keys]
        entry = {"bucket_id": bucket, "keys": encoded}
        if partition is not None:
            entry["partition_id"] = partition
        return {"table_id": self.id, "buckets_req": [entry], **more}

    def lookup(self, *keys, connection=None, **where):
        """The stored value of each key, None where there is none."""
        connection = connection or self.cluster.tablet
        answer = connection.call("LOOKUP", version=1, **self.lookup_fields(*keys, **where)).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        return [v.values if v.HasField("values") else None for v in answer.values]

    def prefix_lookup(self, *prefixes, connection=None, **where):
        """The stored values of each prefix in the order of their keys."""
        connection = connection or self.cluster.tablet
        fields = self.lookup_fields(*prefixes, prefix=True, **where)
        answer = connection.call("PREFIX_LOOKUP", version=1, **fields).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        return [list(one.values) for one in answer.value_lists]

    def scan_fields(self, limit, bucket=0, partition=None):
        fields = {"table_id": self.id, "bucket_id": bucket, "limit": limit}
        return fields if partition is None else {**fields, "partition_id": partition}

    def limit_scan(self, limit, connection=None, **where):
        connection = connection or self.cluster.tablet
        answer = connection.call("LIMIT_SCAN", **self.scan_fields(limit, **where))
        assert not answer.HasField("error_code"), answer
        return values(answer.records)

    def value(self, *row, schema_id=1):
        """What a lookup returns for this row."""
        return struct.pack("<h", schema_id) + rows.row(self.types(schema_id), list(row), self.form)

    def changes(self, columns=None, **options):
        """The changelog as (offset, kind, row as a list); rows of row formats as bytes."""
        out = []
        for batch in batches.split(self.records(columns=columns, bucket_bytes=32 << 20, **options)):
            out += self.decode(batch, columns)
        return out

    def decode(self, batch, columns=None):
        if not batch.count:
            return []
        listed = self._rows_of_arrow(batch, columns) if self.log_form == "ARROW" else _rows_of(batch)
        return [(batch.base_offset + i, KINDS[kind], row) for i, (kind, row) in enumerate(listed)]

    def _rows_of_arrow(self, batch, columns):
        chosen = self.columns[batch.schema_id]
        if columns is not None:
            chosen = [chosen[i] for i in columns]
        data = batch.table(pa.schema([(n, arrow_type(t)) for n, t in chosen]))
        return zip(batch.body, [list(r.values()) for r in data.to_pylist()])

    def add_column(self, name, data_type):
        """ADD COLUMN; returns the id of the new schema."""
        column = {
            "column_name": name,
            "data_type_json": json.dumps(data_type).encode(),
            "column_position_type": 0,
        }
        self.cluster.coordinator.call(
            "ALTER_TABLE", table_path=self.path, ignore_if_not_exists=False, add_columns=[column]
        )
        newest = max(self.columns)
        self.columns[newest + 1] = [*self.columns[newest], (name, data_type)]
        return newest + 1


def _rows_of(batch):
    """The records of a COMPACTED or INDEXED batch: (kind, row bytes)."""
    at = 0
    for _ in range(batch.count):
        (size,) = struct.unpack_from("<i", batch.body, at)
        yield batch.body[at + 4], batch.body[at + 5 : at + 4 + size].hex()
        at += 4 + size
