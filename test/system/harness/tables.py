"""Tables through the raw protocol: descriptors, creation, waiting until every bucket is led."""

import itertools
import json

import pyarrow as pa

from . import patience, wire
from .wire import CLIENT

INT = {"type": "INTEGER"}
BIGINT = {"type": "BIGINT"}
STRING = {"type": "STRING"}
DOUBLE = {"type": "DOUBLE"}


def array(element):
    return {"type": "ARRAY", "element_type": element}


def map_of(key, value):
    return {"type": "MAP", "key_type": {**key, "nullable": False}, "value_type": value}


def row(**fields):
    """A row type; descriptor() gives its fields their ids."""
    return {"type": "ROW", "fields": [{"name": n, "field_type": t} for n, t in fields.items()]}


def _numbered(data_type, ids):
    """The type with ids for its nested fields, in depth-first order."""
    out = dict(data_type)
    for key in ("element_type", "key_type", "value_type"):
        if key in out:
            out[key] = _numbered(out[key], ids)
    if "fields" in out:
        out["fields"] = [dict(f) for f in out["fields"]]
        for field in out["fields"]:
            field["field_id"] = next(ids)
            field["field_type"] = _numbered(field["field_type"], ids)
    return out


def descriptor(
    columns,
    *,
    buckets=1,
    bucket_key=None,
    partition_key=(),
    primary_key=None,
    properties=None,
    custom=None,
    comment=None,
    aggregates=None,
    auto_increment=None,
) -> dict:
    """`columns`: {name: data type object}; `aggregates`: {name: function object}."""
    ids = itertools.count()
    listed = [{"name": n, "data_type": t, "id": next(ids)} for n, t in columns.items()]
    for column in listed:
        column["data_type"] = _numbered(column["data_type"], ids)
        if column["name"] in (primary_key or ()):
            column["data_type"]["nullable"] = False
        if column["name"] in (aggregates or ()):
            column["agg_function"] = aggregates[column["name"]]
    schema = {"version": 1, "columns": listed, "highest_field_id": next(ids) - 1}
    if primary_key:
        schema["primary_key"] = list(primary_key)
    if auto_increment is not None:
        schema["auto_increment_column"] = [auto_increment]
    table = {
        "version": 1,
        "schema": schema,
        "partition_key": list(partition_key),
        "properties": dict(properties or {}),
        "custom_properties": dict(custom or {}),
    }
    if comment is not None:
        table["comment"] = comment
    if buckets is not None:
        table["bucket_count"] = buckets
    if bucket_key is not None or buckets is not None:
        table["bucket_key"] = list(bucket_key or ())
    return table


def path(db, name):
    return {"database_name": db, "table_name": name}


