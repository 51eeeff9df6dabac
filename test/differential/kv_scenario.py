"""Steps that scenarios on primary-key tables share."""

from harness import batches
from harness.kv import KvTable
from harness.tables import BIGINT, INT, STRING

SMALL = {"k": INT, "v": STRING, "w": BIGINT}


def create(side, name="t", columns=SMALL, key=("k",), **options):
    return KvTable.create(side.cluster, side.db, name, columns, list(key), **options)


def put(side, table, label, *records, version=1, schema_id=1, header=None, **where):
    """A list upserts a row, a tuple deletes a key."""
    batch = table.batch(*records, schema_id=schema_id, **(header or {}))
    label = f"{table.path['table_name']} {label}"
    return side.ask("PUT_KV", label=label, version=version, **table.put_fields(batch, **where))


def lookup(side, table, label, *keys, version=1, **where):
    label = f"{table.path['table_name']} {label}"
    side.ask("LOOKUP", label=label, version=version, **table.lookup_fields(*keys, **where))


def prefixes(side, table, label, *keys, version=1, **where):
    label = f"{table.path['table_name']} {label}"
    fields = table.lookup_fields(*keys, prefix=True, **where)
    side.ask("PREFIX_LOOKUP", label=label, version=version, **fields)


def changelog(side, table, label="", raw=True, **where):
    """Every batch of the changelog: its header, its changes as rows and, with `raw`, its bytes."""
    records = table.records(bucket_bytes=32 << 20, **where)
    for batch in batches.split(records, whole=True):
        seen = side.batch(batch)
        if not raw:
            del seen["body"]
        seen["crc_valid"] = batch.crc_valid
        rows = [repr(change) for change in table.decode(batch)]
        where_found = f"{table.path['table_name']} {label} {batch.base_offset}"
        side.note(f"changelog {where_found}", {**seen, "rows": rows})


def contents(side, table, limit=1000, raw=True, **where):
    """All that clients can see of a bucket: changelog, rows, row count and end."""
    changelog(side, table, raw=raw, **where)
    name = table.path["table_name"]
    side.ask("LIMIT_SCAN", label=name, **table.scan_fields(limit, **where))
    side.ask("GET_TABLE_STATS", label=name, **stats_fields(table, **where))
    side.note(f"end of {name}", table.offset(1, **where))


def stats_fields(table, bucket=0, partition=None):
    entry = {"bucket_id": bucket}
    if partition is not None:
        entry["partition_id"] = partition
    return {"table_id": table.id, "buckets_req": [entry]}
