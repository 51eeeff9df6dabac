"""Turns answers of two servers into what has to be equal.

Left out or replaced, because they differ between any two servers:
  ids       table_id, partition_id, writer_id: numbered in the order in which they appear
  times     created_time, modified_time, commit timestamps of batches
  places    host, port, node_id, rack, leader and replica ids, epochs, remote_data_dir
  texts     error_message, and error texts of whole requests
JSON documents are compared as documents, records as their complete batches, looked-up values in the
order of the answer, everything else repeated in any order.
"""

import collections
import json
import secrets

from harness import batches, wire

LEFT_OUT = {
    "created_time", "modified_time", "error_message", "remote_data_dir", "host", "port", "node_id", "rack",
    "leader_id", "replica_id", "leader_epoch", "bucket_epoch", "isr", "bucket_count_epoch",
}  # fmt: skip
NUMBERED = {"table_id", "partition_id", "writer_id"}
ADDED_BY_1_0 = {"bucket_count"}
NEW_PROPERTIES = {"table.kv.standby-replica.enabled"}  # set on new primary-key tables by 1.0
ORDERED = {"values", "value_lists"}


class Side:
    """One of the two servers; remembers every answer in a comparable form."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.db = name
        self.answers = []
        self.numbers = {}

    def ask(self, api, role="tablet", label="", body=None, **fields):
        """Sends, notes what came, and returns the message (None after an error)."""
        connection = getattr(self.cluster, role)
        try:
            answer = connection.call(api, body, **fields)
            self.note(f"{api} {label}".strip(), self.comparable(answer))
            return answer
        except wire.ErrorReply as e:
            self.note(f"{api} {label}".strip(), {"error": e.code})
            return None

    def note(self, label, value):
        self.answers.append((label, value))

    def number(self, kind, value):
        known = self.numbers.setdefault(kind, {})
        return f"{kind} #{known.setdefault(value, len(known))}"

    def comparable(self, message):
        out = {}
        for field, value in message.ListFields():
            if field.name in LEFT_OUT or field.name in ADDED_BY_1_0:
                continue
            if field.name == "records" and message.DESCRIPTOR.name == "LimitScanResponse":
                out[field.name] = self._scanned(message)
            else:
                out[field.name] = self._value(field, value)
        return out

    @staticmethod
    def _document(document):
        for name in NEW_PROPERTIES:
            document.get("properties", {}).pop(name, None)
        return document

    def _scanned(self, message):
        """Log batches of a log table, a value batch of a primary-key table."""
        if not message.is_log_table:
            return message.records.hex()
        return [self.batch(b) for b in batches.split(message.records)]

    def _value(self, field, value):
        if field.name in NUMBERED:
            return self.number(field.name, value)
        if field.name == "records":
            return [self.batch(b) for b in batches.split(value)]
        if field.name.endswith("_json"):
            return self._document(json.loads(value))
        if field.is_repeated and field.message_type is not None:
            # numbered in the order of the server's ids, whatever the order of the answer
            value = sorted(value, key=lambda m: getattr(m, "partition_id", 0))
        if field.is_repeated:
            values = [self._value_of_one(field, v) for v in value]
            if field.name in ORDERED:
                return values
            return sorted(values, key=lambda v: json.dumps(v, sort_keys=True, default=str))
        return self._value_of_one(field, value)

    def _value_of_one(self, field, value):
        return self.comparable(value) if field.message_type is not None else value

    def batch(self, batch):
        """All but the commit timestamp. Projected batches have a CRC that means nothing."""
        out = {k: v for k, v in vars(batch).items() if k not in ("timestamp", "crc", "crc_valid")}
        if batch.writer_id != -1:
            out["writer_id"] = self.number("writer_id", batch.writer_id)
        return {k: v.hex() if isinstance(v, bytes) else v for k, v in out.items()}


def _numbered(answers):
    """By label and, for a label that was used before, number."""
    out, used = {}, collections.Counter()
    for label, answer in answers:
        out[label, used[label]] = answer
        used[label] += 1
    return out


def same(scenario, ours, peer, expected=()):
    """Runs the scenario on both sides and compares all answers; those of `expected` must differ."""
    db = f"{scenario.__name__[:40]}_{secrets.token_hex(3)}"  # Fluss mixes up tables dropped just before
    sides = [Side(ours, db), Side(peer, db)]
    for side in sides:
        drop = {"database_name": side.db, "ignore_if_not_exists": True, "cascade": True}
        side.cluster.coordinator.call("DROP_DATABASE", **drop)
        side.cluster.coordinator.call("CREATE_DATABASE", database_name=side.db, ignore_if_exists=False)
        try:
            scenario(side)
        finally:
            side.cluster.coordinator.call("DROP_DATABASE", **drop)
    mine, theirs = (_numbered(side.answers) for side in sides)
    labels = dict.fromkeys([*mine, *theirs])
    different = [(k[0], mine.get(k), theirs.get(k)) for k in labels if mine.get(k) != theirs.get(k)]
    text = "\n".join(f"{label}\n  ours:  {a}\n  Fluss: {b}" for label, a, b in different)
    assert {d[0] for d in different} == set(expected), f"of {len(mine)} answers these differ:\n{text}"
