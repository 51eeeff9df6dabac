"""Rounds of damage, what comes of each, and the table of all: see bitrot/__init__.py."""

import argparse
import collections
import functools
import json
import random
import shutil
import sys
import tempfile
import time
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path

from harness import batches, kv, patience, process, tables, wire

from . import origin as origins
from .origin import KEYED, KEYED_BUCKETS, KEYS, LOG

SECTOR = 512
APART = 3000  # bytes: behind damage a log goes on where the next entry of its index is known to be right
TIME = range(13, 21)  # of a batch: the moment it was appended, which its checksum does not cover
UNREAD = ("LOG", "LOG.old", "IDENTITY", "OPTIONS")  # RocksDB writes these for humans
UNUSED = (".lock", ".syncs_under_way")  # they hold nothing that was stored
AREAS = ("records", "beside", "state", "snapshots", "catalog")
# damages of a round, and how many of a hundred are of that area
SIZE = {"records": 24, "beside": 20, "state": 8, "snapshots": 16, "catalog": 1}
SHARE = {"records": 50, "beside": 20, "state": 10, "snapshots": 10, "catalog": 10}


@dataclass
class Damage:
    path: str
    start: int
    size: int
    hit: list = field(default_factory=list)  # of Batch
    found: bool = False


def area_of(path):
    parts, name = path.split("/"), path.rsplit("/", 1)[-1]
    if name.startswith(UNREAD) and "kv-" in path:
        return None
    if parts[0] == "meta":
        return "catalog"
    if parts[0] == "remote":
        return "snapshots"
    if any(p.startswith("kv-") for p in parts):
        return "state"
    return "records" if name.endswith(".log") else None if name in UNUSED else "beside"


# ---- damage ----


class Vandal:
    """Damages a copy of the origin."""

    def __init__(self, origin, directory, chance):
        self.origin, self.directory, self.chance = origin, directory, chance
        self.damages = []

    def change(self, path, kind, near=None):
        """False: nothing changed there, or it is too near to another damage."""
        file = self.directory / path
        data = bytearray(file.read_bytes())
        if kind == "flip":
            at, size = self.chance.randrange(len(data)), 1
            new = bytes([data[at] ^ 1 << self.chance.randrange(8)])
        else:
            at = self.chance.randrange(len(data)) // SECTOR * SECTOR
            size = min(SECTOR, len(data) - at)
            new = bytes(size)
        damage = Damage(path, at, size, self.hits(path, at, at + size))
        if data[at : at + size] == new or self.neighbours(damage):
            return False
        data[at : at + size] = new
        file.write_bytes(data)
        self.damages.append(damage)
        return True

    def hits(self, path, start, end):
        return [b for b in self.origin.stored.get(path, ()) if b.start < end and b.end > start]

    def neighbours(self, damage):
        """Whether something near it in the log, or its file when it is no log, was hit before."""
        if not damage.hit:
            return any(tied(d.path, damage.path) for d in self.damages)
        start, end = damage.hit[0].start - APART, damage.hit[-1].end + APART
        return any(d.path == damage.path and d.hit[0].start < end and d.hit[-1].end > start for d in self.damages)

    def round(self, area, kind, count):
        files = [p for p in self.origin.files() if area_of(p) == area]
        sizes = [(self.directory / p).stat().st_size for p in files]
        for _ in range(count * 4):
            by_size = area in ("records", "catalog")
            path = self.chance.choices(files, sizes if by_size else None)[0]
            if len(self.damages) < count:
                self.change(path, kind)
        assert self.damages


def tied(one, other):
    """Whether one damage may hide another: that of a snapshot's document hides those of its files."""
    documents = [p for p in (one, other) if p.endswith("/_METADATA")]
    return one == other or bool(documents) and bucket_of(one) == bucket_of(other)


def bucket_of(path):
    """remote/kv/<database>/<table>/<bucket>"""
    return path.split("/")[:5]


# ---- what comes of it ----


