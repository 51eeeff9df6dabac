"""Runs single loads, keeps their results, makes the table of them."""
import json
import os
import statistics
import subprocess
import sys
import time

from servers import EIDER

ANSWER = 240  # seconds, for any one run
HZ = os.sysconf("SC_CLK_TCK")


def cpu_seconds():
    """(used by anybody, idle) of the whole machine since it started."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, open("/proc/stat").readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / HZ, (idle + iowait) / HZ


class Quiet:
    """Waits for a machine that does nothing else, while there is time for that."""

    def __init__(self, seconds):
        self.left = seconds

    def wait(self):
        while self.left > 0:
            (busy, idle), _ = cpu_seconds(), time.sleep(0.5)
            now_busy, now_idle = cpu_seconds()
            busy, idle = now_busy - busy, now_idle - idle
            if busy < 0.15 * (busy + idle):
                return
            self.left -= 0.5


class Runner:
    """results[measure][server] is a list of numbers."""

    def __init__(self, scale, runs_file, quiet):
        self.scale, self.runs_file, self.quiet, self.results, self.others = scale, runs_file, quiet, {}, []

    def bench(self, server, mode, *options, command=(), touch=0):
        """One `eider bench`; its line of JSON."""
        words = [EIDER, "bench", mode, "--server", server.address]
        if not command:
            words += ["--server-pids", server.pids]
        words += [*map(str, options), *(["--", *command] if command else [])]
        self.quiet.wait()
        if touch:
            touch_memory(touch * self.scale)
        before = cpu_seconds()
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=ANSWER)
        if done.returncode != 0:
            sys.exit(f"bench: {server.name}: failed: {' '.join(words)}")
        result = {"server": server.name, **json.loads(done.stdout)}
        if not command:
            busy, idle = (after - b for after, b in zip(cpu_seconds(), before))
            ours = result["client_cpu_s"] + result["server_cpu_s"]
            result["others_cpu_share"] = round(max(0, busy - ours) / (busy + idle), 3)
            self.others.append(result["others_cpu_share"])
        self.write(result)
        return result

    def write(self, result):
        if self.runs_file:
            self.runs_file.write(json.dumps(result) + "\n")
            self.runs_file.flush()

    def keep(self, measure, server, value):
        self.results.setdefault(measure, {}).setdefault(server.name, []).append(value)

    def size(self, megabytes):
        return f"{max(1, round(megabytes * self.scale))}mb"

    def count(self, number):
        return max(1, round(number * self.scale))


def touch_memory(megabytes):
    """A virtual machine may have given free pages back to its host, and the first touch of each is then dear
    and counted as the CPU time of whoever touches it. So touch them before a load fills the page cache."""
    code = ("import mmap; mmap.mmap(-1, %d << 20, "
            "flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)" % megabytes)
    subprocess.run([sys.executable, "-c", code])


# ---- the table ----

def text(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


class Measure:
    """What is shown of a measure: whose figure is ours and whose is the peer's, and the targets: at least so
    many times better than the peer, at most so much, or both. factor turns results into the unit; middle is what
    is shown of the rounds: their mean where work that is put off falls into some of them only."""

    def __init__(self, key, title, unit, ours, ratio=None, limit=None, peer="fluss", factor=1,
                 middle=statistics.median):
        self.key, self.title, self.unit, self.ours, self.ratio, self.limit = key, title, unit, ours, ratio, limit
        self.peer, self.factor, self.middle = peer, factor, middle

    def of(self, results, server):
        values = results.get(self.key, {}).get(server)
        return self.middle(values) * self.factor if values else None

    def line(self, results):
        mine, theirs = self.of(results, self.ours), self.of(results, self.peer)
        if mine is None:
            return None
        rate = self.unit.endswith("/s")
        ratio = theirs and (mine / theirs if rate else theirs / max(mine, 1e-9))
        targets = ([f"{self.ratio}×"] if self.ratio else []) + ([f"≤ {self.limit} {self.unit}"] if self.limit else [])
        reached = [mine <= self.limit] if self.limit else []
        if self.ratio:
            reached.append(None if ratio is None else ratio >= self.ratio)
        verdict = "" if not reached or None in reached else "yes" if all(reached) else "**no**"
        name = {"redis": " (Redis)"}.get(self.peer, "")
        return (f"| {self.title} | {f'{text(theirs)} {self.unit}{name}' if theirs else ''} | {text(mine)} {self.unit} | "
                f"{f'{ratio:.1f}×' if ratio else ''} | {', '.join(targets)} | {verdict} |")


def table(measures, results):
    lines = ["| measure | Fluss 0.9.1 | Eider | ratio | target | reached |", "|---|---|---|---|---|---|"]
    return "\n".join(lines + [line for m in measures if (line := m.line(results))])
