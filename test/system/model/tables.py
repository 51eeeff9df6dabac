"""A primary-key table chosen at random, and how a client spells its rows, keys, batches and answers."""

import zlib

import pyarrow as pa
from harness import kv, rows, tables
from harness.rows import kind

from . import aggregates, bitmaps, values
from .engine import Definition
from .values import BIGINT, INTEGER, STRING

ENGINES = [None, "first_row", "versioned", "aggregation", "increment"]
KEY_TYPES = [INTEGER, BIGINT, STRING, {"type": "DATE"}, kv.decimal(10, 2), kv.timestamp(3), kv.CHAR]
VERSION_TYPES = [INTEGER, BIGINT, kv.timestamp(3), kv.timestamp(6, local=True)]
PARTITIONS = ["p1", "p2"]
KEYS = 24  # in each bucket, so that most writes meet a row


class Shape:
    """The properties of a table, from its seed alone."""

    def __init__(self, seed, chance, peer):
        self.engine = ENGINES[seed % len(ENGINES)]
        self.chance = chance
        self.partitioned = chance.random() < 0.3
        self.buckets = chance.choice([1, 1, 2])
        count = chance.choice([1, 1, 2, 3])
        names = [(f"k{i}", chance.choice(KEY_TYPES)) for i in range(count)]
        more = [(f"v{i}", chance.choice(values.TYPES)) for i in range(chance.randrange(0, 7))]
        if self.engine == "versioned":
            more.append(("version", chance.choice(VERSION_TYPES)))
        if self.engine == "increment":
            more.append(("number", chance.choice([INTEGER, BIGINT])))
        columns = [*names, *more]
        if self.partitioned:
            columns.append(("part", STRING))
        chance.shuffle(columns)
        self.key_names = [n for n, _ in names]
        self.bucket_names = self.key_names[: chance.randrange(1, count + 1)]
        self.form = chance.choice(["COMPACTED", "COMPACTED", "INDEXED"])
        self.log_form = "ARROW" if peer or chance.random() < 0.7 else "COMPACTED"
        self.definition = self._definition(columns, peer)
        self.not_null = None
        if self.engine in (None, "first_row") and more and chance.random() < 0.15:
            self.not_null = more[0][0]

    def _definition(self, columns, peer):
        names = [n for n, _ in columns]
        definition = Definition(columns, [names.index(n) for n in self.key_names], [len(columns)])
        if self.partitioned:
            definition.key.append(names.index("part"))
        definition.all_targets_are_none = not peer
        definition.engine = None if self.engine == "increment" else self.engine
        definition.wal_image = self.engine != "aggregation" and self.chance.random() < 0.3
        allowed = [None, "ignore", "disable"]
        if self.engine not in ("first_row", "versioned"):
            allowed += ["allow", "allow"]
        definition.deletes = self.chance.choice(allowed)
        if self.engine == "versioned":
            definition.version_column = names.index("version")
        if self.engine == "increment":
            definition.increment = names.index("number")
        if self.engine == "aggregation":
            for i, (_, data_type) in enumerate(columns):
                if i not in definition.key:
                    definition.functions[i] = aggregates.choose(self.chance, data_type)
        return definition

    def properties(self):
        definition = self.definition
        out = {
            "table.kv.format": self.form,
            "table.log.format": self.log_form,
            "table.log.arrow.compression.type": self.chance.choice(["NONE", "ZSTD"]),
        }
        if definition.engine:
            out["table.merge-engine"] = definition.engine
        if self.engine == "versioned":
            out["table.merge-engine.versioned.ver-column"] = "version"
        if definition.wal_image:
            out["table.changelog.image"] = "WAL"
        if definition.deletes:
            out["table.delete.behavior"] = definition.deletes
        if self.engine == "increment" and self.chance.random() < 0.5:
            out["table.auto-increment.cache-size"] = "7"
        return out

    def __str__(self):
        definition = self.definition
        parts = [f"{n} {t['type']}" for n, t in definition.columns]
        return (
            f"{self.engine} key={self.key_names} bucket key={self.bucket_names} {self.form}/{self.log_form} "
            f"wal={definition.wal_image} deletes={definition.deletes} {parts}"
        )


