#!/usr/bin/env python3
"""Looks for new failures for some minutes: rounds of everything that draws from a seed, with new seeds each.

  tools/soak.py [--minutes N] [--seed N] [--build DIR]

A round is 500 lives in the simulator, 40 times kill -9 under load, 200 images of power cuts, 200 flipped bits and 20
zeroed sectors, and a minute of fuzzing for each target. Its seed is the one before plus one; without --seed the
first follows from the clock. What fails is named with the command that repeats it, and the rounds go on; a
part that has begun is ended, so the last one may be some minutes late. Exit 1 if anything failed.
"""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = str(ROOT / ".cache" / "venv" / "bin" / "python")
JOBS = str(os.cpu_count() or 2)
LIVES = 500


def parts(seed, build, scratch):
    """(name, command, folder) of everything in a round."""
    lives = f"{seed * LIVES + 1}-{(seed + 1) * LIVES}"
    system = ROOT / "test" / "system"
    return [
        ("lives", [f"{build}/eider_sim", lives, "--jobs", JOBS], ROOT),
        ("kills", [f"{build}/eider_kills", f"{build}/eider", f"{scratch}/kills-{seed}", str(seed), "40", "40"], ROOT),
        ("power cuts", [PYTHON, "-m", "powercut.cut", "--images", "200", "--seed", str(seed)], system),
        ("decay", [PYTHON, "-m", "bitrot.rot", "--flips", "200", "--sectors", "20", "--seed", str(seed), "--jobs", JOBS],
         system),
        ("fuzzing", ["tools/fuzz.py", "--seconds", "60"], ROOT),
    ]


def run(name, command, folder, environment):
    """Whether the part passed; prints a line about it, and what it printed if it failed."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    passed = done.returncode == 0
    if not passed:
        print(done.stdout)
    print(f"{'passed' if passed else 'FAILED'} {name} ({time.monotonic() - began:.0f} s): {shlex.join(command)}",
          flush=True)
    return passed


def soak(minutes, seed, build):
    """How many parts passed and failed."""
    counts = {True: 0, False: 0}
    environment = {**os.environ, "EIDER_BIN": f"{build}/eider"}
    end = time.monotonic() + 60 * minutes
    while True:
        with tempfile.TemporaryDirectory() as scratch:
            for name, command, folder in parts(seed, build, scratch):
                if time.monotonic() >= end:
                    return counts[True], counts[False]
                counts[run(name, command, folder, environment)] += 1
        seed += 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--build", type=Path, default=ROOT / "build")
    options = arguments.parse_args()
    seed = int(time.time()) if options.seed is None else options.seed
    print(f"soak: {options.minutes:g} minutes from seed {seed} on", flush=True)
    passed, failed = soak(options.minutes, seed, options.build.resolve())
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
