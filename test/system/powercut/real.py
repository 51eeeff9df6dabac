"""Power cuts by a real file system: ext4 that is shut down without writing its journal, then mounted again.

Everything that was not synced by then is lost, as the file system and its journal have it. Unlike images of a
record there is one outcome for each run, and no say in which.
"""

import fcntl
import os
import random
import threading

from harness import batches, wire

from . import judge, record, things, traffic

SHUTDOWN, NO_JOURNAL = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
BROKEN = (AssertionError, OSError, wire.Closed, wire.ErrorReply)


class Cut(threading.Thread):
    """Ends the file system at a random moment. While it goes down, a sync that finds its transaction neither
    running nor being committed any more succeeds, although the journal was given up: promises end here."""

    def __init__(self, run, place, seconds):
        super().__init__()
        self.mark = run.mark
        self.fd, self.seconds, self.done = os.open(place, os.O_RDONLY), seconds, threading.Event()

    def run(self):
        threading.Event().wait(self.seconds)
        self.mark("cut", "")
        self.done.set()  # what fails from now on may fail
        fcntl.ioctl(self.fd, SHUTDOWN, NO_JOURNAL.to_bytes(4, "little"))
        os.close(self.fd)


class Found(judge.Judge):
    """There is no final log to compare with: batches are compared with what was sent."""

    def log(self, key, raw, knowledge):
        bucket, at = self.run.buckets[key], 0
        for number, batch in enumerate(batches.split(raw, whole=True)):
            size = 12 + int.from_bytes(raw[at + 8 : at + 12], "little")
            assert batch.crc_valid, f"{key}: batch {number}"
            assert (batch.writer_id, batch.sequence) == (bucket.thing.writer, number), f"{key}: {batch}"
            if bucket.thing.kind != "rows":
                sent = bucket.batch(number)
                assert raw[at + 21 : at + size] == sent[21:], f"{key}: batch {number} is another one"
            at += size
        self.run.logs[key], self.ends[key], self.sizes[key] = raw, things.ends(raw), judge.sizes(raw)
        self.states.pop(key, None)
        return super().log(key, raw, knowledge)


def cycles(disk, place, seed, count):
    """`disk`: has a place, mount() and umount(). AssertionError when a promise is broken."""
    chance, before = random.Random(seed), None
    for number in range(count):
        run = traffic.Run(place / str(number), f"{seed} {number}", before, disk.place)
        traffic_until_cut(run, disk, chance.uniform(0.05, 1.5))
        disk.umount()
        disk.mount()
        entries = record.load(run.file)
        known = judge.Knowledge(entries)
        known.play(len(entries))
        run.logs = dict.fromkeys(run.buckets, b"")
        Found(run).judge(disk.place, place / str(number), known, run.seed)
        before = None, run, known


def traffic_until_cut(run, disk, seconds):
    run.up()
    run.first_tables()
    cut = Cut(run, disk.place, seconds)
    cut.start()
    try:
        while not cut.done.is_set():
            run.step()
        run.drain()
    except BROKEN:
        assert cut.done.is_set()
    finally:
        cut.join()
        run.cluster.close()
        run.server.kill()
        run.mark.close()
