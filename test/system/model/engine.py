"""What a table is, and what one of its buckets holds: rows, changelog, writers.

A row is a list as wide as the schema it was written with; two rows are the same when they are so
after padding with nulls. Every batch that is appended makes a version; a bucket can tell the row of a
key at any version and can go back to one, as a server does that lost what it had not acknowledged.
"""

from dataclasses import dataclass, field

from .aggregates import aggregate

INSERT, BEFORE, AFTER, DELETE = 1, 2, 3, 4
SCHEMA_NOT_EXIST, OUT_OF_ORDER, INVALID_TARGET, DELETION_DISABLED = 9, 31, 35, 57
REFUSED = 0  # an error whose code is no promise
REMEMBERED = 5  # batches of a writer
NO_WRITER = -1


class Refusal(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Generated:
    """A number that the server chooses; known once somebody has seen it."""

    def __init__(self):
        self.number = None

    def __repr__(self):
        return f"<generated {self.number}>"


@dataclass
class Definition:
    columns: list  # (name, type), the newest schema
    key: list  # positions
    widths: list = field(default_factory=list)  # columns of schema 1, 2, ...
    engine: str | None = None
    wal_image: bool = False
    deletes: str | None = None
    version_column: int | None = None
    functions: dict = field(default_factory=dict)  # position: aggregate function
    increment: int | None = None
    all_targets_are_none: bool = True  # naming every column is the same as naming none

    def width(self):
        return len(self.columns)

    def delete_behavior(self):
        return self.deletes or ("ignore" if self.engine else "allow")


def pad(row, width):
    return None if row is None else [*row, *[None] * (width - len(row))]


@dataclass
class Put:
    """One batch. `records`: (key bytes, row) to upsert, (key bytes, None) to delete."""

    records: list
    schema_id: int
    targets: tuple = ()
    overwrite: bool = False
    writer: int = NO_WRITER
    sequence: int = -1


@dataclass
class Entry:
    """One batch of the changelog."""

    base: int
    changes: list  # (kind, row)
    states: list  # (key, row or None)
    writer: int
    sequence: int

    @property
    def end(self):
        return self.base + max(len(self.changes), 1)


class Bucket:
    def __init__(self, definition):
        self.definition = definition
        self.entries = []
        self.history = {}  # key: [(version, row or None)]

    @property
    def version(self):
        return len(self.entries)

    @property
    def end(self):
        return self.entries[-1].end if self.entries else 0

    def end_of(self, version):
        return self.entries[version - 1].end if version else 0

    def at(self, key, version):
        """The row of a key when that many batches were appended."""
        found = None
        for since, row in self.history.get(key, ()):
            if since > version:
                break
            found = row
        return found

    def between(self, key, low, high):
        """Every (version, row) of a key that could be seen from one version to another."""
        changes = [(v, row) for v, row in self.history.get(key, ()) if low < v <= high]
        return [(low, self.at(key, low)), *changes]

    def state(self, version=None):
        version = self.version if version is None else version
        rows = {key: self.at(key, version) for key in self.history}
        return {key: row for key, row in sorted(rows.items()) if row is not None}

    def back_to(self, version):
        del self.entries[version:]
        for key, known in list(self.history.items()):
            self.history[key] = [(v, row) for v, row in known if v <= version]

    def put(self, put):
        """The end of the changelog that the server answers; raises Refusal."""
        definition = self.definition
        if not 0 <= put.schema_id <= len(definition.widths):
            raise Refusal(SCHEMA_NOT_EXIST)
        merger = Merger(definition, put)
        changes, fresh = [], {}
        for key, row in put.records:
            old = fresh[key] if key in fresh else self.at(key, self.version)
            kept = merger.delete(old, changes) if row is None else merger.upsert(old, row, changes)
            if kept is not old:
                fresh[key] = kept
        known = self._sequence(put)
        if known is not None:
            return known
        self.entries.append(Entry(self.end, changes, list(fresh.items()), put.writer, put.sequence))
        for key, row in fresh.items():
            self.history.setdefault(key, []).append((self.version, row))
        return self.end

    def _sequence(self, put):
        """None for the next batch of a writer, the remembered end for one that came before."""
        if put.writer == NO_WRITER:
            return None
        own = [e for e in self.entries if e.writer == put.writer]
        for entry in own[-REMEMBERED:]:
            if entry.sequence == put.sequence:
                return entry.end
        if put.sequence != (own[-1].sequence + 1 if own else 0):
            raise Refusal(OUT_OF_ORDER)
        return None


class Merger:
    """How the records of one batch meet the rows that are there."""

    def __init__(self, definition, put):
        self.definition = definition
        self.engine = None if put.overwrite else definition.engine
        self.deletes = "allow" if put.overwrite else definition.delete_behavior()
        self.targets = set(put.targets)
        if definition.increment is not None and (not put.targets or definition.increment in self.targets):
            raise Refusal(INVALID_TARGET)
        if len(self.targets) == definition.width() and self.engine is None:
            if definition.all_targets_are_none:
                self.targets = set()
        if self.targets:
            self._check_targets()
        self.blind = (
            definition.wal_image and definition.increment is None and self.engine is None and not self.targets
        )

    def _check_targets(self):
        if self.engine in ("first_row", "versioned"):
            raise Refusal(REFUSED)
        if not self.targets.issuperset(self.definition.key):
            raise Refusal(INVALID_TARGET)
        for i, (_, data_type) in enumerate(self.definition.columns):
            if i not in self.definition.key and data_type.get("nullable") is False:
                raise Refusal(INVALID_TARGET)

    def upsert(self, old, row, changes):
        if self.blind:
            changes.append((AFTER, row))
            return row
        if old is None:
            return self._insert(row, changes)
        new = self._merged(old, row)
        if new is old:
            return old
        return self._update(old, new, changes)

    def _insert(self, row, changes):
        if self.targets and self.engine is None:
            row = [v if i in self.targets else None for i, v in enumerate(row)]
        if self.definition.increment is not None:
            row = list(row)
            row[self.definition.increment] = Generated()
        changes.append((INSERT, row))
        return row

    def _update(self, old, new, changes):
        if not self.definition.wal_image:
            changes.append((BEFORE, old))
        changes.append((AFTER, new))
        return new

    def _merged(self, old, row):
        definition = self.definition
        if self.engine == "first_row":
            return old
        if self.engine == "versioned":
            return row if self._version(row) >= self._version(old) else old
        if self.engine == "aggregation":
            return self._aggregated(old, row)
        if not self.targets:
            return row
        if self.targets == set(definition.key):
            return old
        old, row = pad(old, definition.width()), pad(row, definition.width())
        return [row[i] if i in self.targets else old[i] for i in range(definition.width())]

    def _version(self, row):
        """Null counts as the smallest value of the type."""
        value = row[self.definition.version_column]
        data_type = self.definition.columns[self.definition.version_column][1]
        if value is None:
            value = (-(2**63), 0) if "TIMESTAMP" in data_type["type"] else None
        if value is None:
            value = -(2**31) if data_type["type"] == "INTEGER" else -(2**63)
        return value

    def _aggregated(self, old, row):
        definition = self.definition
        old, row = pad(old, definition.width()), pad(row, definition.width())
        out = []
        for i, (_, data_type) in enumerate(definition.columns):
            if i in definition.key or (self.targets and i not in self.targets):
                out.append(old[i])
            else:
                out.append(aggregate(definition.functions.get(i), data_type, old[i], row[i]))
        return out

    def delete(self, old, changes):
        if self.deletes == "disable":
            raise Refusal(DELETION_DISABLED)
        if self.deletes == "ignore" or old is None:
            return old
        kept = self._partly_deleted(old)
        if kept is None:
            changes.append((DELETE, old))
            return None
        return self._update(old, kept, changes)

    def _partly_deleted(self, old):
        definition = self.definition
        if not self.targets or all(v is None for i, v in enumerate(old) if i not in self.targets):
            return None
        old = pad(old, definition.width())
        return [v if i in definition.key or i not in self.targets else None for i, v in enumerate(old)]
