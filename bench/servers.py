"""The servers that are measured: Eider in several settings, a real Apache Fluss, Redis."""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EIDER = os.environ.get("EIDER_BIN", str(ROOT / "build" / "eider"))
FLUSS = str(ROOT / "bench" / "peers" / "fluss.sh")
# Neither side copies segments to remote storage during a run: Eider has none, Fluss would every minute.
# A killed server is forgotten after 6 seconds and not after 60, for which its successor waits.
FLUSS_OPTS = "-Dremote.log.task-interval-duration=0s -Dzookeeper.client.session-timeout=6s"


def free_port():
    """One such that port + 1 and port + 100 are free too, below those that connections are given."""
    while True:
        port = random.randrange(12000, 30000)
        with contextlib.ExitStack() as sockets, contextlib.suppress(OSError):
            for used in (port, port + 1, port + 100):
                sockets.enter_context(socket.socket()).bind(("127.0.0.1", used))
            return port


def kill_all(pids):
    """As a crash: nobody is asked. Returns when all are gone."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.001)


class Eider:
    def __init__(self, work, name, options):
        self.name = name
        self.dir = work / self.name
        self.options = [word for option in options for word in ("-D", option)]
        self.process = None

    def command(self, port):
        return [EIDER, "server", "--data-dir", str(self.dir), "--port", str(port), *self.options]

    def start(self):
        self.process = subprocess.Popen(self.command(0), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        stderr=open(f"{self.dir}.log", "w"))
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.name} does not start: {Path(f'{self.dir}.log').read_text()}")
        self.info = json.loads(line)
        self.address = self.info["address"]
        self.pids = str(self.process.pid)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Fluss:
    name = "fluss"

    def __init__(self, work):
        self.dir = work / self.name
        os.environ["FLUSS_OPTS"] = FLUSS_OPTS

    def command(self, port):
        return [FLUSS, "start", str(self.dir), str(port)]

    def start(self):
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        done = subprocess.run(self.command(port), stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("bench: Apache Fluss does not start")
        self.pids = done.stdout.strip()
        self.await_tablet_server()

    def await_tablet_server(self):
        """It listens before the coordinator knows it."""
        probe = [EIDER, "bench", "produce", "--server", self.address, "--table", "probe", "--rows", "1", "--requests", "1"]
        for _ in range(60):
            if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.5)
        sys.exit("bench: Apache Fluss has no tablet server")

    def stop(self):
        subprocess.run([FLUSS, "stop", str(self.dir)])

    def kill(self):
        kill_all([int(pid) for pid in self.pids.split(",")])


class Redis:
    """A Redis without persistence, and its own load generator. Debian's redis-tools has all of it: the program
    decides by its name what it is. (redis-server would also install and start a service.)"""
    name = "redis"
    program = "redis-check-rdb"

    @classmethod
    def installed(cls):
        return shutil.which(cls.program) and shutil.which("redis-benchmark")

    def start(self):
        self.port = free_port()
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(words, executable=shutil.which(self.program), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        while self.cli("ping") != "PONG":
            if self.process.poll() is not None:
                sys.exit("bench: Redis does not start")
            time.sleep(0.01)
        self.pids = str(self.process.pid)

    def cli(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True).stdout.strip()

    def load(self, what, keys, requests):
        """{server_cpu_s_per_million_rows, rows_per_s} of SET or GET of 100 bytes, 128 in a pipeline."""
        before, began = cpu_of(self.process.pid), time.monotonic()
        subprocess.run(["redis-benchmark", "-p", str(self.port), "-t", what, "-n", str(requests), "-r", str(keys),
                        "-d", "100", "-P", "128", "-c", "4", "-q"], check=True, stdout=subprocess.DEVNULL)
        seconds, cpu = time.monotonic() - began, cpu_of(self.process.pid) - before
        return {"mode": f"redis-{what}", "keys": keys, "rows": requests, "seconds": round(seconds, 3),
                "rows_per_s": round(requests / seconds), "server_cpu_s": round(cpu, 3),
                "server_cpu_s_per_million_rows": round(cpu / requests * 1e6, 4)}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def cpu_of(pid):
    """Seconds that its threads ran, as the scheduler counts them."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total / 1e9
