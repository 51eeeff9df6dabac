"""What a power cut may leave on a disk.

`Disk.play` follows a record and keeps two things apart: what is on the device for sure, since a sync that has
returned covered it, and what may or may not be. `Disk.image` decides the latter at random and writes
the outcome into a folder. The rules:

- A sync of a file covers the contents and size that the file had when the sync began; a sync of a
  directory the names in it. Nothing else does: a synced file may have lost its name.
- Contents reach the device in any order, page by page (4096 bytes), or sector by sector (512) when a
  page is torn; a page or sector is as it was after some of the writes to it, never a mixture. What is
  lost inside of a file reads as zeros, or as what the device had there before from some other file.
- A change of a file's size and what was written after it come in this order.
- A rename is atomic. Names reach the device in the order of their changes (journalling file systems),
  in this order within each directory only, or in any order.
"""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from . import record

PAGE, SECTOR = 4096, 512


@dataclass(eq=False)
class File:
    """`safe`: its contents on the device. `pending`: (entry number, offset or None, bytes or size)."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list = field(default_factory=list)

    def sync(self, number):
        while self.pending and self.pending[0][0] < number:
            _, offset, what = self.pending.pop(0)
            apply(self.safe, offset, what)


@dataclass(eq=False)
class Folder:
    """`names`: name -> (entry number, File, Folder or None) on the device for sure."""

    names: dict = field(default_factory=dict)


@dataclass(eq=False)
class Change:
    """Of names, atomically: [(folder, name, what it is from now on or None)]; synced with the last folder."""

    number: int
    names: list


def apply(content, offset, what):
    if offset is None:
        if what < len(content):
            del content[what:]
        else:
            content.extend(bytes(what - len(content)))
        return
    end = offset + len(what)
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:end] = what


@dataclass
class Choice:
    """How an image is made. `until`: pending changes from this entry on are lost."""

    kind: str
    until: int
    keep: float = 1.0  # the share of other pending changes that is kept
    torn: bool = False  # sector by sector
    names: str = "ordered"  # ordered, by folder, any
    stale: bool = False  # what is lost in a file reads as old bytes of other files
    short: bool = True  # a file ends where its last kept bytes end


KINDS = ("ordered", "synced", "torn", "reordered")


def choose(kind, position, oldest, chance):
    if kind == "ordered":
        return Choice(kind, position)
    if kind == "synced":
        return Choice(kind, 0)
    until = position if chance.random() < 0.5 else chance.randint(min(oldest, position), position)
    stale, short = chance.random() < 0.3, chance.random() < 0.5
    if kind == "torn":  # everything in order, but for the last pages of each file
        return Choice(kind, until, chance.choice([0.5, 0.9]), True, "ordered", stale, short)
    keep, names = chance.choice([0.1, 0.5, 0.9]), chance.choice(["ordered", "by folder", "any"])
    return Choice(kind, until, keep, chance.random() < 0.5, names, stale, short)


class Disk:
    def __init__(self, start, entries, root):
        """`start`: a folder with what was there before the record; `root`: where it was then."""
        self.entries, self.root = entries, Path(root)
        self.top = Folder()
        self.now = {str(self.root): self.top}  # path -> File or Folder, as the program sees them
        self.inodes = {}
        self.syncs = {}
        self.changes = []
        self.position = 0
        if start is not None:
            self._adopt(start, self.top, self.root)

    def _adopt(self, place, folder, path):
        for child in sorted(place.iterdir()):
            found = Folder() if child.is_dir() else File(bytearray(child.read_bytes()))
            folder.names[child.name] = (-1, found)
            self.now[str(path / child.name)] = found
            if child.is_dir():
                self._adopt(child, found, path / child.name)

    # ---- following the record ----

    def play(self, position):
        """Up to, and without, the entry of this number."""
        assert position >= self.position
        while self.position < position:
            self._step(self.position, self.entries[self.position])
            self.position += 1

    def _step(self, number, e):
        if e.kind in (record.WRITE, record.TRUNCATE):
            offset, what = (e.a, e.payload) if e.kind == record.WRITE else (None, e.a)
            self.inodes[e.inode].pending.append((number, offset, what))
        elif e.kind == record.SYNC_BEGIN:
            self.syncs[e.a] = number
        elif e.kind == record.SYNC_END:
            self._synced(self.inodes[e.inode], self.syncs.pop(e.a))
        elif e.kind in (record.CREATE, record.MAKE_DIR):
            made = File() if e.kind == record.CREATE else Folder()
            self.inodes[e.inode] = made
            self._change(number, (e.path(), made))
        elif e.kind == record.REMOVE:
            if e.path() in self.now:
                self._change(number, (e.path(), None))
        elif e.kind == record.RENAME:
            self._rename(number, *e.paths())
        elif e.kind == record.LINK:
            source, target = e.paths()
            self._change(number, (target, self.now[source]))
        elif e.kind == record.MARK and e.mark()[0] == "inodes":
            for path, inode in e.mark()[1].items():
                self.inodes[inode] = self.now[path]

    def _change(self, number, *names):
        listed = []
        for path, what in names:
            parent, _, name = path.rpartition("/")
            listed.append((self.now[parent], name, what))
            if what is None:
                self.now.pop(path, None)
            else:
                self.now[path] = what
        self.changes.append(Change(number, listed))

    def _rename(self, number, source, target):
        moved = self.now.get(source)
        if moved is None:
            return  # written through stdio
        self._change(number, (source, None), (target, moved))
        below = source + "/"
        for path in [p for p in self.now if p.startswith(below)] if isinstance(moved, Folder) else ():
            self.now[target + path[len(source) :]] = self.now.pop(path)

    def _synced(self, what, began):
        if isinstance(what, File):
            what.sync(began)
            return
        for change in [c for c in self.changes if c.names[-1][0] is what and c.number < began]:
            self.changes.remove(change)
            for folder, name, found in change.names:
                if folder.names.get(name, (-1,))[0] < change.number:
                    folder.names[name] = (change.number, found)

    # ---- images ----

    def image(self, place, kind, seed):
        """Writes one image into the empty folder `place`; returns how it was chosen."""
        chance = random.Random(f"{seed} {self.position} {kind}")
        pending = [f.pending[0][0] for f in self.inodes.values() if isinstance(f, File) and f.pending]
        oldest = min([c.number for c in self.changes[:1]] + pending, default=self.position)
        choice = choose(kind, self.position, oldest, chance)
        self._write(self.top, str(place), self._names(choice, chance), choice, chance)
        return choice

    def _names(self, choice, chance):
        """Folder -> {name: what it is in this image}, where that is not what it is for sure."""
        out, stopped = {}, set()
        order = choice.names if choice.kind == "reordered" else "ordered"
        for change in self.changes:
            if change.number >= choice.until:
                break
            group = {"ordered": None, "by folder": change.names[-1][0], "any": change}[order]
            kept = chance.random() < (choice.keep if order == "any" else 0.8 + choice.keep / 5)
            if choice.kind == "reordered" and (group in stopped or not kept):
                stopped.add(group)
                continue
            for folder, name, what in change.names:
                if folder.names.get(name, (-1,))[0] < change.number:
                    out.setdefault(folder, {})[name] = what
        return out

    def _write(self, folder, place, changed, choice, chance):
        names = {n: found[1] for n, found in folder.names.items()}
        names.update(changed.get(folder, {}))
        for name, what in names.items():
            path = f"{place}/{name}"
            if isinstance(what, Folder):
                os.mkdir(path)
                self._write(what, path, changed, choice, chance)
            elif what is not None:
                with open(path, "wb", buffering=0) as out:
                    out.write(self._content(what, choice, chance))

    def _content(self, file, choice, chance):
        pending = [p for p in file.pending if p[0] < choice.until]
        if not pending:
            return file.safe
        full = bytearray(file.safe)
        if choice.kind == "ordered":
            for _, offset, what in pending:
                apply(full, offset, what)
            return full
        if choice.kind == "reordered" and chance.random() < 0.3:
            del pending[chance.randrange(len(pending)) :]
        return scattered(file.safe, pending, choice, chance, self._stale)

    def _stale(self, size, chance):
        """Bytes that were somewhere on the device before."""
        for _ in range(20):
            entry = self.entries[chance.randrange(self.position)]
            if entry.kind == record.WRITE and len(entry.payload) >= size:
                at = chance.randrange(len(entry.payload) - size + 1)
                return entry.payload[at : at + size]
        return bytes(size)


def scattered(safe, pending, choice, chance, stale):
    """The contents after some of the pending writes, decided for each page or sector alone."""
    full, sizes = bytearray(safe), []
    for _, offset, what in pending:
        apply(full, offset, what)
        sizes.append(len(full))
    out = bytearray(full)
    kept_end = min([len(safe), *sizes])
    step = SECTOR if choice.torn else PAGE
    first_torn = len(full) - chance.randrange(1, 8 * PAGE) if choice.kind == "torn" else 0
    for at in dirty(pending, len(full), step):
        end = min(at + step, len(full))
        version = len(pending)
        if at >= first_torn and chance.random() >= choice.keep:
            version = chance.randrange(len(pending))
        if version == len(pending):
            kept_end = max(kept_end, end)
            continue
        out[at:end] = version_of(safe, pending, version, at, end, len(full))
        known = min([len(safe) if version == 0 else sizes[version - 1], *sizes[version:]])
        kept_end = max(kept_end, min(known, end)) if version else kept_end
        if choice.stale and known < end:
            lost = max(at, known)
            out[lost:end] = stale(end - lost, chance)
    if choice.short:
        del out[kept_end:]
    return out


def dirty(pending, size, step):
    """Where the pages or sectors begin that pending changes touch."""
    out = set()
    for _, offset, what in pending:
        if offset is not None:
            out.update(range(offset - offset % step, min(offset + len(what), size), step))
    return sorted(out)


def version_of(safe, pending, version, begin, end, size):
    """Bytes begin..end after the first `version` pending changes; cuts that come later count as well."""
    out = bytearray(end - begin)
    have = safe[begin:end]
    out[: len(have)] = have
    for number, (_, offset, what) in enumerate(pending):
        if offset is None:
            if what < end:
                cut = max(what - begin, 0)
                out[cut:] = bytes(len(out) - cut)
        elif number < version:
            low, high = max(begin, offset), min(end, offset + len(what))
            if low < high:
                out[low - begin : high - begin] = what[low - offset : high - offset]
    return out
