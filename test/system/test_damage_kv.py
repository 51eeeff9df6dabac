"""Primary-key tables on disks that fill up, lose what was written, or damage it.

Whatever happens to the rows of a bucket, its changelog makes them again; whatever happens to the end of
a changelog that was not on the device, the rows follow it.
"""

import os
import random
import shutil
import struct
import time

import pytest
from harness import kv, patience, snapshots, tables, wire
from model import traffic

pytestmark = pytest.mark.own_server

COLUMNS = {"id": tables.INT, "text": tables.STRING}


def written(launch, **options):
    """A server with a table of some traffic, stopped; (server, table, changelogs so far)."""
    server = launch(options={"kv.snapshot.interval": "1h", **options})
    table = traffic.create(wire.Cluster(server.address))
    logs = traffic.changelogs()
    for number in range(2):  # the second time upon a state
        if not server.running():
            server.start()
        known = traffic.one_round(server, table, number, f"damage {number}", [-1])
        check(server, table, logs, known)
        table.cluster.close()
        server.terminate()
    return server, table, logs


def check(server, table, logs, known=None):
    server.start()
    traffic.open_again(server, table)
    for bucket, log in enumerate(logs):
        log.read(table, bucket)
    if known:
        traffic.judge(known, logs)
    traffic.compare_state(table, logs)


def flip(path, chance):
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


DAMAGE = {
    "a byte flipped": flip,
    "cut short": lambda path, chance: os.truncate(path, chance.randrange(path.stat().st_size)),
    "empty": lambda path, _: os.truncate(path, 0),
    "missing": lambda path, _: path.unlink(),
    "zeros": lambda path, _: path.write_bytes(bytes(path.stat().st_size)),
}


def await_state(table, logs):
    """Damage that is found when a row is read makes the state anew then: clients try again."""
    end = time.monotonic() + patience.PATIENCE_S
    while True:
        try:
            return traffic.compare_state(table, logs)
        except AssertionError as e:
            if "error_code" not in str(e) or time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_rows_are_made_anew(launch, kind):
    damage(launch, kind, "*.sst")


@pytest.mark.parametrize("kind, files", [("missing", "MANIFEST-*"), ("zeros", "CURRENT")])
def test_a_damaged_list_of_files_is_made_anew(launch, kind, files):
    damage(launch, kind, files)


