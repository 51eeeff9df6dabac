"""Starts the program on an image, and compares what is there with what had been promised."""

import random

from harness import process, tables, wire

from . import record, things, traffic


class Knowledge:
    """What clients knew at a position of a record. `play` goes on to a later one."""

    def __init__(self, entries):
        self.entries, self.position = entries, 0
        self.tables, self.parts = {}, {}  # name: the last mark about it
        self.sent, self.acked, self.seen = {}, {}, {}  # by key of a bucket
        self.cut = False  # what was told from then on is no promise

    def play(self, position):
        for number in range(self.position, position):
            if self.entries[number].kind == record.MARK:
                self._take(*self.entries[number].mark())
        self.position = position

    def _take(self, what, name, *more):
        self.cut = self.cut or what == "cut"
        if self.cut and (what in ("acked", "seen") or more[:1] in (("there",), ("gone",))):
            return
        if what in ("table", "part"):
            known = self.tables if what == "table" else self.parts
            if more == ("dropping",):
                more = ("dropping", *known[name][1:])
            known[name] = more
            if what == "table" and more[0] in ("creating", "gone"):
                for part in [p for p in self.parts if p.startswith(name + "/")]:
                    del self.parts[part]
        elif what == "sent":
            self.sent[name] = more[0]
        elif what == "acked":
            self.acked[name] = max(more[0], self.acked.get(name, 0))
        elif what == "seen":
            self.seen[name] = max(more[0], self.seen.get(name, 0))


class Judge:
    def __init__(self, run):
        self.run = run
        self.ends = {key: things.ends(raw) for key, raw in run.logs.items()}
        self.sizes = {key: sizes(raw) for key, raw in run.logs.items()}
        self.states = {}

    def judge(self, image, place, knowledge, seed):
        """AssertionError when a promise is broken. `place`: a folder for the server's stderr."""
        chance = random.Random(f"judge {seed}")
        server = process.Server(place, options=traffic.OPTIONS, data_dir=image / "data")
        try:
            server.start(traffic.START_S)
            found = self.look(server, knowledge)
            self.write_again(*found, chance)
            if chance.random() < 0.1:
                self.restart(server, found, chance)
            server.check()
        finally:
            if server.running():
                server.kill()
            if server.process is not None:
                server.process.stdout.close()

    def look(self, server, knowledge):
        connection = wire.Connection(server.address)
        connection.hello()
        buckets = self.catalogue(connection, knowledge)
        logs = things.read_all(connection, buckets)
        counts = {b.key: self.log(b.key, logs[b.key], knowledge) for b in buckets}
        for bucket in buckets:
            if bucket.thing.kind == "rows":
                self.rows(connection, bucket, counts[bucket.key])
        return connection, buckets, counts

    def catalogue(self, connection, knowledge):
        """Which tables and partitions there are; their buckets."""
        listed = set(connection.call("LIST_TABLES", database_name=things.DATABASE).table_name)
        compare(listed, knowledge.tables)
        out = []
        for name in sorted(listed):
            state, *more = knowledge.tables[name]
            path = tables.path(things.DATABASE, name)
            parts = self.partitions(connection, name, path, knowledge) if name[0] == "p" else {None}
            if state == "creating":
                continue  # nothing was written to it
            info = connection.call("GET_TABLE_INFO", table_path=path)
            assert info.table_id == more[1], f"{name} is another table"
            prefix = f"{info.table_id}/"
            out += [
                b
                for key, b in self.run.buckets.items()
                if key.startswith(prefix) and b.partition in parts and b.key in self.run.logs
            ]
        return out

    def partitions(self, connection, name, path, knowledge):
        """The ids of those that have been written to."""
        answer = connection.call("LIST_PARTITION_INFOS", table_path=path).partitions_info
        found = {p.partition_spec.partition_key_values[0].value: p.partition_id for p in answer}
        known = {k.split("/")[1]: v for k, v in knowledge.parts.items() if k.startswith(name + "/")}
        compare(set(found), known)
        for part, id_ in found.items():
            assert known[part][0] == "creating" or known[part][1] == id_, f"{name}/{part} is another one"
        return set(found.values())

    def log(self, key, raw, knowledge):
        """The stored log is the begin of the one that there was; the number of its batches."""
        whole = self.run.logs[key]
        assert whole.startswith(raw), f"{key}: {len(raw)} bytes that were never written like this"
        count = self.sizes[key].get(len(raw))
        assert count is not None, f"{key}: a partial batch"
        end = self.ends[key][count - 1] if count else 0
        acked, seen, sent = (d.get(key, 0) for d in (knowledge.acked, knowledge.seen, knowledge.sent))
        assert count >= acked, f"{key}: {acked} batches were acknowledged, {count} are there"
        assert end >= seen, f"{key}: readers had seen {seen}, the end is {end}"
        assert count <= sent, f"{key}: {count} batches are there, {sent} had been sent"
        return count

    def rows(self, connection, bucket, count):
        """The state is what the changelog says."""
        if bucket.key not in self.states:
            self.states[bucket.key] = bucket.states(len(self.ends[bucket.key]))
        check_rows(connection, bucket, self.states[bucket.key][count])

    def write_again(self, connection, buckets, counts, chance):
        """What a client had under way it sends again; nothing is doubled. Then it goes on."""
        for bucket in buckets:
            count, ends = counts[bucket.key], self.ends[bucket.key]
            first = max(0, count - chance.choice([1, 5]))
            sent = [
                (n, connection.send(bucket.api, **bucket.request(n))) for n in range(first, count + 1)
            ]
            for number, request in sent:
                answer = connection.result(bucket.api, request).buckets_resp[0]
                assert not answer.HasField("error_code"), f"{bucket.key}, batch {number}: {answer}"
                if bucket.thing.kind != "rows":
                    expected = ends[number - 1] if number else 0
                    assert answer.base_offset == expected, f"{bucket.key}, batch {number}: {answer}"
            if bucket.thing.kind == "rows" and chance.random() < 0.3:
                check_rows(connection, bucket, bucket.states(count + 1)[count + 1])

    def restart(self, server, found, chance):
        """Once more, after a clean or an unclean stop: as many batches as before."""
        connection, buckets, counts = found
        connection.close()
        (server.kill if chance.random() < 0.5 else server.terminate)()
        server.start(traffic.START_S)
        with wire.Connection(server.address) as connection:
            connection.hello()
            for key, raw in things.read_all(connection, buckets).items():
                assert len(things.ends(raw)) == counts[key] + 1, f"{key}: after one more restart"


def check_rows(connection, bucket, expected):
    table, keys = bucket.thing.table, range(bucket.index, things.KEYS, 2)
    fields = table.lookup_fields(*[(k,) for k in keys], **bucket.where())
    answer = connection.call("LOOKUP", version=1, **fields).buckets_resp[0]
    assert not answer.HasField("error_code"), answer
    found = {k: v.values for k, v in zip(keys, answer.values, strict=True) if v.HasField("values")}
    assert found == {k: table.value(*row) for k, row in expected.items()}, f"{bucket.key}: rows"


def compare(found, known):
    """Names that exist against the last mark about each."""
    for name, (state, *_) in known.items():
        assert state != "there" or name in found, f"{name} is gone, its creation was acknowledged"
        assert state != "gone" or name not in found, f"{name} is back, its removal was acknowledged"
    assert found <= set(known), f"{found - set(known)} was never created"


def sizes(raw):
    """{length of the first n batches: n}."""
    out, at = {0: 0}, 0
    while at < len(raw):
        at += 12 + int.from_bytes(raw[at + 8 : at + 12], "little")
        out[at] = len(out)
    return out