class Table:
    """A table of one database, as the raw protocol sees it."""

    def __init__(self, cluster, db, name, schema=None):
        self.cluster = cluster
        self.path = path(db, name)
        self.schema = schema
        self.id = None
        self.partitions = {}

    @classmethod
    def create(cls, cluster, db, name, columns, schema=None, **options):
        table = cls(cluster, db, name, schema)
        body = json.dumps(descriptor(columns, **options)).encode()
        cluster.coordinator.call(
            "CREATE_TABLE", table_path=table.path, table_json=body, ignore_if_exists=False
        )
        return table.open(partitioned=bool(options.get("partition_key")))

    def open(self, partitioned=False):
        """Waits until the table is known and each bucket has a leader that answers."""
        text = f"{self.path} has no leaders on {self.cluster.bootstrap}"
        patience.until(lambda: self._ready(partitioned), text)
        return self

    def _metadata(self, **more):
        try:
            return self.cluster.tablet.call("GET_METADATA", table_path=[self.path], **more)
        except wire.ErrorReply:
            return None  # the tablet server has not heard of it yet

    def _ready(self, partitioned):
        answer = self._metadata()
        if answer is None or not answer.table_metadata:
            return False
        self.id = answer.table_metadata[0].table_id
        return partitioned or self._led(answer.table_metadata[0].bucket_metadata)

    def _led(self, buckets, partition=None):
        if not buckets or not all(b.HasField("leader_id") for b in buckets):
            return False
        answer = self.offsets(1, *[b.bucket_id for b in buckets], partition=partition)
        return not any(b.HasField("error_code") for b in answer.buckets_resp)

    def add_partition(self, **spec) -> int:
        """Creates a partition and waits for its buckets; returns its id."""
        self.cluster.coordinator.call(
            "CREATE_PARTITION",
            table_path=self.path,
            partition_spec=_spec(spec),
            ignore_if_not_exists=False,
        )
        return self.open_partition("$".join(spec.values()))

    def open_partition(self, name) -> int:
        def ready():
            answer = self._metadata(partitions_path=[{**self.path, "partition_name": name}])
            if answer is None or not answer.partition_metadata:
                return False
            found = answer.partition_metadata[0]
            self.partitions[name] = found.partition_id
            return self._led(found.bucket_metadata, found.partition_id)

        patience.until(ready, f"partition {name} of {self.path} has no leaders")
        return self.partitions[name]

    def offsets(self, kind, *buckets, partition=None, timestamp=None):
        """kind: 0 earliest, 1 latest, 2 by timestamp."""
        fields = {"partition_id": partition, "startTimestamp": timestamp}
        return self.cluster.tablet.call(
            "LIST_OFFSETS",
            follower_server_id=CLIENT,
            offset_type=kind,
            table_id=self.id,
            bucket_id=list(buckets or (0,)),
            **{k: v for k, v in fields.items() if v is not None},
        )

    def offset(self, kind, bucket=0, **where) -> int:
        answer = self.offsets(kind, bucket, **where).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        return answer.offset

    def produce_fields(self, records, bucket=0, acks=-1, partition=None, timeout_ms=60_000):
        entry = {"bucket_id": bucket, "records": records}
        if partition is not None:
            entry["partition_id"] = partition
        return {"acks": acks, "table_id": self.id, "timeout_ms": timeout_ms, "buckets_req": [entry]}

    def produce(self, records, connection=None, **where):
        """The answer for the one bucket written."""
        connection = connection or self.cluster.tablet
        answer = connection.call("PRODUCE_LOG", **self.produce_fields(records, **where))
        return answer.buckets_resp[0]

    def append(self, records, **where) -> int:
        """Writes and returns the base offset."""
        answer = self.produce(records, **where)
        assert not answer.HasField("error_code"), answer
        return answer.base_offset

    def fetch_fields(
        self,
        offset=0,
        bucket=0,
        columns=None,
        partition=None,
        max_bytes=16 << 20,
        bucket_bytes=1 << 20,
        wait_ms=None,
        min_bytes=None,
        more_buckets=(),
        **table,
    ):
        entry = {"bucket_id": bucket, "fetch_offset": offset, "max_fetch_bytes": bucket_bytes}
        if partition is not None:
            entry["partition_id"] = partition
        request = {
            "table_id": self.id,
            "projection_pushdown_enabled": columns is not None,
            "projected_fields": list(columns or ()),
            "buckets_req": [entry, *more_buckets],
            **table,
        }
        fields = {"follower_server_id": CLIENT, "max_bytes": max_bytes, "tables_req": [request]}
        if wait_ms is not None:
            fields["max_wait_ms"] = wait_ms
        if min_bytes is not None:
            fields["min_bytes"] = min_bytes
        return fields

    def fetch(self, connection=None, **options):
        """The answer for the one bucket read."""
        connection = connection or self.cluster.tablet
        answer = connection.call("FETCH_LOG", **self.fetch_fields(**options))
        return answer.tables_resp[0].buckets_resp[0]

    def records(self, **options) -> bytes:
        answer = self.fetch(**options)
        assert not answer.HasField("error_code"), answer
        return answer.records

    def await_end(self, offset, bucket=0):
        """Until readers see that much: acknowledged with acks 0 or 1, rows become visible later."""
        patience.until(lambda: self.offset(1, bucket) >= offset, f"the end never reached {offset}")

    def info(self):
        return self.cluster.tablet.call("GET_TABLE_INFO", table_path=self.path)

    def json(self) -> dict:
        return json.loads(self.info().table_json)


def _spec(values):
    return {"partition_key_values": [{"key": k, "value": v} for k, v in values.items()]}


SMALL = {"id": INT, "name": STRING, "score": DOUBLE}
SMALL_ARROW = pa.schema([("id", pa.int32()), ("name", pa.string()), ("score", pa.float64())])


def small_rows(first, count) -> pa.RecordBatch:
    """Rows whose columns can be told from the id alone."""
    ids = list(range(first, first + count))
    return pa.record_batch(
        [
            pa.array(ids, pa.int32()),
            pa.array([None if i % 5 == 4 else f"name {i}" for i in ids], pa.string()),
            pa.array([i / 4 for i in ids], pa.float64()),
        ],
        schema=SMALL_ARROW,
    )
