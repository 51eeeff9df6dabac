"""A recorded run: tables made and dropped, written and read, the server killed and stopped in between."""

import os
import random
import shutil
import signal
import time
import zlib
from pathlib import Path

from harness import process, wire

from . import disk, record, things

OPTIONS = {
    "eider.shards": "2",
    "log.segment.file-size": "64kb",
    "log.index.interval-size": "1kb",
    "kv.snapshot.interval": "150ms",
    "eider.kv.memory": "8mb",
    "log.replica.high-watermark.checkpoint-interval": "100ms",
    "log.flush.offset.checkpoint-interval": "300ms",
}
START_S = 60  # of which milliseconds are used; machines are busy
DEPTH = 5  # batches of a bucket under way, no more than an idempotent writer may have
NAMES = {"log": ["l0", "l1", "l2"], "parts": ["p0", "p1"], "rows": ["r0", "r1", "r2"]}


class Run:
    """`place`: a folder that is made. It has afterwards root/, the disk as the program saw it, and record.
    `before`: (image, run, knowledge): the disk is what a power cut left of another run.
    `disk`: a folder to use instead of root/, as it is; the record has the marks of the clients only."""

    def __init__(self, place, seed, before=None, disk=None):
        self.place, self.seed, self.chance = Path(place), seed, random.Random(seed)
        self.root, self.file = disk or self.place / "root", self.place / "record"
        self.place.mkdir(parents=True)
        self.root.mkdir(exist_ok=True)
        self.mark = record.Marker(self.file)
        self.start = before[0] if before else None
        if self.start:
            shutil.copytree(self.start, self.root, dirs_exist_ok=True)
        self.server = process.Server(
            self.place,
            options=OPTIONS,
            data_dir=self.root / "data",
            environment={} if disk else self.recorder(),
        )
        self.things = {}
        self.waiting = []
        self.logs = {}  # key of a bucket: its raw log, when all is over
        self.buckets = {}  # key: bucket, also of what was dropped
        self.made = {}  # id of a table: Thing
        self.unsure = None
        if before:
            self.inherit(*before[1:])
        self.mark("inodes", {str(p): p.stat().st_ino for p in [self.root, *self.root.rglob("*")]})

    def recorder(self):
        return {
            **process.preloaded("record"),
            "RECORD_ROOT": str(self.root),
            "RECORD_FILE": str(self.file),
            "RECORD_SYNC_US": str(self.chance.choice([0, 300, 3000])),
            "RECORD_SEED": str(zlib.crc32(str(self.seed).encode())),
        }

    # ---- the server ----

    def up(self):
        self.server.start(START_S)
        self.cluster = wire.Cluster(self.server.address)
        if self.unsure:
            self.settle(self.unsure)
        for thing in self.things.values():
            thing.cluster = thing.table.cluster = self.cluster
            thing.table.open(partitioned=thing.kind == "parts")
        self.resync()

    def resync(self):
        """What was sent and did not arrive will be sent again, with its number."""
        self.waiting = []
        for key, raw in things.read_all(self.cluster.tablet, self.live()).items():
            found = things.ends(raw)
            self.buckets[key].count = len(found)
            self.mark("sent", key, len(found))
            self.mark("seen", key, found[-1] if found else 0)

    def down(self):
        self.cluster.close()
        if self.chance.random() < 0.5:
            self.kill()
        else:
            self.server.terminate()

    def kill(self):
        """SIGKILL, but not between a change and its entry in the record."""
        os.kill(self.server.pid, signal.SIGUSR2)
        self.server.process.wait()
        self.server.process.stdout.close()

    # ---- after a power cut ----

    def inherit(self, run, known):
        """What was promised before the power cut is promised still."""
        for name, words in known.tables.items():
            self.mark("table", name, *words)
            if words[0] in ("there", "dropping"):
                earlier = run.made[words[2]]
                thing = self.things[name] = things.Thing(name, words[1], None, earlier.seed)
                thing.table, thing.writer = earlier.table, earlier.writer
        for full, words in known.parts.items():
            self.mark("part", full, *words)
            name, part = full.split("/")
            if words[0] in ("there", "dropping"):
                self.things[name].partitions[part] = words[1]
        for what in ("sent", "acked", "seen"):
            for key, value in getattr(known, what).items():
                self.mark(what, key, value)
        for thing in self.things.values():
            self.note(thing)
        self.unsure = known

    def settle(self, known):
        """Were tables and partitions created, were they dropped? What a client sees now is so."""
        self.unsure = None
        call = self.cluster.coordinator.call
        listed = set(call("LIST_TABLES", database_name=things.DATABASE).table_name)
        for name, words in known.tables.items():
            if words[0] == "creating" and name in listed:
                path = {"database_name": things.DATABASE, "table_name": name}
                call("DROP_TABLE", table_path=path, ignore_if_not_exists=False)
            if words[0] == "creating" or words[0] == "dropping" and name not in listed:
                self.things.pop(name, None)
                self.mark("table", name, "gone")
            elif words[0] == "dropping":
                self.mark("table", name, "there", *words[1:])
        for full, words in known.parts.items():
            name, part = full.split("/")
            if name not in self.things or words[0] not in ("creating", "dropping"):
                continue
            found = call("LIST_PARTITION_INFOS", table_path=self.things[name].table.path).partitions_info
            ids = {p.partition_spec.partition_key_values[0].value: p.partition_id for p in found}
            if part in ids:
                self.things[name].partitions[part] = ids[part]
                self.mark("part", full, "there", ids[part])
            else:
                self.things[name].partitions.pop(part, None)
                self.mark("part", full, "gone")
            self.note(self.things[name])

    # ---- what clients do ----

    def live(self):
        return [b for t in self.things.values() for b in t.buckets.values()]

    def step(self):
        what = self.chance.random()
        if what < 0.78:
            self.send(self.chance.randrange(1, 6))
        elif what < 0.84:
            self.look()
        elif what < 0.89:
            time.sleep(self.chance.uniform(0, 0.05))
        elif what < 0.95:
            self.partition()
        else:
            self.change_tables()
        while len(self.waiting) > self.chance.randrange(12):
            self.take()

    def send(self, count):
        for _ in range(count):
            bucket = self.chance.choice(self.live())
            if sum(b is bucket for b, *_ in self.waiting) >= DEPTH:
                continue
            acks = self.chance.choice([-1, -1, -1, 1])
            bucket.batch(bucket.count)
            self.mark("sent", bucket.key, bucket.count + 1)
            sent = self.cluster.tablet.send(bucket.api, **bucket.request(bucket.count, acks))
            bucket.count += 1
            self.waiting.append((bucket, sent, bucket.count, acks))

    def take(self):
        bucket, sent, count, acks = self.waiting.pop(0)
        answer = self.cluster.tablet.result(bucket.api, sent).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        if acks == -1:
            self.mark("acked", bucket.key, count)

    def drain(self):
        while self.waiting:
            self.take()

    def look(self):
        """What a reader has seen is a promise as well."""
        bucket = self.chance.choice(self.live())
        self.mark("seen", bucket.key, bucket.thing.table.offset(1, **bucket.where()))

    def create(self, name, kind):
        self.mark("table", name, "creating", kind)
        writer = self.cluster.tablet.call("INIT_WRITER").writer_id
        thing = self.things[name] = things.Thing(name, kind, self.cluster, self.seed)
        thing.create(writer)
        self.note(thing)
        self.mark("table", name, "there", kind, thing.table.id, writer, thing.table.json())

    def note(self, thing):
        thing.refresh()
        self.made[thing.table.id] = thing
        self.buckets.update({b.key: b for b in thing.buckets.values()})

    def change_tables(self):
        kind = self.chance.choice(list(NAMES))
        name = self.chance.choice(NAMES[kind])
        if name not in self.things:
            self.create(name, kind)
        elif name[1] != "0":
            self.keep(self.things[name].buckets.values())
            thing = self.things.pop(name)
            self.mark("table", name, "dropping")
            path = thing.table.path
            self.cluster.coordinator.call("DROP_TABLE", table_path=path, ignore_if_not_exists=False)
            self.mark("table", name, "gone")

    def partition(self):
        found = [t for t in self.things.values() if t.kind == "parts"]
        thing, name = self.chance.choice(found), self.chance.choice("abc")
        full = f"{thing.name}/{name}"
        if name not in thing.partitions:
            self.mark("part", full, "creating")
            thing.partitions[name] = thing.table.add_partition(part=name)
            self.note(thing)
            self.mark("part", full, "there", thing.partitions[name])
            return
        self.keep([b for b in thing.buckets.values() if b.partition == thing.partitions[name]])
        del thing.partitions[name]
        thing.refresh()
        self.mark("part", full, "dropping")
        spec = {"partition_key_values": [{"key": "part", "value": name}]}
        self.cluster.coordinator.call(
            "DROP_PARTITION", table_path=thing.table.path, partition_spec=spec, ignore_if_not_exists=False
        )
        self.mark("part", full, "gone")

    def keep(self, buckets):
        """The logs of what will be dropped: all of it, also what was acknowledged before it was durable."""
        self.drain()
        buckets, end = list(buckets), time.monotonic() + START_S
        while True:
            found = things.read_all(self.cluster.tablet, buckets)
            if all(len(things.ends(found[b.key])) == b.count for b in buckets):
                break
            assert time.monotonic() < end, "batches are missing or doubled"
        self.logs.update(found)

    # ---- the whole ----

    def first_tables(self):
        for kind, names in NAMES.items():
            if names[0] not in self.things:
                self.create(names[0], kind)

    def play(self, lives=3, steps=60):
        try:
            for life in range(lives):
                self.up()
                self.first_tables()
                for _ in range(steps):
                    self.step()
                if life < lives - 1:
                    self.down()
            self.finish()
        finally:
            if self.server.running():
                self.server.kill()
        self.server.check_stderr()
        return self

    def finish(self):
        self.keep(self.live())
        self.cluster.close()
        self.kill()
        self.mark.close()
        self.check_record()

    def check_record(self):
        """Replayed in full, the record must give the directory that is there."""
        entries = record.load(self.file)
        replayed = disk.Disk(self.start, entries, self.root)
        image = self.place / "replayed"
        image.mkdir()
        replayed.play(len(entries))
        replayed.image(image, "ordered", 0)
        assert contents(image) == contents(self.root), "the recorder has missed something"
        shutil.rmtree(image)


def contents(root):
    """{path: bytes}, without what RocksDB writes through stdio."""
    return {
        str(p.relative_to(root)): p.read_bytes() if p.is_file() else None
        for p in root.rglob("*")
        if not p.name.startswith("LOG")
    }


def scratch():
    """Where images are made: memory, when there is enough."""
    shm = Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 1 << 30:
        return shm
    return None
