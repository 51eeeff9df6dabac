#!/usr/bin/env python3
"""Runs stages of checks and tests, shows each, and ends with one line of counts.

  tools/run_tests.py [STAGE...]     default: all of STAGES but ONLY_IN_CI; `all`: these, too

A stage that is a test run counts its tests (from the JUnit file it writes); any other stage counts
as one check. A stage that cannot run is a failure, except the black-box suite when it is absent.
Exit 1 on any failure.
"""
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".cache" / "results"
PYTHON = str(ROOT / ".cache" / "venv" / "bin" / "python")
JOBS = str(os.cpu_count() or 2)
SANITIZED = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


def ctest(folder):
    return ["ctest", "--test-dir", folder, "-j", JOBS, "--output-on-failure", "--no-tests=error",
            "--output-junit", "{junit}"]


def pytest(folder, *more):
    return [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={junit}", folder, *more]


def system(program):
    return pytest("test/system", "-n", "2", "-m", "not slow", "--timeout=300"), {
        "EIDER_BIN": str(ROOT / program)}


def sim(folder, seeds, environment):
    """Seeds of the simulator; what a crashed server held is lost on purpose."""
    lost = {name: value.replace("detect_leaks=1", "detect_leaks=0") for name, value in environment.items()}
    return [f"{folder}/eider_sim", seeds, "--jobs", JOBS], lost


# name: (command, environment), in running order
STAGES = {
    "lint": (["make", "-s", "lint"], {}),
    "build-clang": (["scripts/build", "fuzz"], {}),
    "fuzz": (["tools/fuzz.py", "--seconds", "30", "--fresh"], {}),
    "build": (["scripts/build", "release"], {}),
    "unit": (ctest("build"), {}),
    "sim": sim("build", "1-2000", {}),
    "tools": (pytest("test/tools", "test/protocol"), {}),
    "system": system("build/eider"),
    "build-asan": (["scripts/build", "asan"], {}),
    "unit-asan": (ctest("build-asan"), SANITIZED),
    "sim-asan": sim("build-asan", "1-100", SANITIZED),
    "system-asan": system("build-asan/eider"),
}
STAGES["system-asan"][1].update(SANITIZED)
ONLY_IN_CI = ("lint",)


def count(junit):
    """(passed, failed, skipped) of a JUnit file written by pytest or ctest."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(junit).iter("testcase"):
        kinds = {child.tag for child in case}
        # ctest calls a test whose program is missing "skipped", status "notrun"
        if kinds & {"failure", "error"} or case.get("status") in ("fail", "notrun"):
            failed += 1
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def absent(name):
    return name.startswith("system") and not list(ROOT.glob("test/system/**/test_*.py"))


def run(name):
    command, environment = STAGES[name]
    junit = RESULTS / f"{name}.xml"
    command = [part.replace("{junit}", str(junit)) for part in command]
    started = time.monotonic()
    print(f"==== {name}", flush=True)
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode
    passed, failed, skipped = count(junit) if junit.exists() else (int(code == 0), int(code != 0), 0)
    if code != 0 and failed == 0:
        failed = 1  # died before or after its tests
    seconds = time.monotonic() - started
    print(f"---- {name}: {passed} passed, {failed} failed, {skipped} skipped ({seconds:.0f} s)", flush=True)
    return passed, failed, skipped


def main(names):
    RESULTS.mkdir(parents=True, exist_ok=True)
    for old in RESULTS.glob("*.xml"):
        old.unlink()
    total = [0, 0, 0]
    for name in names:
        if absent(name):
            print(f"==== {name}: no tests in test/system", flush=True)
            continue
        total = [a + b for a, b in zip(total, run(name))]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["all"]:
        sys.exit(main(list(STAGES)))
    sys.exit(main(sys.argv[1:] or [name for name in STAGES if name not in ONLY_IN_CI]))
