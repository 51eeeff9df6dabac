"""The data directory that is damaged, and what is in it."""

import struct
from dataclasses import dataclass, field
from pathlib import Path

from harness import batches, kv, process, snapshots, tables, wire

OPTIONS = {
    "log.segment.file-size": "32kb",
    "log.index.interval-size": "1kb",
    "log.flush.offset.checkpoint-interval": "50 ms",
    "log.replica.high-watermark.checkpoint-interval": "50 ms",
    "kv.snapshot.interval": "1h",
    "eider.shards": "1",
}
LOG, KEYED = "log", "keyed"
BUCKETS, BATCHES = 4, 150
KEYED_BUCKETS, KEYS, WRITES = 4, 400, 30
COLUMNS = {"id": tables.INT, "text": tables.STRING}
HEADER_BYTES = 12  # base offset and length


@dataclass
class Batch:
    table: str
    bucket: int
    base: int
    path: str
    start: int
    raw: bytes

    @property
    def end(self):
        return self.start + len(self.raw)


@dataclass
class Origin:
    directory: Path
    ends: dict = field(default_factory=dict)  # (table, bucket): offset
    batches: dict = field(default_factory=dict)  # (table, bucket): {base offset: Batch}
    stored: dict = field(default_factory=dict)  # path of a log file: [Batch], in order
    values: dict = field(default_factory=dict)  # bucket: {key: value}, of the keyed table

    def files(self):
        found = sorted(p for p in self.directory.rglob("*") if p.is_file() and p.stat().st_size)
        return [str(p.relative_to(self.directory)) for p in found]


def fill_log(cluster, origin):
    table = tables.Table.create(cluster, "fluss", LOG, tables.SMALL, buckets=BUCKETS)
    for bucket in range(BUCKETS):
        writer = cluster.tablet.call("INIT_WRITER").writer_id
        offset = 0
        for sequence in range(BATCHES):
            idempotent = {"writer_id": writer, "sequence": sequence} if bucket % 2 else {}
            rows = tables.small_rows(bucket * 1_000_000 + offset, 1 + (sequence * 7 + bucket) % 40)
            assert table.append(batches.arrow_batch(rows, **idempotent), bucket=bucket) == offset
            offset += rows.num_rows
        origin.ends[LOG, bucket] = offset


def fill_keyed(table, origin, numbers):
    """Some writes, the later ones upon the earlier."""
    for number in numbers:
        for bucket in range(KEYED_BUCKETS):
            slots = {(number * 37 + i * 11) % (KEYS // KEYED_BUCKETS) for i in range(20)}
            keys = [slot * KEYED_BUCKETS + bucket for slot in sorted(slots)]
            rows = [[k, f"{number} of {k} " + "x" * (k % 60)] for k in keys]
            gone = {k for k in keys if (k + number) % 9 == 0}
            records = [(k,) if k in gone else [k, text] for k, text in rows]
            origin.ends[KEYED, bucket] = table.write(*records, bucket=bucket)
            known = origin.values.setdefault(bucket, {})
            known |= {k: None if k in gone else table.value(k, text) for k, text in rows}


def locate(origin):
    for path in sorted(origin.directory.rglob("log-*/*.log")):
        table, bucket = path.parent.parent.name.split("-")[0], int(path.parent.name.removeprefix("log-"))
        data, at, name = path.read_bytes(), 0, str(path.relative_to(origin.directory))
        while at < len(data):
            base, size = struct.unpack_from("<qi", data, at)
            batch = Batch(table, bucket, base, name, at, data[at : at + HEADER_BYTES + size])
            origin.stored.setdefault(name, []).append(batch)
            origin.batches.setdefault((table, bucket), {})[base] = batch
            at = batch.end


def make(workdir):
    often = {"kv.snapshot.interval": "300ms", "kv.snapshot.num-retained": "2"}
    server = process.Server(workdir, options={**OPTIONS, **often}).start()
    origin, cluster = Origin(server.data_dir), wire.Cluster(server.address)
    fill_log(cluster, origin)
    table = kv.KvTable.create(cluster, "fluss", KEYED, COLUMNS, ["id"], buckets=KEYED_BUCKETS)
    for numbers in (range(WRITES), range(WRITES, WRITES + 5)):  # two snapshots are kept
        fill_keyed(table, origin, numbers)
        for bucket in range(KEYED_BUCKETS):
            snapshots.wait(table, origin.ends[KEYED, bucket], bucket)
    fill_keyed(table, origin, range(WRITES + 5, WRITES + 7))  # perhaps without one
    cluster.close()
    server.terminate()
    locate(origin)
    return origin