def verify(directory):
    done = process.run("verify", directory, "--json", "--threads=1", timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return [f for f in json.loads(done.stdout)["findings"] if f["kind"] != "notice"]


def note_found(damages, findings):
    for damage in damages:
        for f in findings:
            named = f["path"].endswith(damage.path) or damage.path in f["what"]
            state = f["kind"] == "state" and Path(damage.path).parent.as_posix() in f["path"]
            batch = not damage.hit or any(b.start <= f.get("position", -1) < b.end for b in damage.hit)
            damage.found |= (named or state) and batch


def read(table, bucket, end, columns=None):
    """{base offset: batch as it came}"""
    offset, found = 0, {}
    while offset < end:
        answer = table.fetch(offset=offset, bucket=bucket, bucket_bytes=256_000, columns=columns)
        assert not answer.HasField("error_code"), answer
        records, at = answer.records, 0
        for batch in batches.split(records, whole=True):
            assert batch.base_offset >= offset, "offsets go back"
            size = 12 + int.from_bytes(records[at + 8 : at + 12], "little")
            found[batch.base_offset] = records[at : at + size]
            offset = batch.next_offset
            at += size
        if not records:
            break  # the end is lost
    return found


def differs(raw, batch):
    """False, or True when only the time does."""
    same = len(raw) == len(batch.raw) and all(
        raw[i] == batch.raw[i] for i in range(len(raw)) if i not in TIME
    )
    assert same, f"{batch.path}:{batch.start}: what is served was not written"
    return raw != batch.raw


class Judge:
    """Looks at all that a server has for its clients."""

    def __init__(self, origin, server, damages):
        self.origin, self.server = origin, server
        self.hit = {(b.table, b.bucket, b.base) for d in damages for b in d.hit}
        self.times = 0  # that are not those of the append

    def all(self):
        cluster = wire.Cluster(self.server.address)
        log = tables.Table(cluster, "fluss", LOG, tables.SMALL_ARROW).open()
        keyed = kv.KvTable(cluster, "fluss", KEYED, None)
        keyed.columns, keyed.key = {1: list(origins.COLUMNS.items())}, ["id"]
        keyed.encode, keyed.form, keyed.log_form = kv.rows.KEYS[None], "COMPACTED", "ARROW"
        keyed.open()
        for bucket in range(KEYED_BUCKETS):
            self.rows(keyed, bucket)
            self.log(keyed, KEYED, bucket)
        for bucket in range(origins.BUCKETS):
            self.log(log, LOG, bucket)
            end, row = self.origin.ends[LOG, bucket], tables.small_rows(0, 1)
            after = log.append(batches.arrow_batch(row), bucket=bucket)
            assert after >= end, "an acknowledged offset is given to another row"
        cluster.close()
        self.server.check()

    def log(self, table, name, bucket):
        written, end = self.origin.batches[name, bucket], self.origin.ends[name, bucket]
        served, projected = read(table, bucket, end), read(table, bucket, end, columns=[0])
        assert projected.keys() == served.keys() <= written.keys(), "batches that were never written"
        lost = {(name, bucket, base) for base in written.keys() - served.keys()}
        assert lost <= self.hit, f"more is lost than was hit: {sorted(lost - self.hit)}"
        self.times += sum(differs(raw, written[base]) for base, raw in served.items())

    def rows(self, table, bucket):
        """Damage that is found when a row is read makes the state anew then: clients try again."""
        keys = list(range(bucket, KEYS, KEYED_BUCKETS))
        known, deadline = self.origin.values[bucket], time.monotonic() + patience.PATIENCE_S
        fields = table.lookup_fields(*[(k,) for k in keys], bucket=bucket)
        while True:
            answer = table.cluster.tablet.call("LOOKUP", version=1, **fields).buckets_resp[0]
            if not answer.HasField("error_code"):
                break
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)
        found = [v.values if v.HasField("values") else None for v in answer.values]
        assert found == [known.get(k) for k in keys], f"rows of bucket {bucket}"
        scanned = sorted(table.limit_scan(KEYS, bucket=bucket))
        assert scanned == sorted(v for v in known.values() if v is not None), f"scan of bucket {bucket}"