@pytest.mark.slow
@pytest.mark.parametrize("files", ["MANIFEST-*", "CURRENT"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_any_damaged_list_of_files_is_made_anew(launch, kind, files):
    damage(launch, kind, files)


def damage(launch, kind, files):
    server, table, logs = written(launch)
    chance = random.Random(f"{kind} {files}")
    found = list(server.data_dir.rglob(f"kv-*/db/{files}"))
    assert found
    for path in found:
        DAMAGE[kind](path, chance)
    server.start()
    traffic.open_again(server, table)
    await_state(table, logs)
    table.cluster.close()
    known = traffic.one_round(server, table, 5, "afterwards", [-1])
    check(server, table, logs, known)
    table.cluster.close()


@pytest.mark.parametrize("trimmed", [False, True], ids=["", "trimmed"])
def test_a_damaged_snapshot_is_never_served(launch, trimmed):
    """Wherever a table file was hit: an older snapshot or the log makes the rows, and a new one is made."""
    options = {"kv.snapshot.interval": "200ms", "kv.snapshot.num-retained": 2}
    if trimmed:
        options |= {
            "log.segment.file-size": "32kb",
            "log.retention.check-interval": "100ms",
            "log.retention.roll-active-segment.enabled": "true",
        }
    server = launch(options=options)
    properties = {"table.log.ttl": "1ms"} if trimmed else {}
    table = kv.KvTable.create(
        wire.Cluster(server.address), "fluss", "t", COLUMNS, ["id"], properties=properties
    )
    bucket = snapshots.Bucket(server, table)
    taken = []
    for number in range(2):  # of rows of their own: no file has the rows of both
        for first in range(0, 2000, 200):
            end = table.write(*[[number * 2000 + first + i, f"{i} " * 20] for i in range(200)])
        taken.append(snapshots.wait(table, end))
    if trimmed:
        patience.until(lambda: table.offset(0) > 0, "the log keeps its begin")
    chance, newest = random.Random(7), taken[-1]
    for _ in range(1 if trimmed else 2):
        table.cluster.close()
        server.terminate()
        older = [snapshots.named(bucket.metadata(i)) for i in bucket.ids() if trimmed and i != newest]
        hit = snapshots.named(bucket.metadata(newest)).difference(*older)
        assert hit
        for name in hit:
            flip(bucket.remote / "shared" / name, chance)
        shutil.rmtree(bucket.local / "db")
        known = server.stderr()
        server.start()
        table.cluster = wire.Cluster(server.address)
        table.open()
        values = [table.value(i, f"{i % 200} " * 20) for i in range(4000)]
        assert table.lookup(*[(i,) for i in range(4000)]) == values
        text = server.stderr().removeprefix(known)
        assert f"cannot start from its snapshot {newest}: " in text and "made anew" not in text
        patience.until(lambda n=newest: snapshots.listed(table)[0][0] > n, "the damaged one stays the newest")
        newest = snapshots.listed(table)[0][0]
    table.cluster.close()


def test_a_state_that_cannot_be_had_is_complained_of_once(launch):
    """Nothing to start from, and a log that no longer reaches back: looked at less and less often."""
    options = {
        "kv.snapshot.interval": "200ms",
        "log.segment.file-size": "32kb",
        "log.retention.check-interval": "100ms",
        "log.retention.roll-active-segment.enabled": "true",
    }
    server = launch(options=options)
    table = kv.KvTable.create(
        wire.Cluster(server.address), "fluss", "t", COLUMNS, ["id"], properties={"table.log.ttl": "1ms"}
    )
    bucket = snapshots.Bucket(server, table)
    for number in range(2):  # the log stays from the one before the newest on
        for _ in range(10):
            end = table.write(*[[i, f"{number} " * 20] for i in range(200)])
        snapshots.wait(table, end)
    patience.until(lambda: table.offset(0) > 0, "the log keeps its begin")
    table.cluster.close()
    server.terminate()
    bucket.remote.rename(server.workdir / "taken away")
    shutil.rmtree(bucket.local / "db")
    server.start()
    table.cluster = wire.Cluster(server.address)
    known = server.stderr()
    fields = table.lookup_fields((7,))
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        answer = table.cluster.tablet.call("LOOKUP", **fields).buckets_resp[0]
        assert answer.HasField("error_code")
        time.sleep(0.05)
    said = server.stderr().removeprefix(known)
    assert said.count("its state cannot be opened") <= 1, said
    shutil.rmtree(bucket.remote, ignore_errors=True)
    (server.workdir / "taken away").rename(bucket.remote)

    def healed():
        answer = table.cluster.tablet.call("LOOKUP", **fields).buckets_resp[0]
        return not answer.HasField("error_code")

    patience.until(healed, "the snapshot is back, the state is not")
    assert table.lookup((7,)) == [table.value(7, "1 " * 20)]
    table.cluster.close()


def synced_to(data_dir, bucket):
    """The offset to which the log was on the device, as the checkpoint says."""
    path = data_dir / "recovery-point-offset-checkpoint"
    lines = [line.split() for line in path.read_text().splitlines()[2:]] if path.exists() else []
    return max((int(end) for *_, number, end in lines if int(number) == bucket), default=0)


def cut_short(log, synced, chance):
    """A log of one segment loses what comes behind some byte; not what was on the device."""
    data, kept = log.read_bytes(), 0
    while kept + 12 <= len(data):
        offset, size = struct.unpack_from("<qi", data, kept)
        if offset >= synced or size == 0:  # zeros: written in advance
            break
        kept += 12 + size
    os.truncate(log, chance.randrange(max(kept, len(data) // 2), len(data) + 1))


def await_snapshots(table):
    """The newest snapshot of each bucket is of its whole log, whatever the one before was of."""
    ends = {b: end for b in range(traffic.BUCKETS) if (end := table.offset(1, b))}

    def ready():
        found = snapshots.listed(table)
        assert all(offset <= ends.get(b, 0) for b, (_, offset) in found.items()), (found, ends)
        return {b: offset for b, (_, offset) in found.items()} == ends

    patience.until(ready, f"no new snapshots: {snapshots.listed(table)}, the logs end at {ends}")


def cut_to(log, end):
    """A log of one segment ends at a batch, as after a power failure."""
    data, at = log.read_bytes(), 0
    while at + 12 <= len(data):
        offset, size = struct.unpack_from("<qi", data, at)
        if offset >= end or size == 0:
            break
        at += 12 + size
    os.truncate(log, at)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_snapshot_that_is_given_up_leaves_the_list(launch, kept):
    """The log is cut below the newest of two snapshots, or both: the bucket goes on as if they had never been."""
    options = {"kv.snapshot.interval": "100ms", "kv.snapshot.num-retained": 2, "log.durability": "os"}
    server = launch(options=options)
    table = kv.KvTable.create(wire.Cluster(server.address), "fluss", "t", COLUMNS, ["id"])
    bucket = snapshots.Bucket(server, table)
    ends, taken = [], []
    for number in range(2):
        ends.append(table.write(*[[i, f"{number} {i}"] for i in range(20)]))
        taken.append(snapshots.wait(table, ends[-1]))
    table.cluster.close()
    server.kill()
    end = [0, *ends][kept]
    for log in server.data_dir.rglob("log-0/*.log"):
        cut_to(log, end)
    known = server.stderr()
    server.start()
    table.cluster = wire.Cluster(server.address)
    table.open()
    assert table.offset(1) == end
    assert snapshots.listed(table) == ({0: (taken[kept - 1], end)} if kept else {})
    assert table.lookup((7,)) == [table.value(7, f"{kept - 1} 7") if kept else None]
    end = table.write([7, "anew"])
    assert snapshots.wait(table, end) > taken[-1], "an id is given to another snapshot"
    given_up = taken[kept:]
    patience.until(lambda: not set(given_up) & set(bucket.ids()), "its files stay")
    end = table.write([8, "anew"])
    newest = snapshots.wait(table, end)
    time.sleep(0.5)
    said = server.stderr().removeprefix(known)
    assert said.count("is given up") == len(given_up)
    assert "of no use" not in said and "stay" not in said, said
    table.cluster.close()
    server.kill()
    shutil.rmtree(bucket.local / "db")
    server.start()
    table.cluster = wire.Cluster(server.address)
    table.open()
    assert table.lookup((7,), (8,)) == [table.value(7, "anew"), table.value(8, "anew")]
    assert f"starts from its snapshot {newest}" in server.stderr()
    table.cluster.close()


@pytest.mark.parametrize("often", [False, True], ids=["", "snapshots"])
def test_the_state_follows_a_log_cut_short(launch, often):
    """With log.durability=os a power failure may take acknowledged writes along, but all of each."""
    options = {"kv.snapshot.interval": "1s" if often else "1h", "log.durability": "os"}
    server, table, logs = written(launch, **options)
    chance = random.Random(5)
    for number in range(4):
        server.start()
        traffic.open_again(server, table)
        table.cluster.close()
        traffic.one_round(server, table, 10 + number, f"cut {number}", [-1])
        for bucket in range(traffic.BUCKETS):
            for log in server.data_dir.rglob(f"log-{bucket}/*.log"):
                cut_short(log, synced_to(server.data_dir, bucket), chance)
        if number % 2:
            traffic.lose_state(server)
        check(server, table, traffic.changelogs())
        if often:
            await_snapshots(table)
        table.cluster.close()
        server.kill()
    server.start()


BIG = 400_000  # bytes of a row


def big_row(key, number):
    return [key, f"{number} " + random.Random(number).randbytes(BIG // 2).hex()]


def put_big(table, number):
    return table.put(big_row(number % 20, number), timeout_ms=30_000)


TIME_OUT = 25
RETRIABLE = {10, 11, TIME_OUT, 26, 72}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("restart", [False, True], ids=["", "restart while full"])
def test_a_full_disk(launch, small_disk, restart):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(20 << 20))
    server = launch(data_dir=small_disk / "data", options={"eider.kv.memory": "8mb"})
    table = kv.KvTable.create(wire.Cluster(server.address), "fluss", "t", COLUMNS, ["id"])
    number, answer = 0, None
    while number < 300:
        answer = put_big(table, number)
        if answer.HasField("error_code"):
            break
        number += 1
    assert answer.error_code in RETRIABLE, answer
    assert number > 10
    server.check()
    expect_newest(table, number, full=server)
    if restart:
        table.cluster.close()
        server.kill()
        server.start()
        table.cluster = wire.Cluster(server.address)  # the rows may have to wait for space
    ballast.unlink()
    end, after = time.monotonic() + patience.PATIENCE_S, number
    while after < number + 5:
        answer = put_big(table, after)
        assert not answer.HasField("error_code") or answer.error_code in RETRIABLE, answer
        after += not answer.HasField("error_code")
        assert time.monotonic() < end, f"space is back but writing is not: {answer}"
    expect_newest(table, after)
    table.cluster.close()
    server.kill()
    server.start()
    table.cluster = wire.Cluster(server.address)
    table.open()
    expect_newest(table, after)
    table.cluster.close()
    server.finish()


def fill(path):
    """Takes all the space there is; removing the file gives it back."""
    with open(path, "ab", buffering=0) as ballast:
        with pytest.raises(OSError, match="No space left"):
            while ballast.write(bytes(4096)):
                pass


@pytest.mark.parametrize("restart", [False, True], ids=["", "restart while full"])
def test_a_disk_too_full_for_the_state(launch, small_disk, restart):
    """Neither written nor opened: whoever needs rows tries again, the changelog is there all the time."""
    options = {"log.retention.check-interval": "100ms", "eider.kv.memory": "8mb"}
    server = launch(data_dir=small_disk / "data", options=options)
    table = kv.KvTable.create(wire.Cluster(server.address), "fluss", "t", COLUMNS, ["id"])
    end = table.write(*[[i, f"row {i}"] for i in range(1000)])
    written, unsure = [], []

    def put():
        row = [7, f"number {len(written)} after {len(unsure)} that may be there"]
        answer = table.put(row, timeout_ms=1000)
        assert not answer.HasField("error_code") or answer.error_code in RETRIABLE, answer
        if answer.error_code == TIME_OUT:
            unsure.append(row)
        elif not answer.HasField("error_code"):
            written.append(row)
        return not answer.HasField("error_code")

    def until_stderr_has(text):
        known, deadline = len(server.stderr()), time.monotonic() + patience.PATIENCE_S
        while text not in server.stderr()[known:]:
            fill(small_disk / "ballast")
            put()  # the last page of the log has room for some
            assert table.records(offset=end - 1)
            assert time.monotonic() < deadline
            time.sleep(0.05)

    until_stderr_has("the state is not to be used")
    if restart:
        fill(small_disk / "ballast")
        table.cluster.close()
        server.kill()
        os.unlink(small_disk / "ballast")  # the catalog needs some
        server.start()
        table.cluster = wire.Cluster(server.address)
        table.open()
        until_stderr_has("the state is not to be used")
    until_stderr_has("its state cannot be opened")
    os.unlink(small_disk / "ballast")
    deadline = time.monotonic() + patience.PATIENCE_S
    while not put():
        assert time.monotonic() < deadline, "there is space again"
        time.sleep(0.05)
    assert table.lookup((7,), (8,)) == [table.value(*written[-1]), table.value(8, "row 8")]
    changes = [row for _, kind, row in table.changes(offset=end) if kind == "+U"]
    assert [row for row in changes if row not in unsure] == written and changes[-1] == written[-1]
    table.cluster.close()


def expect_newest(table, numbers, full=None):
    """Each key has the last row that was acknowledged for it. `full`: a server whose disk is, where rows may have to
    wait for space; then it has said so."""
    for key in range(20):
        newest = max((n for n in range(numbers) if n % 20 == key), default=None)
        if newest is not None:
            end = time.monotonic() + patience.PATIENCE_S
            while True:
                try:
                    assert table.lookup((key,)) == [table.value(*big_row(key, newest))], f"key {key}"
                    break
                except AssertionError as e:
                    if full and "error_code: 10" in str(e) and "are left on the disk" in full.stderr():
                        break
                    if "error_code" not in str(e) or time.monotonic() > end:
                        raise
                    time.sleep(0.1)
