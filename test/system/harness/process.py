"""Starts the real program, watches it and stops it by its pid.

A server of a test fails that test when it ends by itself, ends with another code than 0 after
SIGTERM, or leaves a sanitizer report or a failed assertion on stderr.
"""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

from .patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]
REPORT = re.compile(
    r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer|runtime error:|assertion failed"
)
SANITIZER_DEFAULTS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=0:second_deadlock_stack=1:suppressions="
    + str(Path(__file__).with_name("tsan.supp")),
}


def binary() -> Path:
    return Path(os.environ.get("EIDER_BIN", ROOT / "build" / "eider"))


def preloaded(name) -> dict:
    """Environment of a server that has test/preload/<name>.c between itself and the system."""
    library = binary().resolve().parent / f"preload_{name}.so"
    assert library.exists(), f"{library} is missing: it is built with the program"
    options = environment()["ASAN_OPTIONS"]
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}


def environment() -> dict:
    return {**SANITIZER_DEFAULTS, **os.environ}


def run(*args, timeout=PATIENCE_S) -> subprocess.CompletedProcess:
    """Runs the program to its end, for commands that are not servers."""
    command = [str(binary()), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment())


class Server:
    """One `eider server` process. `data_dir` survives stop and start."""

    external = False

    def __init__(
        self, workdir: Path, options=None, args=(), data_dir=None, ephemeral=False, environment=None
    ):
        self.workdir = Path(workdir)
        self.data_dir = Path(data_dir or self.workdir / "data")
        self.options = dict(options or {})
        self.args = list(args)
        self.ephemeral = ephemeral
        self.environment = dict(environment or {})
        self.stderr_path = self.workdir / "stderr"
        self.port, self.held = 0, []
        self.process = None
        self.info = {}

    def command(self):
        place = ["--ephemeral"] if self.ephemeral else ["--data-dir", str(self.data_dir)]
        options = [word for k, v in self.options.items() for word in ("-D", f"{k}={v}")]
        return [str(binary()), "server", *place, "--port", str(self.port), *options, *self.args]

    def start(self, timeout=PATIENCE_S):
        self.workdir.mkdir(parents=True, exist_ok=True)
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**environment(), **self.environment},
            )
        self.info = json.loads(self._first_line(timeout))
        self.port = int(self.address.rsplit(":", 1)[1])
        self._release()
        return self

    def _hold(self):
        """Who is given some port must not get one of a server that is to start again."""
        self._release()
        for name in ("address", "postgres"):
            host, port = self.info.get(name, "127.0.0.1:0").rsplit(":", 1)
            self.held.append(socket.socket())
            self.held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                self.held[-1].bind((host, int(port)))

    def _release(self):
        while self.held:
            self.held.pop().close()

    def _first_line(self, timeout):
        line, deadline = b"", time.monotonic() + timeout
        fd = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(fd, 1) if ready else b""
            if not piece:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"no address line, stderr:\n{self.stderr()}")
            line += piece
        return line

    @property
    def address(self) -> str:
        return self.info["address"]

    @property
    def pid(self) -> int:
        return self.info["pid"]

    def stderr(self) -> str:
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self, timeout=PATIENCE_S) -> float:
        """SIGTERM, then the seconds until it was gone; the exit code must be 0."""
        start = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {timeout} s after SIGTERM\n{self.stderr()}") from None
        self.process.stdout.close()
        self._hold()
        assert code == 0, f"exit code {code} after SIGTERM\n{self.stderr()}"
        return time.monotonic() - start

    def kill(self):
        """SIGKILL: what a power cut or the kernel's memory killer does to the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self._hold()

    def check(self):
        """Alive and without reports so far."""
        code = self.process.poll()
        assert code is None, f"ended by itself with code {code}\n{self.stderr()}"
        self.check_stderr()

    def check_stderr(self):
        text = self.stderr()
        assert not REPORT.search(text), f"report on stderr:\n{text}"

    def finish(self):
        """The end of a test: a clean stop of what still runs, and no reports."""
        if self.process is not None and not self.process.stdout.closed:
            code = self.process.poll()
            assert code is None, f"ended by itself with code {code}\n{self.stderr()}"
            self.terminate()
        self._release()
        self.check_stderr()


class External:
    """A server that somebody else started (--bootstrap)."""

    external = True

    def __init__(self, address):
        self.address = address

    def check(self):
        pass

    def finish(self):
        pass
