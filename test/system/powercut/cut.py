"""Records runs and starts the program on images of them.

    python -m powercut.cut --seed 1 --images 500            from test/system
    python -m powercut.cut --keep DIR --seed 7:1234:torn    one image of a record that was kept

A failure keeps its run under --keep and names what repeats it: the record, the position, the kind.
"""

import argparse
import collections
import pickle
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import disk, judge, record, traffic

FIRST, SECOND = 300, 200  # images of a run, and of one that begins with an image of it
ROOT = Path(__file__).resolve().parents[3]


def positions(entries, count, chance):
    """In rising order; a third of them right behind a mark."""
    marks = [i + 1 for i, e in enumerate(entries) if e.kind == record.MARK]
    begin = next(i for i in marks if entries[i - 1].mark()[0] == "inodes")
    marks = [i for i in marks if i > begin]
    anywhere = range(begin, len(entries) + 1)
    return sorted(chance.choice(marks if chance.random() < 0.3 else anywhere) for _ in range(count))


def examine(run, images, seed, counts, place):
    """Makes and judges images of one run; the failures as (position, kind, text)."""
    entries = record.load(run.file)
    replayed, known = disk.Disk(run.start, entries, run.root), judge.Knowledge(entries)
    judging, failures = judge.Judge(run), []
    chance = random.Random(f"positions {seed}")
    for position in positions(entries, images, chance):
        kind = chance.choices(disk.KINDS, [2, 1, 3, 4])[0]
        replayed.play(position)
        known.play(position)
        failure = one(replayed, known, judging, place, kind, seed)
        counts[kind] += 1
        if failure:
            failures.append((position, kind, failure))
    return failures


def one(replayed, known, judging, place, kind, seed):
    image, choice = Path(tempfile.mkdtemp(dir=place)), None
    try:
        choice = replayed.image(image, kind, seed)
        judging.judge(image, image, known, f"{seed} {replayed.position}")
    except Exception as e:
        stderr = image / "stderr"
        said = stderr.read_text(errors="replace")[-2000:] if stderr.exists() else ""
        return f"{choice}\n{type(e).__name__}: {e}\n{said}"
    finally:
        shutil.rmtree(image)
    return None


def campaign(seed, images, keep, place=None):
    """Returns ({kind: images}, [what failed])."""
    counts, failed = collections.Counter(), []
    number = 0
    while sum(counts.values()) < images:
        with tempfile.TemporaryDirectory(dir=place or traffic.scratch(), prefix="powercut-") as folder:
            folder, name = Path(folder), f"{seed}-{number}"
            left = images - sum(counts.values())
            run = traffic.Run(folder / "run", name).play()
            first = min(FIRST, left - left * 2 // 5)
            failures(run, first, counts, folder, keep, failed)
            second = after_a_cut(run, folder, f"{name}-after").play(lives=2, steps=30)
            failures(second, min(SECOND, left - first), counts, folder, keep, failed)
        number += 1
        print(f"{name}: {sum(counts.values())} images, {len(failed)} failures", flush=True)
    return counts, failed


def after_a_cut(run, folder, name):
    """A run on what a power cut left of this one."""
    entries, chance = record.load(run.file), random.Random(name)
    replayed, known = disk.Disk(run.start, entries, run.root), judge.Knowledge(entries)
    position = chance.randrange(len(entries) // 4, len(entries))
    replayed.play(position)
    known.play(position)
    (folder / "start").mkdir()
    replayed.image(folder / "start", chance.choice(["torn", "reordered"]), name)
    return traffic.Run(folder / "second", name, (folder / "start", run, known))


def failures(run, images, counts, folder, keep, failed):
    found = examine(run, images, run.seed, counts, folder)
    if found:
        save(run, Path(keep) / run.seed)
    failed += [f"--keep {keep} --again {run.seed}:{p}:{kind}\n{text}" for p, kind, text in found]


def save(run, target):
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copy(run.file, target / "record")
    if run.start:
        run.start = shutil.copytree(run.start, target / "start")
    run.server = run.cluster = run.mark = None
    for thing in run.made.values():
        thing.cluster = thing.table.cluster = None
    (target / "run").write_bytes(pickle.dumps(run))


def again(keep, what):
    """One image of a kept run; what failed, or None."""
    name, position, kind = what.split(":")
    run = pickle.loads((Path(keep) / name / "run").read_bytes())
    entries = record.load(Path(keep) / name / "record")
    replayed, known = disk.Disk(run.start, entries, run.root), judge.Knowledge(entries)
    replayed.play(int(position))
    known.play(int(position))
    with tempfile.TemporaryDirectory(dir=traffic.scratch(), prefix="powercut-") as folder:
        return one(replayed, known, judge.Judge(run), folder, kind, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", default="1")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--keep", default=str(ROOT / ".cache" / "powercut"))
    parser.add_argument("--again", metavar="RUN:POSITION:KIND")
    given = parser.parse_args()
    if given.again:
        failed = again(given.keep, given.again)
        print(failed or "no promise is broken")
        return 1 if failed else 0
    began = time.monotonic()
    counts, failed = campaign(given.seed, given.images, given.keep)
    kinds = ", ".join(f"{n} {k}" for k, n in sorted(counts.items()))
    took = time.monotonic() - began
    print(f"{sum(counts.values())} images ({kinds}), {len(failed)} failures, {took:.0f} s")
    print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
