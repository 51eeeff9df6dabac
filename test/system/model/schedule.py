"""A random schedule of requests on one table, compared with the model after each of them.

Requests go out in bursts on one connection, so that they are under way together; the server keeps
their order for each bucket. What a lookup may see: every state from the last acknowledged batch to the
last one sent, and never an older one than a lookup that had ended when it was sent.
"""

import json
import math
import random
import time

from harness import batches, kv, patience, wire

from . import values
from .engine import (
    BEFORE,
    DELETE,
    INSERT,
    NO_WRITER,
    REFUSED,
    REMEMBERED,
    Bucket,
    Generated,
    Put,
    Refusal,
    pad,
)
from .tables import KEYS, ModelTable, Shape, column_to_add

JOURNAL = 30  # operations told when one fails
LINE = 500
FULL_SCHEMA_S = 20


class Mismatch(AssertionError):
    pass


def expect(condition, text):
    if not condition:
        raise Mismatch(text() if callable(text) else text)


class Place:
    """One bucket: the model, the keys used there, and what is known to be visible."""

    def __init__(self, definition):
        self.model = Bucket(definition)
        self.keys = []  # rows with key columns set
        self.visible = 0  # version that every lookup sees from now on
        self.appended = 0  # version that was acknowledged in any way
        self.seen = {}  # key: version that a lookup has shown
        self.compared = 0  # versions whose changelog was compared
        self.writers = []
        self.sent = []  # batches that can be sent again


