#!/usr/bin/env python3
"""Whether fdatasync may say yes to what is lost when ext4 aborts its journal meanwhile. No server takes part.

    test/faults/abort_ext4.py [ROUNDS]     as root; 200 rounds take half a minute

In each round a thread appends to a file and syncs it, one behind the other, on a file system of its own that is
aborted (mount -o remount,abort) and mounted again. Prints what had been synced and is not there. With Linux 6.18 it
is one write of 400 bytes in about 20 rounds: the sync had begun before the abort and came to wait for a
transaction that the journal, aborted, had already given up.
"""
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SIZE = 400


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


def append(path, synced):
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while True:
            os.write(file, b"x" * SIZE)
            os.fdatasync(file)
            synced[0] += SIZE
    except OSError:
        pass  # the file system refuses from now on
    finally:
        os.close(file)


def lost(image, place):
    """Bytes that were synced, and are there."""
    synced, file = [0], place / "f"
    run("mkfs.ext4", "-q", "-F", image).check_returncode()
    run("mount", "-o", "loop", image, place).check_returncode()
    writer = threading.Thread(target=append, args=(file, synced))
    writer.start()
    time.sleep(random.uniform(0.05, 0.15))
    run("mount", "-o", "remount,abort", place)
    writer.join(10)
    run("umount", place).check_returncode()
    run("mount", "-o", "loop", image, place).check_returncode()
    there = file.stat().st_size
    run("umount", place).check_returncode()
    return synced[0], there


def main():
    rounds, count = int(sys.argv[1]) if len(sys.argv) > 1 else 200, 0
    with tempfile.TemporaryDirectory() as folder:
        image, place = Path(folder) / "image", Path(folder) / "place"
        place.mkdir()
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        for number in range(rounds):
            synced, there = lost(image, place)
            if there < synced:
                count += 1
                print(f"round {number}: {synced} bytes synced, {there} there", flush=True)
    print(f"{count} of {rounds} rounds lost what fdatasync had said yes to")


if __name__ == "__main__":
    main()
