"""Power failures: holds up, slows down and counts what record logs sync; cuts off what was not synced."""

import os

from . import process


class Power:
    """Give `environment` to the server. `place`: an empty folder."""

    def __init__(self, place, delay_ms=0):
        self.held, self.synced = place / "hold", place / "synced"
        self.synced.mkdir(parents=True)
        self.environment = {
            **process.preloaded("power"),
            "POWER_HOLD": str(self.held),
            "POWER_SYNCED": str(self.synced),
            "POWER_DELAY_MS": str(delay_ms),
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