class Schedule:
    def __init__(self, seed, peer=False):
        self.seed = seed
        self.peer = peer
        self.chance = random.Random(seed)
        self.shape = Shape(seed, self.chance, peer)
        self.table = None
        self.journal = []
        self.generated = set()
        self.in_flight = []
        self.altering = False

    def create(self, cluster, db):
        self.cluster = cluster
        self.versions = {a.api_key: a.max_version for a in cluster.tablet.hello().api_versions}
        self.table = ModelTable.make(cluster, db, f"t{self.seed}", self.shape)
        self.definition = self.table.definition
        self.places = {p: Place(self.definition) for p in self.table.places()}
        self._make_keys()
        if self.peer:
            self._await_leaders()
        return self

    def _await_leaders(self):
        """Apache Fluss tells of leaders that are about to open their buckets."""
        for name in self.places:
            fields = {"table_id": self.table.id, "limit": 1, **self.table.where(name)}
            patience.until(
                lambda: not self.cluster.tablet.call("LIMIT_SCAN", **fields).HasField("error_code"),
                f"{name} has no leader",
            )

    def _make_keys(self):
        definition, wanted = self.definition, KEYS * len(self.places)
        for _ in range(wanted):
            row = [None] * definition.width()
            for i in definition.key:
                if definition.columns[i][0] != "part":
                    row[i] = self._key_value(definition.columns[i][1])
            bucket = self.table.bucket_of(row)
            partition = self.chance.choice([p for p, b in self.places if b == bucket])
            if partition is not None:
                row[self.table.position("part")] = partition
            if row not in self.places[partition, bucket].keys:
                self.places[partition, bucket].keys.append(row)

    def _key_value(self, data_type):
        """Few different values, so that keys have prefixes in common."""
        value = values.make(random.Random(f"{self.seed} {self.chance.randrange(9)}"), data_type)
        return value if self.chance.random() < 0.6 else values.make(self.chance, data_type)

    # running

    def reopen(self, cluster):
        """After a restart: the same table through new connections."""
        self.cluster = self.table.cluster = cluster
        self.table.open(partitioned=self.shape.partitioned)
        for name in self.table.partitions:
            self.table.open_partition(name)

    def note(self, text):
        self.journal.append(text if len(text) < LINE else f"{text[:LINE]}...")

    def story(self):
        return "\n".join([f"seed {self.seed}: {self.shape}", *self.journal[-JOURNAL:]])

    def step(self):
        """One random operation."""
        operations = [(self.burst, 12), (self.read_new_changes, 2)]
        operations += [(self.add_column, 0.3), (self.scan, 2), (self.count_rows, 1)]
        operations += [(self.insert_by_lookup, 1.5)]
        chosen, weights = zip(*operations)
        try:
            self.chance.choices(chosen, weights)[0]()
        except (Mismatch, wire.ErrorReply, AssertionError) as e:
            raise AssertionError(f"{self.story()}\n{e}") from e

    def any_place(self):
        return self.chance.choice([p for p, place in self.places.items() if place.keys])

    def burst(self, answered=True):
        """Several writes and lookups under way together."""
        asked = []
        for _ in range(self.chance.choice([1, 1, 1, 2, 4, 9])):
            make = self.chance.choices([self.put, self.lookup, self.prefix_lookup], [6, 3, 1])[0]
            asked.append(make(self.any_place()))
        self.in_flight = [a for a in asked if a]
        if answered:
            self.answers()

    def answers(self, count=None):
        waiting, self.in_flight = self.in_flight, []
        for judge in waiting[:count]:
            judge()

    # writes

    def put(self, name):
        place = self.places[name]
        if place.sent and self.chance.random() < 0.15:
            return self._send_again(name, place)
        put, fields = self._new_put(name, place)
        return self._send(name, place, put, fields)

    def _new_put(self, name, place):
        chance, definition = self.chance, self.definition
        schema_id = self._schema_id()
        width = definition.widths[min(schema_id, len(definition.widths)) - 1]  # it may not exist yet
        targets = self._targets(width)
        deletes = chance.choice([0, 0.2, 0.5])
        records = []
        for _ in range(chance.choice([1, 1, 2, 5, 20])):
            key = chance.choice(place.keys)
            row = None if chance.random() < deletes else self._row(key, width, targets)
            records.append((self.table.key(key), row))
        writer, sequence = self._writer(place)
        overwrite = chance.random() < 0.07
        put = Put(records, schema_id, targets, overwrite, writer, sequence)
        return put, {"acks": chance.choice([-1, -1, -1, 1, 0]), "agg_mode": int(overwrite)}

    def _schema_id(self):
        newest = len(self.definition.widths)
        if self.chance.random() < 0.02 and not self.altering:
            return newest + 1 + self.chance.randrange(3)
        return newest if self.chance.random() < 0.7 else self.chance.randrange(1, newest + 1)

    def _row(self, key, width, targets):
        row = self.table.random_row(self.chance, width)
        for i in self.definition.key:
            row[i] = key[i]
        if self.definition.increment is not None:
            row[self.definition.increment] = None
        if targets and self.chance.random() < 0.8:
            row = [v if i in targets or i in self.definition.key else None for i, v in enumerate(row)]
        return row

    def _targets(self, width):
        """Positions for a partial update, () for whole rows."""
        definition, chance = self.definition, self.chance
        optional = [i for i in range(width) if i not in definition.key and i != definition.increment]
        if definition.increment is None:
            often = {None: 0.35, "aggregation": 0.35}.get(definition.engine, 0.03)
            if chance.random() > often:
                return ()
        elif chance.random() < 0.05:
            return chance.choice([(), tuple(range(width))])
        chosen = {*definition.key, *chance.sample(optional, chance.randrange(len(optional) + 1))}
        if len(chosen) == definition.width() and (self.peer or self.altering):
            return ()
        if chance.random() < 0.04:
            chosen.discard(definition.key[0])
        return tuple(chance.sample(sorted(chosen), len(chosen)))

    def _writer(self, place):
        """(writer id, next sequence), of one of two writers of the bucket or of none."""
        if self.chance.random() < 0.3:
            return NO_WRITER, -1
        if len(place.writers) < 2:
            place.writers.append(self.cluster.tablet.call("INIT_WRITER").writer_id)
        writer = self.chance.choice(place.writers)
        last = [e.sequence for e in place.model.entries if e.writer == writer]
        following = last[-1] + 1 if last else 0
        if self.chance.random() < 0.05:
            following += self.chance.choice([1, 2, 100])
        return writer, following

    def _send(self, name, place, put, fields):
        body = kv.pack(
            [(key, None if row is None else self.table.write_row(row)) for key, row in put.records],
            put.schema_id,
            put.writer,
            put.sequence,
        )
        expected = self._expected(place, put)
        self.note(f"put {name} {put} {fields} -> {expected}")
        if put.writer != NO_WRITER and expected[0] == "end":
            place.sent = [*place.sent, (put, body, fields)][-9:]
        return self._send_body(name, put, body, fields, expected)

    def _expected(self, place, put):
        try:
            return "end", place.model.put(put)
        except Refusal as e:
            return "code", e.code

    def _send_body(self, name, put, body, fields, expected):
        """Acknowledged is what ends where the answer says: with a duplicate nothing that came later."""
        place = self.places[name]
        version = next((i + 1 for i, e in enumerate(place.model.entries) if e.end == expected[1]), 0)
        request = self.cluster.tablet.send(
            "PUT_KV",
            version=min(1, self.versions[1016]),
            table_id=self.table.id,
            timeout_ms=60_000,
            target_columns=put.targets,
            buckets_req=[{**self.table.where(name), "records": body}],
            **fields,
        )

        def judge():
            answer = self.cluster.tablet.result("PUT_KV", request).buckets_resp[0]
            self._judge_put(place, answer, expected, version, fields["acks"])

        return judge

    def _judge_put(self, place, answer, expected, version, acks):
        kind, value = expected
        if kind == "code":
            matches = answer.error_code == value if value != REFUSED else answer.error_code != 0
            expect(matches, lambda: f"code {value} expected, not {answer}")
            return
        expect(not answer.HasField("error_code"), lambda: f"refused: {answer}")
        expect(answer.log_end_offset == value, lambda: f"end {value} expected, not {answer}")
        place.appended = max(place.appended, version)
        if acks == -1:
            place.visible = max(place.visible, version)

    def _send_again(self, name, place):
        """A batch that the server has; not so old that the writer's other batches pushed it out."""
        put, body, fields = self.chance.choice(place.sent)
        own = [e.sequence for e in place.model.entries if e.writer == put.writer]
        if put.sequence not in own[-REMEMBERED:]:
            return None
        expected = self._expected(place, put)
        self.note(f"again {name} writer {put.writer} sequence {put.sequence} -> {expected}")
        return self._send_body(name, put, body, fields, expected)

    # reads

    def lookup(self, name):
        chance, place = self.chance, self.places[name]
        keys = [self.table.key(k) for k in chance.choices(place.keys, k=chance.choice([1, 3, 30]))]
        oldest = [max(place.visible, place.seen.get(key, 0)) for key in keys]
        self.note(f"lookup {name} of {len(keys)} keys from version {place.visible}")
        request = self.cluster.tablet.send("LOOKUP", **self._keys_of(name, keys))

        def judge():
            answer = self.cluster.tablet.result("LOOKUP", request).buckets_resp[0]
            expect(not answer.HasField("error_code"), lambda: f"lookup: {answer}")
            expect(len(answer.values) == len(keys), "one value for each key")
            for key, low, value in zip(keys, oldest, answer.values):
                found = self.table.read_value(value.values) if value.HasField("values") else None
                self._saw(place, key, found, low)

        return judge

    def _keys_of(self, name, keys):
        return {"table_id": self.table.id, "buckets_req": [{**self.table.where(name), "keys": keys}]}

    def _saw(self, place, key, found, low):
        """A lookup returned this row: it must be of a version from `low` on, and none goes back."""
        possible = place.model.between(key, low, place.model.version)
        for version, row in possible:
            if self.same(found, row):
                place.seen[key] = max(version, place.seen.get(key, 0))
                return
        raise Mismatch(f"key {key.hex()}: {found} is none of {possible}")

    def prefix_lookup(self, name):
        """Only when nothing is under way, for a list mixes rows of several versions."""
        place = self.places[name]
        if not self.table.has_prefix() or not self.settled(place) or not place.keys:
            return None
        rows = self.chance.choices(place.keys, k=self.chance.choice([1, 1, 5]))
        prefixes = [self.table.prefix(r) for r in rows]
        state = place.model.state()
        self.note(f"prefix lookup {name} of {len(prefixes)} prefixes")
        request = self.cluster.tablet.send("PREFIX_LOOKUP", **self._keys_of(name, prefixes))

        def judge():
            answer = self.cluster.tablet.result("PREFIX_LOOKUP", request).buckets_resp[0]
            expect(not answer.HasField("error_code"), lambda: f"prefix lookup: {answer}")
            expect(len(answer.value_lists) == len(prefixes), "one list for each prefix")
            if place.model.state() != state:
                return  # a later request of the burst has changed the bucket
            for prefix, found in zip(prefixes, answer.value_lists):
                expected = [row for key, row in state.items() if key.startswith(prefix)]
                self.same_rows([self.table.read_value(v) for v in found.values], expected, prefix.hex())

        return judge

    def settled(self, place):
        return place.visible == place.model.version

    def settle(self):
        """Until everything that was acknowledged is visible."""
        for name, place in self.places.items():
            patience.until(
                lambda: self.table.offset(1, **self.table.where_to_read(name)) >= place.model.end,
                f"{self.story()}\n{name}: the end never reached {place.model.end}",
            )
            place.visible = place.appended = place.model.version

    def scan(self):
        name = self.any_place()
        self.settle()
        state = list(self.places[name].model.state().values())
        for limit in self.chance.choices([1, 5, 1000], k=2):
            self._scan_first_rows(name, limit, state[:limit])
        if 1061 in self.versions:
            self._scan_in_batches(name, state)

    def _scan_first_rows(self, name, limit, expected):
        self.note(f"limit scan {name} of {limit}")
        fields = {"table_id": self.table.id, "limit": limit, **self.table.where(name)}
        answer = self.cluster.tablet.call("LIMIT_SCAN", **fields)
        expect(not answer.HasField("error_code"), lambda: f"limit scan: {answer}")
        expect(not answer.is_log_table, "is_log_table")
        found = kv.values(answer.records) if answer.HasField("records") else []
        self.same_rows([self.table.read_value(v) for v in found], expected, f"limit {limit}")

    def _scan_in_batches(self, name, state):
        """What the bucket held when the scan began, whatever is written meanwhile."""
        call, place = self.cluster.tablet.call, self.places[name]
        self.note(f"scan {name}")
        request = {"table_id": self.table.id, **self.table.where(name)}
        end, size = place.model.end, self.chance.choice([1, 200, 1 << 20])
        answer = call("SCAN_KV", bucket_scan_req=request, batch_size_bytes=size, call_seq_id=0)
        expect(not answer.HasField("error_code"), lambda: f"scan: {answer}")
        expect(answer.log_offset == end, lambda: f"scan of offset {answer.log_offset}, not {end}")
        found, number, scanner = [], 0, answer.scanner_id
        while True:
            if answer.HasField("records"):
                found += kv.values(answer.records)
            if not answer.has_more_results:
                break
            if self.chance.random() < 0.3:
                self.burst()
            number += 1
            answer = call("SCAN_KV", scanner_id=scanner, batch_size_bytes=size, call_seq_id=number)
            expect(not answer.HasField("error_code"), lambda: f"scan: {answer}")
        self.same_rows([self.table.read_value(v) for v in found], state, "scan")

    def count_rows(self):
        name = self.any_place()
        self.settle()
        if self.definition.wal_image:
            return
        self.note(f"rows of {name}")
        fields = {"table_id": self.table.id, "buckets_req": [self.table.where(name)]}
        answer = self.cluster.tablet.call("GET_TABLE_STATS", **fields).buckets_resp[0]
        expected = len(self.places[name].model.state())
        expect(answer.row_count == expected, lambda: f"{expected} rows expected: {answer}")

    def insert_by_lookup(self):
        """LOOKUP that inserts what is missing: rows with only their keys."""
        name, chance = self.any_place(), self.chance
        self.settle()
        place = self.places[name]
        if self.definition.engine in ("first_row", "versioned") or self.shape.not_null:
            return
        if self.peer and self.shape.partitioned:
            return  # Apache Fluss 0.9.1 misreads keys then
        keys = chance.sample(place.keys, min(len(place.keys), chance.choice([1, 4])))
        records = {}
        for row in keys:
            if place.model.at(self.table.key(row), place.model.version) is None:
                only_key = [v if i in self.definition.key else None for i, v in enumerate(row)]
                records[self.table.key(row)] = only_key[: self.definition.widths[0]]
        if records:
            schema_id = len(self.definition.widths)
            records = [(k, pad(r, self.definition.width())) for k, r in records.items()]
            place.model.put(Put(records, schema_id, tuple(self.definition.key)))
        self.note(f"insert by lookup {name}: {len(keys)} keys, {len(records)} missing")
        fields = self._keys_of(name, [self.table.key(r) for r in keys])
        more = {"insert_if_not_exists": True, "acks": -1, "timeout_ms": 60_000}
        answer = self.cluster.tablet.call("LOOKUP", **fields, **more).buckets_resp[0]
        expect(not answer.HasField("error_code"), lambda: f"lookup with insert: {answer}")
        place.visible = place.appended = place.model.version
        for row, value in zip(keys, answer.values, strict=True):
            key = self.table.key(row)
            expect(value.HasField("values"), f"{key.hex()} is still missing")
            self._saw(place, key, self.table.read_value(value.values), place.visible)

    # schema

    def add_column(self):
        definition = self.definition
        if len(definition.widths) >= 4:
            return
        if not self.peer and self.chance.random() < 0.5:
            self._burst_beside_alteration()
        name, data_type = f"added{len(definition.widths)}", column_to_add(self.chance)
        self.note(f"add column {name} {data_type}")
        column = {"column_name": name, "data_type_json": json.dumps(data_type).encode()}
        self.cluster.coordinator.call(
            "ALTER_TABLE",
            table_path=self.table.path,
            ignore_if_not_exists=False,
            add_columns=[{**column, "column_position_type": 0}],
        )
        definition.columns.append((name, data_type))
        definition.widths.append(definition.width())
        self.answers()
        if self.peer:
            self._await_schema()

    def _burst_beside_alteration(self):
        """Only of requests that mean the same before and after it."""
        self.altering = True
        self.burst(answered=False)
        self.altering = False

    def _await_schema(self):
        """Tablet servers of Apache Fluss hear of it later: empty batches until one is taken."""
        schema_id = len(self.definition.widths)
        for name, place in self.places.items():
            deadline = time.monotonic() + FULL_SCHEMA_S
            if not place.keys:
                continue
            while True:
                targets = tuple(self.definition.key) if self.shape.engine == "increment" else ()
                put = Put([], schema_id, targets)
                answer = self._empty_put(name, put)
                if not answer.HasField("error_code"):
                    place.model.put(put)
                    place.visible = place.appended = place.model.version
                    break
                expect(answer.error_code == 9 and time.monotonic() < deadline, lambda: f"{answer}")
                time.sleep(0.05)

    def _empty_put(self, name, put):
        return self.cluster.tablet.call(
            "PUT_KV",
            table_id=self.table.id,
            acks=-1,
            timeout_ms=60_000,
            target_columns=put.targets,
            buckets_req=[{**self.table.where(name), "records": kv.pack([], put.schema_id)}],
        ).buckets_resp[0]

    # comparing

    def same(self, found, expected):
        if found is None or expected is None:
            return found is None and expected is None
        width = max(len(found), len(expected))
        pairs = zip(pad(found, width), pad(expected, width))
        return all(self._same_value(a, b) for a, b in pairs)

    def _same_value(self, found, expected):
        if isinstance(expected, Generated):
            return self._same_generated(found, expected)
        if isinstance(expected, float) and math.isnan(expected):
            return isinstance(found, float) and math.isnan(found)
        return found == expected and type(found) is type(expected)

    def _same_generated(self, found, expected):
        """The first who sees a number says which it is; no other row may have it."""
        fresh = isinstance(found, int) and found >= 1 and found not in self.generated
        if expected.number is None and fresh:
            expected.number = found
            self.generated.add(found)
        return found is not None and found == expected.number

    def same_rows(self, found, expected, text):
        expect(len(found) == len(expected), lambda: f"{text}: {len(found)} rows: {found}, not {expected}")
        for a, b in zip(found, expected):
            expect(self.same(a, b), lambda: f"{text}: {a}, not {b}")

    def read_new_changes(self):
        self.settle()
        for name, place in self.places.items():
            self._compare_changes(name, place, place.compared)

    def _compare_changes(self, name, place, since):
        """Every batch from a version on, as the model made it."""
        wanted = place.model.entries[since:]
        self.note(f"changelog {name} from version {since}")
        found = self._fetch(name, place.model.end_of(since), place.model.end)
        expect(len(found) == len(wanted), lambda: f"{len(found)} batches, not {len(wanted)}")
        for batch, entry in zip(found, wanted):
            text = f"batch at {batch.base_offset}"
            head = (batch.base_offset, batch.next_offset, batch.count, batch.writer_id, batch.sequence)
            like = (entry.base, entry.end, len(entry.changes), entry.writer, entry.sequence)
            expect(head == like, lambda: f"{text}: {head}, not {like}")
            expect(batch.crc_valid and batch.attributes == 0, lambda: f"{text}: header {batch}")
            changes = self.table.changes_of(batch)
            expect(
                [k for k, _ in changes] == [k for k, _ in entry.changes],
                lambda: f"{text}: {changes}, not {entry.changes}",
            )
            self.same_rows([r for _, r in changes], [r for _, r in entry.changes], text)
        place.compared = place.model.version

    def _fetch(self, name, offset, end):
        found = []
        while offset < end:
            where = self.table.where_to_read(name)
            records = self.table.records(offset=offset, bucket_bytes=4 << 20, **where)
            new = [b for b in batches.split(records) if b.base_offset >= offset]
            expect(new, f"nothing at offset {offset} of {end}")
            found += new
            offset = new[-1].next_offset
        return found

    def check(self):
        """Everything: the changelog from its start, the state it replays to, the state as served."""
        try:
            self.settle()
            for name, place in self.places.items():
                self._compare_changes(name, place, 0)
                self._replay(name, place)
                self._compare_state(name, place)
        except (Mismatch, wire.ErrorReply, AssertionError) as e:
            raise AssertionError(f"{self.story()}\n{e}") from e

    def _replay(self, name, place):
        """The changelog alone: rows taken away are the ones put there, and the end is the state."""
        state = {}
        for batch in self._fetch(name, 0, place.model.end):
            for kind, row in self.table.changes_of(batch):
                key = self.table.key(row)
                if kind in (BEFORE, DELETE):
                    old = state.pop(key, None)
                    expect(old is not None, f"{row} was not there")
                    expect(self.same(row, old), f"{row} takes away {old}")
                else:
                    if kind == INSERT or not self.definition.wal_image:
                        expect(key not in state, f"{row} is put over {state.get(key)}")
                    state[key] = row
        self.same_rows([r for _, r in sorted(state.items())], list(place.model.state().values()), "replay")

    def _compare_state(self, name, place):
        keys = sorted({self.table.key(k) for k in place.keys})
        if not keys:
            return
        answer = self.cluster.tablet.call("LOOKUP", **self._keys_of(name, keys)).buckets_resp[0]
        expect(not answer.HasField("error_code"), lambda: f"lookup: {answer}")
        for key, value in zip(keys, answer.values, strict=True):
            found = self.table.read_value(value.values) if value.HasField("values") else None
            self._saw(place, key, found, place.model.version)

    # restarts

    def abandon(self):
        """Requests whose answers nobody waits for, but for the first few."""
        self.burst(answered=False)
        self.answers(self.chance.choice([0, 0, 1, 3]))

    def restarted(self, cluster):
        """A bucket ends after some batch, no earlier than what was acknowledged or seen."""
        self.note("restart")
        try:
            self.reopen(cluster)
            for name, place in self.places.items():
                self._cut(name, place)
            self.check()
        except (Mismatch, wire.ErrorReply, AssertionError) as e:
            raise AssertionError(f"{self.story()}\n{e}") from e

    def _cut(self, name, place):
        end = self.table.offset(1, **self.table.where_to_read(name))
        ends = [place.model.end_of(v) for v in range(place.model.version + 1)]
        expect(end in ends, lambda: f"{name} ends at {end}, within a batch of {ends}")
        version = ends.index(end)
        shown = max([place.appended, *place.seen.values()])
        expect(version >= shown, lambda: f"{name}: version {shown} was shown, {version} is left")
        place.model.back_to(version)
        place.visible = place.appended = version
        place.compared = min(place.compared, version)
