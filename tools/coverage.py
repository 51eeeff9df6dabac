#!/usr/bin/env python3
"""Which lines and branches of src/ the tests reach, per module and per file, against bounds.

  tools/coverage.py [--build DIR] [--only-report] [--quick] [--missed FILE...]

Runs the unit tests, the fuzz corpora, some seeds of the simulator and a part of the black-box tests with
a build of clang's source-based coverage (preset `coverage`), prints a table and exits 1 below a bound:

  lines    90 % in every file of PARSERS, which read what comes from outside
  branches 85 % in each module of BRANCHES, counted as below

What counts. A line is what llvm-cov calls a line of code. A branch is one outcome of one condition: each
operand of && and || is a condition, and so is each case of a switch. Conditions inside a macro count where
the macro is used. Not counted, for they cannot or must not be taken by a program without a bug, are
conditions within the parentheses of ASSERT, DEBUG_ASSERT, ASSERT_ON and MUTANT, and nothing else. A file of
src/ that is not in the program counts as not covered.

--missed prints the branches and lines of the given files that nothing reached.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = str(ROOT / ".cache" / "venv" / "bin" / "python")
JOBS = str(os.cpu_count() or 2)
LINES_MIN, BRANCHES_MIN = 90.0, 85.0
BRANCHES = ("log", "kv", "replica", "meta", "format", "rpc")
UNCOUNTED = re.compile(r"\b(?:ASSERT|DEBUG_ASSERT|ASSERT_ON|MUTANT)\(")
SEEDS = range(1, 81)
SYSTEM = ("test_program", "test_damage_kv", "test_log_append_scan", "test_log_admin", "test_log_durability",
          "test_log_partitions", "test_log_schema", "test_kv_reads", "test_kv_snapshots", "test_kv_tables",
          "test_protocol_admin", "test_protocol_fetch", "test_protocol_filter", "test_protocol_frames",
          "test_protocol_offsets", "test_protocol_pipeline", "test_protocol_produce",
          "test_protocol_projection", "test_protocol_put", "test_produce", "test_sql_ddl", "test_sql_messages")

# fuzz target: the files that read what it is given. Every target of test/fuzz/ is here.
PARSERS = {
    "arrow": "format/arrow.c format/arrow_layout.c format/arrow_nodes.c format/arrow_project.c",
    "batch": "format/batch.c",
    "bitmap": "kv/bitmap.c kv/bitmap32.c kv/bitmap64.c",
    "catalog_node": "meta/load.c meta/znode.c meta/znode_kv.c",
    "changelog": "kv/replay.c format/arrow_read.c format/arrow_rows.c",
    "checkpoint": "log/checkpoint.c",
    "codec": "format/codec.c",
    "filter_request": "service/predicate.c",
    "frame": "rpc/frame.c",
    "json_descriptor": "format/json.c format/table_descriptor.c format/table_rules.c format/table_options.c",
    "keys": "format/key.c format/key_hudi.c format/key_iceberg.c format/key_paimon.c",
    "kv_batch": "format/kv_batch.c",
    "kv_prepare": "kv/prepare.c kv/merge.c",
    "kv_snapshot": "kv/snapshot.c",
    "listeners": "cmd/listeners.c",
    "log_index": "log/index.c",
    "meta_journal": "meta/store_journal.c",
    "meta_snapshot": "meta/store_snapshot.c",
    "parquet_footer": "sql/parquet_footer.c",
    "partition": "format/name.c format/partition.c format/partition_value.c",
    "postgres": "front/pg_command.c front/pg_extended.c front/pg_message.c front/pg_session.c sql/dialect.c"
                " sql/pg_array.c sql/pg_parameter.c",
    "produce": "cmd/produce.c",
    "rows": "format/row.c format/row_cells.c format/row_compacted.c format/row_indexed.c",
    "rpc_request": "rpc/api.c rpc/decode.c rpc/encode.c",
    "schema": "format/schema.c format/type.c",
    "segment_recover": "log/segment.c log/recover.c log/walk.c",
    "server_yaml": "cmd/server_yaml.c cmd/options.c cmd/option_value.c",
    "server": "rpc/conn.c service/dispatch.c service/fetch.c service/produce.c service/put.c",
    "sql_copy": "sql/copy_binary.c sql/copy_reader.c",
    "sql_ddl": "sql/ddl.c sql/ddl_table.c sql/parse.c sql/parse_type.c",
    "sql_predicate": "sql/literal.c sql/predicate.c sql/prune.c sql/prune_keys.c sql/prune_tree.c sql/syntax.c",
    "sql_statement": "sql/copy.c sql/dml.c sql/returning.c sql/show.c",
    "shell": "shell/client.c shell/command.c shell/output.c shell/output_box.c shell/output_json.c shell/script.c",
    "stats_filter": "format/stats.c format/filter.c",
    "tz": "format/tz.c",
    "value_batch": "format/value_batch.c",
    "writer_snapshot": "log/snapshot.c",
}


# ---- running ----


def run(title, command, profiles, **environment):
    """Runs one part and says whether it passed. Its programs leave what they counted in `profiles`."""
    print(f"==== {title}", flush=True)
    variables = {"LLVM_PROFILE_FILE": f"{profiles}/{title}-%4m.profraw", **environment}
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}).returncode == 0


def run_all(build, profiles, quick):
    """The parts that failed."""
    shutil.rmtree(profiles, ignore_errors=True)
    profiles.mkdir(parents=True)
    parts = [("unit", ["ctest", "--test-dir", str(build), "-j", JOBS, "--output-on-failure",
                       "--no-tests=error", "-E", "sim_twice", "-Q"])]
    if not quick:
        # one process for each seed: the children of many seeds leave no counts
        parts += [("sim", [str(build / "eider_sim"), str(seed)]) for seed in SEEDS]
        tests = [f"test/system/{name}.py" for name in SYSTEM]
        parts += [("system", [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", JOBS,
                              "-m", "not slow", "--timeout=600", *tests])]
    program = str(build / "eider")
    return [title for title, command in parts if not run(title, command, profiles, EIDER_BIN=program)]


def tool(name):
    """llvm-<name>, of whatever version the clang here is."""
    for candidate in (f"llvm-{name}", *sorted(map(str, Path("/usr/bin").glob(f"llvm-{name}-*")), reverse=True)):
        if shutil.which(candidate):
            return candidate
    sys.exit(f"coverage: llvm-{name} is not installed")


def export(build, profiles):
    """(functions with their branches, lines as lcov writes them)"""
    merged = profiles / "all.profdata"
    subprocess.run([tool("profdata"), "merge", "-sparse", "-o", str(merged),
                    *map(str, profiles.glob("*.profraw"))], check=True)
    words = [tool("cov"), "export", str(build / "eider"), f"-instr-profile={merged}"]
    both = [subprocess.run([*words, *more], check=True, stdout=subprocess.PIPE, text=True).stdout
            for more in ([], ["-format=lcov"])]
    return json.loads(both[0])["data"][0]["functions"], both[1]


# ---- counting ----


def uncounted_spans(text):
    """[(start, end)] of the macros whose conditions do not count, as positions in the text."""
    spans = []
    for match in UNCOUNTED.finditer(text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        spans.append((match.start(), at))
    return spans


class File:
    """One file of src/: its lines {number: count} and branches {place: [times true, times false]}."""

    def __init__(self, text):
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.spans = uncounted_spans(text)
        self.has_functions = "\n{" in text  # their braces are in column 0
        self.lines = {}
        self.branches = {}

    def counts(self, line, column):
        at = self.starts[line - 1] + column - 1
        return not any(start <= at < end for start, end in self.spans)

    def line_rate(self):
        return sum(1 for n in self.lines.values() if n), len(self.lines)

    def branch_rate(self):
        return sum((t > 0) + (f > 0) for t, f in self.branches.values()), 2 * len(self.branches)


def outermost(function):
    """{file id: (file id, line, column)} of the place where a macro is used in the function itself."""
    used_in = {}
    for line, column, _, _, _, file, expanded, kind in function["regions"]:
        if kind == 1:
            used_in[expanded] = (file, line, column)
    places = {}
    for file in used_in:
        at = used_in[file]
        while at[0] in used_in:
            at = used_in[at[0]]
        places[file] = at
    return places


def add_branches(files, function):
    """A function that several programs or objects have adds up."""
    places = outermost(function)
    seen = defaultdict(int)
    for line, column, end_line, end_column, true, false, file, _, _ in function["branches"]:
        inner = (line, column, end_line, end_column) if file in places else ()
        at_file, at_line, at_column = places.get(file, (file, line, column))
        found = files.get(function["filenames"][at_file])
        if found is None or not found.counts(at_line, at_column):
            continue
        key = (at_line, at_column, *inner)
        seen[key] += 1
        total = found.branches.setdefault((*key, seen[key]), [0, 0])
        total[0] += true
        total[1] += false


def add_lines(files, lcov):
    """What llvm-cov says of lines, in the format of lcov: SF:file, then DA:line,times."""
    found = None
    for record in lcov.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            found = files.get(value)
        elif kind == "DA" and found is not None:
            line, times = value.split(",")[:2]
            found.lines[int(line)] = int(times)


def measure(functions, lcov, root=ROOT):
    """{path below src/: File} of all sources, measured or not."""
    files = {}
    for path in sorted((root / "src").rglob("*.[ch]")):
        files[str(path)] = File(path.read_text("latin-1"))  # positions are bytes
    for function in functions:
        add_branches(files, function)
    add_lines(files, lcov)
    for path, found in files.items():
        if found.has_functions and not found.lines and path.endswith(".c"):
            found.lines = {n: 0 for n in range(1, len(found.starts))}
    source = root / "src"
    return {str(Path(p).relative_to(source)): f for p, f in files.items() if f.lines or f.branches}


# ---- judging ----


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def total(files, rate):
    parts = [rate(f) for f in files]
    return sum(p for p, _ in parts), sum(w for _, w in parts)


def row(name, files):
    lines, branches = total(files, File.line_rate), total(files, File.branch_rate)
    return (f"{name:34} {percent(*lines):6.1f} %  {lines[0]:6}/{lines[1]:<6} "
            f"{percent(*branches):6.1f} %  {branches[0]:6}/{branches[1]:<6}")


def print_table(files):
    print(f"{'':34} {'lines':>8}  {'':13} {'branches':>8}")
    modules = defaultdict(dict)
    for path, found in files.items():
        modules[path.split("/")[0]][path] = found
    for module, of_module in modules.items():
        for path, found in of_module.items():
            print(row("  " + path, [found]))
        print(row(module, list(of_module.values())))
    print(row("all", list(files.values())))


def below_bounds(files):
    """What is wrong, one line each."""
    for target in sorted(PARSERS):
        for path in PARSERS[target].split():
            rate = percent(*files[path].line_rate()) if path in files else 0.0
            if rate < LINES_MIN:
                yield f"{path}: {rate:.1f} % of the lines, {LINES_MIN:.0f} % is the bound of a parser ({target})"
    for module in BRANCHES:
        rate = percent(*total([f for p, f in files.items() if p.startswith(module + "/")], File.branch_rate))
        if rate < BRANCHES_MIN:
            yield f"{module}: {rate:.1f} % of the branches, {BRANCHES_MIN:.0f} % is the bound"


def targets_without_files(root=ROOT):
    """Fuzz targets that PARSERS does not know, and entries of it without a target."""
    targets = {p.name[:-len("_fuzz.c")] for p in (root / "test" / "fuzz").glob("*_fuzz.c")}
    return sorted(targets ^ set(PARSERS))


def print_missed(files, paths):
    for path in paths:
        text = (ROOT / "src" / path).read_text().splitlines()
        found = files[path]
        for key, (true, false) in sorted(found.branches.items()):
            if not true or not false:
                never = "never" if not true and not false else "never true" if not true else "never false"
                print(f"{path}:{key[0]}:{key[1]}: {never}: {text[key[0] - 1].strip()}")
        for line, count in sorted(found.lines.items()):
            if not count:
                print(f"{path}:{line}: not reached: {text[line - 1].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build-coverage", help="folder of the build")
    parser.add_argument("--only-report", action="store_true", help="report what ran last, run nothing")
    parser.add_argument("--quick", action="store_true", help="unit tests and corpora only")
    parser.add_argument("--missed", nargs="+", default=[], help="files whose gaps to print instead")
    options = parser.parse_args()
    profiles = options.build / "profiles"
    failed = [] if options.only_report else run_all(options.build, profiles, options.quick)
    files = measure(*export(options.build, profiles))
    if options.missed:
        print_missed(files, options.missed)
        return 0
    print_table(files)
    wrong = [f"{name}: in test/fuzz/ or in PARSERS, not in both" for name in targets_without_files()]
    wrong += below_bounds(files)
    for line in wrong:
        print(f"coverage: {line}")
    for title in failed:
        print(f"coverage: {title}: a test failed")
    return 1 if wrong or failed else 0


if __name__ == "__main__":
    sys.exit(main())
