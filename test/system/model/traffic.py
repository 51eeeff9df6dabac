"""Clients that write, look up and scan one primary-key table until its server is gone, and the judgement
of what they were told against the changelog that is left.

Every row written has a number of its own, and the rest of the row follows from it.
"""

import bisect
import random
import shutil
import threading
import time
from dataclasses import dataclass, field

from harness import batches, kv, patience, tables, wire

from . import values

COLUMNS = {"id": tables.INT, "number": tables.BIGINT, "text": tables.STRING}
TYPES = list(COLUMNS.values())
KEYS, BUCKETS = 200, 2
DEPTH = 4  # requests of a client under way
UNSURE = (OSError, wire.Closed)  # the server was killed


def bucket_of(key):
    return key % BUCKETS


@dataclass
class Known:
    """What clients were told, for all threads. `acked`: the end of the changelog of a key's last write."""

    acked: dict = field(default_factory=lambda: dict.fromkeys(range(KEYS), 0))
    batches: list = field(default_factory=list)  # (bucket, writer, sequence, end, number of rows)
    seen: list = field(default_factory=list)  # of Seen
    scans: list = field(default_factory=list)  # (bucket, acked before, offset, {key: number})


@dataclass
class Seen:
    """What a lookup returned. `sent`, `done`: answers that its reader had before and with it."""

    reader: str
    key: int
    number: int | None
    acked: int
    sent: int
    done: int


class Client(threading.Thread):
    """Keeps some requests under way until the server is gone."""

    def __init__(self, address, table, known, seed):
        super().__init__()
        self.address, self.table, self.known = address, table, known
        self.chance = random.Random(seed)
        self.failure = None

    def run(self):
        try:
            with wire.Connection(self.address) as connection:
                self.start_on(connection)
                waiting = []
                while True:
                    waiting.append(self.ask(connection))
                    if len(waiting) == DEPTH:
                        self.take(connection, *waiting.pop(0))
        except UNSURE:
            pass
        except Exception as e:
            self.failure = e


class Writer(Client):
    """Upserts and deletes keys of one bucket. Every row written has a number of its own."""

    def __init__(self, *more, bucket, first, acks):
        super().__init__(*more)
        self.bucket, self.number, self.acks, self.sequence = bucket, first, acks, -1

    def start_on(self, connection):
        self.writer = connection.call("INIT_WRITER").writer_id

    def ask(self, connection):
        keys = self.chance.choices(range(self.bucket, KEYS, BUCKETS), k=self.chance.choice([1, 5, 40]))
        self.sequence += 1
        records = [(k,) if self.chance.random() < 0.15 else self._row(k) for k in keys]
        batch = self.table.batch(*records, writer_id=self.writer, sequence=self.sequence)
        acks = self.chance.choice(self.acks)
        fields = self.table.put_fields(batch, bucket=self.bucket, acks=acks)
        return connection.send("PUT_KV", **fields), keys, self.sequence, acks

    def _row(self, key):
        self.number += 1
        return [key, self.number, text_of(self.number)]

    def take(self, connection, request, keys, sequence, acks):
        answer = connection.result("PUT_KV", request).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        end = answer.log_end_offset
        if acks != -1:
            return
        self.known.batches.append((self.bucket, self.writer, sequence, end))
        for key in keys:
            self.known.acked[key] = max(self.known.acked[key], end)


class Reader(Client):
    def start_on(self, connection):
        self.done = 0

    def ask(self, connection):
        bucket = self.chance.randrange(BUCKETS)
        keys = self.chance.choices(range(bucket, KEYS, BUCKETS), k=self.chance.choice([1, 10]))
        acked = [self.known.acked[k] for k in keys]
        fields = self.table.lookup_fields(*[(k,) for k in keys], bucket=bucket)
        return connection.send("LOOKUP", **fields), keys, acked, self.done

    def take(self, connection, request, keys, acked, sent):
        answer = connection.result("LOOKUP", request).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        self.done += 1
        for key, low, value in zip(keys, acked, answer.values, strict=True):
            self.known.seen.append(Seen(self.name, key, number_of(key, value), low, sent, self.done))


class Scanner(Client):
    """Scans make the server write what is shown into its store."""

    def start_on(self, connection):
        pass

    def ask(self, connection):
        time.sleep(self.chance.uniform(0, 0.02))
        bucket = self.chance.randrange(BUCKETS)
        acked = max(self.known.acked[k] for k in range(bucket, KEYS, BUCKETS))
        scan = {"table_id": self.table.id, "bucket_id": bucket}
        fields = {"bucket_scan_req": scan, "batch_size_bytes": 8 << 20, "call_seq_id": 0}
        return connection.send("SCAN_KV", **fields), bucket, acked

    def take(self, connection, request, bucket, acked):
        answer = connection.result("SCAN_KV", request)
        assert not answer.HasField("error_code") and not answer.has_more_results, answer
        found = [row_of(v) for v in kv.values(answer.records)] if answer.records else []
        self.known.scans.append((bucket, acked, answer.log_offset, {r[0]: r[1] for r in found}))


def text_of(number):
    """Now and then a long one."""
    return f"text {number}" + "x" * (4000 if number % 16 == 0 else 0)


def row_of(value):
    key, number, text = values.row(TYPES, value[2:])
    assert text == text_of(number), value
    return key, number


