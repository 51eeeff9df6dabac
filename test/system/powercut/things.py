"""Tables and buckets of the traffic. What batch number i of a bucket holds follows from the bucket and i."""

import random

import pyarrow as pa
from harness import batches, kv, tables, wire

COLUMNS = {"id": tables.INT, "number": tables.BIGINT, "text": tables.STRING}
KEYS = 40
DATABASE = "fluss"


class Thing:
    """A log table ("log"), one with partitions ("parts"), or with a primary key ("rows")."""

    def __init__(self, name, kind, cluster, seed):
        self.name, self.kind, self.cluster, self.seed = name, kind, cluster, seed
        self.table, self.buckets, self.writer = None, {}, None
        self.partitions = {}  # name -> id

    def create(self, writer):
        self.writer = writer
        options = {"buckets": 2, "properties": kv.PLAIN}
        if self.kind == "rows":
            self.table = kv.KvTable.create(self.cluster, DATABASE, self.name, COLUMNS, ["id"], buckets=2)
        elif self.kind == "parts":
            columns = {**tables.SMALL, "part": tables.STRING}
            self.table = tables.Table.create(
                self.cluster, DATABASE, self.name, columns, partition_key=["part"], **options
            )
        else:
            self.table = tables.Table.create(self.cluster, DATABASE, self.name, tables.SMALL, **options)
        self.refresh()
        return self

    def refresh(self):
        """The buckets there are now."""
        places = self.partitions.values() if self.kind == "parts" else [None]
        known = {(p, b) for p in places for b in (0, 1)}
        self.buckets = {p: self.buckets.get(p) or Bucket(self, *p) for p in sorted(known, key=str)}


class Bucket:
    """`count`: batches sent so far."""

    def __init__(self, thing, partition, index):
        self.thing, self.partition, self.index = thing, partition, index
        self.key = f"{thing.table.id}/{partition}/{index}"
        self.count = 0
        self.made = {}

    def chance(self, number):
        return random.Random(f"{self.thing.seed} {self.key} {number}")

    @property
    def api(self):
        return "PUT_KV" if self.thing.kind == "rows" else "PRODUCE_LOG"

    def records(self, number):
        """Of a primary-key table: rows, and keys to delete."""
        chance = self.chance(number)
        out = []
        for i in range(chance.choice([1, 3, 10])):
            key = chance.randrange(KEYS // 2) * 2 + self.index
            text = f"row {number} {i}" + "x" * chance.choice([0, 0, 20, 3000])
            out.append((key,) if chance.random() < 0.2 else [key, number * 100 + i, text])
        return out

    def batch(self, number):
        """Kept, since checksums cost time here."""
        if number not in self.made:
            header = {"writer_id": self.thing.writer, "sequence": number}
            if self.thing.kind == "rows":
                self.made[number] = self.thing.table.batch(*self.records(number), **header)
            else:
                self.made[number] = self._rows(number, header)
        return self.made[number]

    def _rows(self, number, header):
        count = self.chance(number).choice([1, 5, 20, 200])
        rows = tables.small_rows(number * 1000, count)
        if self.thing.kind == "parts":
            rows = rows.append_column("part", pa.array(["p"] * count))
        return batches.arrow_batch(rows, **header)

    def request(self, number, acks=-1):
        make = self.thing.table.put_fields if self.thing.kind == "rows" else self.thing.table.produce_fields
        return make(self.batch(number), bucket=self.index, partition=self.partition, acks=acks)

    def where(self):
        return {"bucket": self.index, "partition": self.partition}

    def states(self, count):
        """Of a primary-key table: {key: row} after each of the first `count` batches."""
        rows, out = {}, [{}]
        for number in range(count):
            for record in self.records(number):
                rows.pop(record[0], None)
                if isinstance(record, list):
                    rows[record[0]] = record
            out.append(dict(rows))
        return out


def read_all(connection, buckets):
    """The raw logs of buckets from the begin to what readers see now: {key: bytes}."""
    out = {b.key: bytearray() for b in buckets}
    at = {b.key: 0 for b in buckets}
    left = list(buckets)
    while left:
        requests = {}
        for b in left:
            entry = {"bucket_id": b.index, "fetch_offset": at[b.key], "max_fetch_bytes": 8 << 20}
            if b.partition is not None:
                entry["partition_id"] = b.partition
            requests.setdefault(b.thing.table.id, []).append((b, entry))
        asked = [
            {"table_id": t, "projection_pushdown_enabled": False, "buckets_req": [e for _, e in listed]}
            for t, listed in requests.items()
        ]
        answer = connection.call(
            "FETCH_LOG", follower_server_id=wire.CLIENT, max_bytes=64 << 20, tables_req=asked
        )
        left = []
        for table in answer.tables_resp:
            waiting = {(b.partition, b.index): b for b, _ in requests[table.table_id]}
            for got in table.buckets_resp:
                b = waiting[got.partition_id if got.HasField("partition_id") else None, got.bucket_id]
                assert not got.HasField("error_code"), f"{b.key}: {got}"
                out[b.key] += got.records
                if got.records:
                    at[b.key] = ends(got.records)[-1]
                    left.append(b)
    return {k: bytes(v) for k, v in out.items()}


def ends(raw):
    """The offset behind each batch."""
    out, at = [], 0
    while at < len(raw):
        out.append(int.from_bytes(raw[at : at + 8], "little") + 1)
        size = 12 + int.from_bytes(raw[at + 8 : at + 12], "little")
        delta_at = at + {0: 28, 1: 28, 2: 32}[raw[at + 12]]
        out[-1] += int.from_bytes(raw[delta_at : delta_at + 4], "little", signed=True)
        at += size
    assert at == len(raw), "a partial batch"
    return out