class ModelTable(tables.Table):
    """The table on the server. `place`: (partition name or None, bucket)."""

    @classmethod
    def make(cls, cluster, db, name, shape):
        columns = {n: dict(t) for n, t in shape.definition.columns}
        if shape.not_null:
            columns[shape.not_null]["nullable"] = False
            shape.definition.columns = [(n, columns[n]) for n, _ in shape.definition.columns]
        functions = {shape.definition.columns[i][0]: f for i, f in shape.definition.functions.items() if f}
        table = super().create(
            cluster,
            db,
            name,
            columns,
            primary_key=[*shape.key_names, *(["part"] if shape.partitioned else [])],
            bucket_key=shape.bucket_names,
            buckets=shape.buckets,
            partition_key=["part"] if shape.partitioned else [],
            properties=shape.properties(),
            aggregates=functions,
            auto_increment="number" if shape.engine == "increment" else None,
        )
        table.shape = shape
        table.definition = shape.definition
        for partition in PARTITIONS if shape.partitioned else []:
            table.add_partition(part=partition)
        return table

    def places(self):
        partitions = PARTITIONS if self.shape.partitioned else [None]
        return [(p, b) for p in partitions for b in range(self.shape.buckets)]

    def where(self, place):
        partition, bucket = place
        fields = {"bucket_id": bucket}
        return fields if partition is None else {**fields, "partition_id": self.partitions[partition]}

    def where_to_read(self, place):
        partition, bucket = place
        return {"bucket": bucket, "partition": partition and self.partitions[partition]}

    # keys and rows

    def position(self, name):
        return [n for n, _ in self.definition.columns].index(name)

    def _encoded(self, names, row):
        at = [self.position(n) for n in names]
        return rows.compacted_key([self.definition.columns[i][1] for i in at], [row[i] for i in at])

    def key(self, row):
        return self._encoded(self.shape.key_names, row)

    def prefix(self, row):
        return self._encoded(self.shape.bucket_names, row)

    def has_prefix(self):
        return len(self.shape.bucket_names) < len(self.shape.key_names)

    def bucket_of(self, row):
        """Any function of the bucket key will do: the server believes the client."""
        return zlib.crc32(self.prefix(row)) % self.shape.buckets

    def types(self, width):
        return [t for _, t in self.definition.columns[:width]]

    def _bitmaps(self):
        functions = self.definition.functions.items()
        return [i for i, f in functions if f and f["type"] == "rbm32"]

    def write_row(self, row):
        row = list(row)
        for i in self._bitmaps():
            if i < len(row) and row[i] is not None:
                row[i] = bitmaps.pack(row[i])
        return rows.row(self.types(len(row)), row, self.shape.form)

    def read_row(self, raw, schema_id, form=None):
        assert 1 <= schema_id <= len(self.definition.widths), f"schema {schema_id}"
        types = self.types(self.definition.widths[schema_id - 1])
        return self._read(values.row(types, raw, form or self.shape.form))

    def _read(self, row, columns=None):
        for i in self._bitmaps():
            at = i if columns is None else columns.index(i) if i in columns else None
            if at is not None and at < len(row) and row[at] is not None:
                row[at] = bitmaps.unpack(row[at])
        return row

    def read_value(self, raw):
        return self.read_row(raw[2:], int.from_bytes(raw[:2], "little"))

    def random_row(self, chance, width):
        """All columns but the key and the partition are arbitrary."""
        out = []
        for i, (_, data_type) in enumerate(self.definition.columns[:width]):
            if i in self._bitmaps():
                value = frozenset(chance.randrange(200_000) for _ in range(chance.randrange(6)))
            elif data_type.get("nullable") is False:
                value = values.make(chance, data_type)
            else:
                value = values.maybe(chance, data_type)
            out.append(value)
        return out

    # changelog

    def changes_of(self, batch, columns=None):
        """(kind, row) of every record of a batch."""
        if not batch.count:
            return []
        if self.shape.log_form != "ARROW":
            return self._changes_of_rows(batch)
        width = self.definition.widths[batch.schema_id - 1]
        at = range(width) if columns is None else columns
        chosen = [self.definition.columns[i] for i in at]
        data = batch.table(pa.schema([(n, kv.arrow_type(t)) for n, t in chosen]))
        found = values.columns_of_arrow(data, [t for _, t in chosen])
        return list(zip(batch.body[: batch.count], [self._read(r, columns) for r in found], strict=True))

    def _changes_of_rows(self, batch):
        out, at = [], 0
        for _ in range(batch.count):
            size = int.from_bytes(batch.body[at : at + 4], "little")
            raw = batch.body[at + 5 : at + 4 + size]
            out.append((batch.body[at + 4], self.read_row(raw, batch.schema_id, self.shape.log_form)))
            at += 4 + size
        assert at == len(batch.body)
        return out


def column_to_add(chance):
    return chance.choice([t for t in values.TYPES if kind(t) != "ROW"])  # its fields would need ids