def start(server):
    """False: the server refuses, as it may when its catalog is damaged."""
    try:
        server.start()
        return True
    except AssertionError:
        assert server.process.returncode == 1, server.stderr()
        assert "cannot start: " in server.stderr()
        server.check_stderr()
        return False


def one(origin, area, kind, seed):
    """A round; its counts."""
    with tempfile.TemporaryDirectory(prefix="bitrot-") as folder:
        directory = Path(folder) / "data"
        shutil.copytree(origin.directory, directory)
        vandal = Vandal(origin, directory, random.Random(seed))
        vandal.round(area, kind, SIZE[area])
        note_found(vandal.damages, verify(directory))
        if area == "snapshots":  # what a server without local state starts from
            for database in directory.rglob("kv-*/db"):
                if "remote" not in database.relative_to(directory).parts:
                    shutil.rmtree(database)
        server = process.Server(Path(folder) / "server", options=origins.OPTIONS, data_dir=directory)
        judge, served = Judge(origin, server, vandal.damages), start(server)
        try:
            if served:
                judge.all()
            assert served or area == "catalog", server.stderr()
        finally:
            if server.running():
                server.kill()
        found = sum(d.found for d in vandal.damages)
        unseen = [f"{d.path}:{d.start}+{d.size}" for d in vandal.damages if not d.found and not of_time(d)]
        assert area != "records" or not unseen, f"not found: {unseen}"
        assert served or found, "refused, but nothing is found"
        counts = collections.Counter(damages=len(vandal.damages), found=found, rounds=1)
        counts += collections.Counter(times=judge.times, refused=not served)
        return counts, unseen


def of_time(damage):
    """A moment that stays between its neighbours cannot be told from a right one."""
    return damage.hit and damage.size == 1 and damage.start - damage.hit[0].start in TIME


def attempt(origin, area, kind, seed):
    try:
        return *one(origin, area, kind, seed), None
    except Exception as e:
        return collections.Counter(rounds=1), [], f"{area} {kind} {seed}: {type(e).__name__}: {e}"[:2000]


def campaign(seed, flips, sectors, jobs=1, tell=lambda *_: None):
    """{(area, kind): Counter}, damage that changed nothing by path, failures. Told is each area as it ends."""
    counts, silent, failed = collections.defaultdict(collections.Counter), [], []
    with tempfile.TemporaryDirectory(prefix="bitrot-origin-") as folder:
        origin = origins.make(Path(folder))
        assert not verify(origin.directory)
        for kind, total in (("flip", flips), ("zero", sectors)):
            for area in AREAS:
                wanted = -(-total * SHARE[area] // 100)
                number = 0
                while counts[area, kind]["damages"] < wanted and len(failed) < 10:
                    left = wanted - counts[area, kind]["damages"]
                    seeds = [f"{seed} {number + i}" for i in range(min(64, -(-left // SIZE[area])))]
                    number += len(seeds)
                    with futures.ThreadPoolExecutor(jobs) as pool:
                        run = functools.partial(attempt, origin, area, kind)
                        for count, unseen, failure in pool.map(run, seeds):
                            counts[area, kind] += count
                            silent += unseen
                            failed += [failure] if failure else []
                tell(area, kind, counts[area, kind])
    return counts, silent, failed


def line(area, kind, c):
    text = f"{area:10} {kind}: {c['damages']} damages in {c['rounds']} rounds, {c['found']} found by verify"
    print(f"{text}, {c['times']} wrong times served, {c['refused']} starts refused", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", default="1")
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--sectors", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    _, silent, failed = campaign(given.seed, given.flips, given.sectors, given.jobs, line)
    where = collections.Counter(Path(s.rsplit(":", 1)[0]).name for s in silent)
    print(f"not found, and without consequence: {len(silent)}: {dict(where)}")
    print(f"{len(failed)} failures, {time.monotonic() - began:.0f} s")
    print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