def number_of(key, value):
    if not value.HasField("values"):
        return None
    found, number = row_of(value.values)
    assert found == key, value
    return number


class Changelog:
    """All batches of a bucket, read as they come, and what they make of each key."""

    def __init__(self):
        self.end = 0
        self.history = {k: [(0, None)] for k in range(KEYS)}  # key: (end of the batch, number or None)
        self.batches = {}  # (writer, sequence): end
        self.rows = {}

    def read(self, table, bucket):
        end = table.offset(1, bucket)
        assert end >= self.end, f"the changelog ended at {self.end}, now at {end}"
        while self.end < end:
            found = batches.split(table.records(offset=self.end, bucket=bucket, bucket_bytes=8 << 20))
            assert found, f"no rows at {self.end}, the changelog ends at {end}"
            for batch in found:
                assert batch.crc_valid and batch.base_offset == self.end, "offsets without gaps"
                assert (batch.writer_id, batch.sequence) not in self.batches, "a batch is doubled"
                self.batches[batch.writer_id, batch.sequence] = batch.next_offset
                for _, kind, row in table.decode(batch):
                    self.apply(kind, row, batch.next_offset)
                self.end = batch.next_offset

    def apply(self, kind, row, end):
        key = row[0]
        if kind in ("-U", "-D"):
            assert self.rows.pop(key, None) == row, f"{kind} {row}"
        else:
            assert key not in self.rows, f"{kind} {row} over {self.rows[key]}"
            self.rows[key] = row
        if kind != "-U":
            self.history[key].append((end, None if kind == "-D" else row[1]))

    def state_at(self, offset):
        """{key: number} as of the end of a batch."""
        assert offset == 0 or offset in self.batches.values(), f"no batch ends at {offset}"
        last = {k: [n for end, n in known if end <= offset][-1] for k, known in self.history.items()}
        return {k: n for k, n in last.items() if n is not None}


def changelogs():
    return [Changelog() for _ in range(BUCKETS)]


def judge(known, logs):
    for bucket, writer, sequence, end in known.batches:
        found = logs[bucket].batches.get((writer, sequence))
        assert found == end, f"batch {sequence} of writer {writer} acknowledged to {end} is at {found}"
    before = {}  # (reader, key): [(done, place in the history)], newest first
    for seen in known.seen:
        history = logs[bucket_of(seen.key)].history[seen.key]
        earlier = before.setdefault((seen.reader, seen.key), [])
        # rows of one batch end alike, and of these only the last could be seen
        low = bisect.bisect_right(history, seen.acked, key=lambda h: h[0]) - 1
        low = max(low, next((at for done, at in earlier if done <= seen.sent), 0))
        at = next((i for i in range(low, len(history)) if history[i][1] == seen.number), None)
        assert at is not None, f"{seen}, but from then on {history[low:]}"
        earlier.insert(0, (seen.done, max(at, earlier[0][1]) if earlier else at))
    for bucket, acked, offset, found in known.scans:
        assert offset >= acked, f"a scan of offset {offset} when {acked} was acknowledged"
        assert found == logs[bucket].state_at(offset), f"a scan of offset {offset}"


def compare_state(table, logs):
    for bucket, log in enumerate(logs):
        keys = range(bucket, KEYS, BUCKETS)
        fields = table.lookup_fields(*[(k,) for k in keys], bucket=bucket)
        answer = table.cluster.tablet.call("LOOKUP", **fields).buckets_resp[0]
        assert not answer.HasField("error_code"), answer
        found = {k: number_of(k, v) for k, v in zip(keys, answer.values, strict=True)}
        assert found == {k: log.rows[k][1] if k in log.rows else None for k in keys}
        entry = {"table_id": table.id, "buckets_req": [{"bucket_id": bucket}]}
        counted = table.cluster.tablet.call("GET_TABLE_STATS", **entry).buckets_resp[0].row_count
        assert counted == len(log.rows)


def lose_state(server):
    """The rows are gone; the changelog and the snapshots are there."""
    for place in server.data_dir.rglob("kv-*"):
        if place.is_dir() and "remote" not in place.parts:
            shutil.rmtree(place)


def create(cluster, name="t"):
    return kv.KvTable.create(cluster, "fluss", name, COLUMNS, ["id"], buckets=BUCKETS)


def open_again(server, table):
    table.cluster = wire.Cluster(server.address)
    return table.open()


def one_round(server, table, number, seed, acks):
    """Traffic until SIGKILL; what the clients know."""
    known = Known()
    more = server.address, table, known
    first = number * 10**7
    clients = [
        Writer(*more, f"{seed} w{b}", bucket=b, first=first + (b + 1) * 10**6, acks=acks)
        for b in range(BUCKETS)
    ]
    clients += [Reader(*more, f"{seed} r{i}") for i in range(2)]
    clients.append(Scanner(*more, f"{seed} s"))
    for client in clients:
        client.start()
    time.sleep(random.Random(seed).uniform(0.05, 0.5))
    patience.until(lambda: len(known.batches) + len(known.seen) > 20, "nothing is under way")
    server.kill()
    for client in clients:
        client.join()
        assert client.failure is None, f"{client.failure!r}"
    table.cluster.close()
    return known
