"""Power failures: holds up, slows down and counts what record logs sync; cuts off what was not synced."""

import os
import subprocess
from pathlib import Path

from .process import SANITIZER_DEFAULTS

SOURCE = Path(__file__).with_name("power.c")


class Power:
    """Give `environment` to the server. `place`: an empty folder."""

    def __init__(self, place, delay_ms=0):
        self.library, self.held, self.synced = place / "power.so", place / "hold", place / "synced"
        self.synced.mkdir(parents=True)
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self.library), str(SOURCE)]
        subprocess.run(command, check=True)
        options = os.environ.get("ASAN_OPTIONS", SANITIZER_DEFAULTS["ASAN_OPTIONS"])
        self.environment = {
            "LD_PRELOAD": str(self.library),
            "POWER_HOLD": str(self.held),
            "POWER_SYNCED": str(self.synced),
            "POWER_DELAY_MS": str(delay_ms),
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0",
        }

    def hold(self):
        """From now on nothing of a record log reaches the device."""
        self.held.touch()

    def release(self):
        self.held.unlink()

    def fail(self, data_dir):
        """After SIGKILL: record logs end where their last sync found them. Returns the bytes lost."""
        lost = 0
        for log in data_dir.rglob("*.log"):
            found = log.stat()
            note = self.synced / str(found.st_ino)
            kept = int(note.read_text()) if note.exists() else 0
            if kept < found.st_size:
                os.truncate(log, kept)
                lost += found.st_size - kept
        return lost
