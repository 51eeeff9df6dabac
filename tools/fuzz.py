#!/usr/bin/env python3
"""Fuzzes the parsers of test/fuzz with libFuzzer, by the ways on which bytes from outside reach them.

  tools/fuzz.py [--seconds N] [--jobs N] [--fresh | --total] [NAME...]     names of TARGETS, or of parsers
  tools/fuzz.py --table [LOG]                                    what each has had so far

A target is one way into the program, with every parser behind it. It gets N seconds of processors (default
60), in turns of one parser each: first every parser one, of at most TURN seconds; what is left goes to those
whose last turn found most that is new, but none falls behind half of an equal share. A name of a parser gives
all the seconds to that one.

A parser starts from its tracked corpus, and what is of interest stays in .cache/fuzz/<parser>/corpus for the next
time. --fresh forgets that, and always draws the same inputs as far as time lets it: for continuous integration.
--total counts the seconds of earlier runs as well, so that what was interrupted goes on.
What breaks a parser is left beside, with the command to repeat it, and ends its turns. Every turn is a line of
.cache/fuzz/log: parser, seconds of processors, inputs, features (of libFuzzer: edges and how often) at the end
of the turn and how many of them were new, exit status.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".cache" / "fuzz"
SOURCES = ROOT / "test" / "fuzz"
TURN = 120  # seconds of the clock, at most

# A way into the program: the parsers behind it. Every test/fuzz/<parser>_fuzz.c is behind one.
TARGETS = {
    # the port of the Fluss protocol, and what its answers are made of
    "fluss": "arrow batch codec filter_request frame json_descriptor keys kv_batch kv_prepare partition rows "
             "rpc_request schema server stats_filter",
    # the port of the PostgreSQL protocol: messages, statements, data of COPY
    "postgres": "postgres sql_copy sql_ddl sql_predicate sql_statement",
    # files of the data directory, and of remote storage
    "disk": "bitmap catalog_node changelog checkpoint kv_snapshot log_index meta_journal meta_snapshot "
            "segment_recover value_batch writer_snapshot",
    # what its operator hands to it: configuration, files of zones and rows, servers for the shell
    "operator": "listeners parquet_footer produce server_yaml shell tz",
}


class Parser:
    """What one parser has had in this run."""

    def __init__(self, name):
        self.name = name
        self.cpu = 0.0
        self.runs = 0
        self.features = 0
        self.fresh = 0  # features that are new in this run
        self.rate = 0.0  # of the last turn: new features for each second
        self.failed = False
        self.busy = False


class Target:
    """Some parsers that share seconds of processors."""

    def __init__(self, name, parsers, seconds):
        self.name = name
        self.parsers = [Parser(parser) for parser in parsers]
        self.seconds = seconds

    def left(self):
        return self.seconds - sum(parser.cpu for parser in self.parsers)

    def turn(self):
        """Seconds of the clock for one turn."""
        return max(1, min(TURN, round(self.seconds / len(self.parsers)), round(self.left())))

    def next(self):
        """The parser whose turn it is, None if there is none now."""
        idle = [p for p in self.parsers if not p.busy and not p.failed]
        least = min(idle, key=lambda p: p.cpu, default=None)
        if least is None or (least.cpu > 0 and self.left() < 0.5):
            return None
        share = (self.seconds - self.left()) / len(self.parsers)
        return least if least.cpu == 0 or least.cpu < share / 2 else max(idle, key=lambda p: p.rate)


def features(log):
    """Features before and after, from what libFuzzer printed."""
    counts = [int(n) for n in re.findall(r"^#\d+\s+(?:INITED|DONE) .*?\bft: (\d+)", log, re.MULTILINE)]
    return (counts[0], counts[-1]) if counts else (0, 0)


class Fuzz:
    """Turns of several targets beside each other."""

    def __init__(self, targets, work, options):
        self.targets = targets
        self.work = work
        self.options = options
        self.lock = threading.Lock()
        self.children = set()
        self.stopped = False

    def pick(self):
        """A parser, marked busy, and its seconds: of the target that has had least of what is its due."""
        with self.lock:
            for target in sorted(self.targets, key=lambda t: -t.left() / t.seconds):
                parser = None if self.stopped else target.next()
                if parser:
                    parser.busy = True
                    return parser, target.turn()
        return None

    def command(self, parser, seconds):
        corpus = self.work / parser.name / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        (WORK / parser.name).mkdir(parents=True, exist_ok=True)
        seed = ["-seed=1"] if self.options.fresh else []
        return [str(self.options.build / f"fuzz_{parser.name}"), f"-max_total_time={seconds}", "-timeout=60",
                "-rss_limit_mb=2048", f"-artifact_prefix={WORK / parser.name}/", "-print_final_stats=1", *seed,
                str(corpus), str(SOURCES / "corpus" / parser.name)]

    def take_turn(self, parser, seconds):
        log = self.work / parser.name / "last.log"
        command = self.command(parser, seconds)
        with open(log, "wb") as out:
            child = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
            with self.lock:
                self.children.add(child.pid)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            with self.lock:
                self.children.discard(child.pid)
        self.account(parser, used.ru_utime + used.ru_stime, log.read_text(errors="replace"), child.returncode)

    def account(self, parser, cpu, log, status):
        before, after = features(log)
        runs = re.search(r"^stat::number_of_executed_units: *(\d+)", log, re.MULTILINE)
        parser.cpu += cpu
        parser.runs += int(runs[1]) if runs else 0
        parser.features = after
        parser.fresh += after - before
        parser.rate = (after - before) / max(cpu, 0.01)
        parser.failed = status != 0 and not self.stopped
        with self.lock:
            with open(self.work / "log", "a") as ledger:
                ledger.write(f"{parser.name} {cpu:.2f} {runs[1] if runs else 0} {after} {after - before} {status}\n")
        if parser.failed:
            print("\n".join(log.splitlines()[-40:]))
            print(f"fuzz {parser.name}: FAILED; repeat with: {self.options.build}/fuzz_{parser.name} "
                  f"{WORK / parser.name}/<file>", flush=True)

    def worker(self):
        while turn := self.pick():
            parser, seconds = turn
            parser.failed = True  # until its turn has come to an end, and is accounted for
            try:
                self.take_turn(parser, seconds)
            finally:
                parser.busy = False

    def stop(self, *_):
        self.stopped = True
        for pid in list(self.children):
            os.kill(pid, signal.SIGINT)

    def run(self, jobs):
        workers = [threading.Thread(target=self.worker) for _ in range(jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        parsers = [parser for target in self.targets for parser in target.parsers]
        for target in self.targets:
            print(f"{target.name}: {sum(p.cpu for p in target.parsers):.0f} CPU s, "
                  f"{sum(p.runs for p in target.parsers):,} inputs, {len(target.parsers)} parsers, "
                  f"{sum(p.failed for p in target.parsers)} failed")
            for p in target.parsers:
                print(f"  {p.name:16} {p.cpu:8.1f} s {p.runs:12,} inputs {p.features:7} features, {p.fresh} new")
        return 1 if self.stopped or any(parser.failed for parser in parsers) else 0


def turns_of(path):
    """The lines of a log by parser: seconds, inputs, whether it failed, new features."""
    rows = defaultdict(list)
    for line in path.read_text().splitlines() if path.exists() else ():
        name, cpu, runs, _, new, status = line.split()
        rows[name].append((float(cpu), int(runs), status not in ("0", "72"), int(new)))  # 72: interrupted
    return rows


def table(path):
    """Sums of the lines of a log, by target and parser."""
    rows = turns_of(path)

    def total(column, names):
        return sum(row[column] for name in names for row in rows[name])

    for target, behind in TARGETS.items():
        for title, names in [(target, behind.split())] + [(f"  {name}", [name]) for name in behind.split()]:
            print(f"{title:18} {total(0, names):8.0f} CPU s {total(1, names):15,} inputs "
                  f"{total(2, names):3} failed")


def chosen(names, seconds):
    parsers = {parser for behind in TARGETS.values() for parser in behind.split()}
    for name in names:
        if name not in TARGETS and name not in parsers:
            sys.exit(f"fuzz: no target and no parser {name}; targets: {' '.join(TARGETS)}")
    return [Target(name, TARGETS.get(name, name).split(), seconds) for name in names or TARGETS]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    which = arguments.add_mutually_exclusive_group()
    which.add_argument("--fresh", action="store_true")
    which.add_argument("--total", action="store_true")
    arguments.add_argument("--build", type=Path, default=ROOT / "build-fuzz", help="where the parsers are built")
    arguments.add_argument("--table", nargs="?", type=Path, const=WORK / "log")
    arguments.add_argument("names", nargs="*", metavar="NAME")
    options = arguments.parse_args()
    if options.table:
        table(options.table)
        return 0
    targets = chosen(options.names, options.seconds)
    if options.total:
        had = turns_of(WORK / "log")
        for parser in (parser for target in targets for parser in target.parsers):
            for cpu, _, _, new in had[parser.name]:
                parser.cpu += cpu
                parser.rate = new / max(cpu, 0.01)
    with tempfile.TemporaryDirectory() as fresh:
        work = Path(fresh) if options.fresh else WORK
        work.mkdir(parents=True, exist_ok=True)
        fuzz = Fuzz(targets, work, options)
        signal.signal(signal.SIGINT, fuzz.stop)
        signal.signal(signal.SIGTERM, fuzz.stop)
        return fuzz.run(options.jobs)


if __name__ == "__main__":
    sys.exit(main())
