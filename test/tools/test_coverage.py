"""What tools/coverage.py counts: a program whose every condition is known, measured by the real clang."""
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("coverage", ROOT / "tools" / "coverage.py")
coverage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(coverage)

HEADER = """#define TRY(x) do { int code = (x); if (code != 0) { return code; } } while (0)
#define ASSERT(c) do { if (__builtin_expect(!(c), 0)) { __builtin_trap(); } } while (0)
static inline int both(int a, int b)
{
    return a && b;
}
"""
PROGRAM = """#include "a.h"
static int zero(int a)
{
    ASSERT(a > 0 && a < 100);
    switch (a) {
    case 1:
        return 0;
    default:
        return 5;
    }
}
int main(int argc, char **argv)
{
    TRY(zero(argc));
    if (argc == 1 || argv == 0) {
        TRY(zero(1));
    }
    return both(argc, 0);
}
"""
UNUSED = "int unused(int a)\n{\n    return a;\n}\n"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    root = tmp_path_factory.mktemp("measured")
    if not shutil.which("clang") or not (shutil.which("llvm-cov") or list(Path("/usr/bin").glob("llvm-cov-*"))):
        pytest.skip("needs clang and llvm-cov")
    (root / "src" / "m").mkdir(parents=True)
    (root / "src" / "m" / "a.h").write_text(HEADER)
    (root / "src" / "m" / "a.c").write_text(PROGRAM)
    (root / "src" / "m" / "unused.c").write_text(UNUSED)
    (root / "src" / "m" / "table.c").write_text("const int table[] = {1, 2};\n")
    build = root / "build"
    (build / "profiles").mkdir(parents=True)
    subprocess.run(["clang", "-fprofile-instr-generate", "-fcoverage-mapping", str(root / "src" / "m" / "a.c"),
                    "-o", str(build / "eider")], check=True)
    subprocess.run([str(build / "eider")], check=True,
                   env={"LLVM_PROFILE_FILE": str(build / "profiles" / "one.profraw")})
    return coverage.measure(*coverage.export(build, build / "profiles"), root)


def test_branches_count_where_the_macro_is_used_and_assertions_do_not(measured):
    by_line = {}
    for key, (true, false) in measured["m/a.c"].branches.items():
        by_line.setdefault(key[0], []).append((true > 0, false > 0))
    assert by_line == {
        6: [(True, False)],  # case 1
        8: [(False, True)],  # default
        14: [(False, True)],  # TRY
        15: [(True, False), (False, False)],  # of || only the first was asked
        16: [(False, True)],
    }
    assert measured["m/a.h"].branch_rate() == (2, 4)  # a was true, b was false


def test_lines(measured):
    lines = measured["m/a.c"].lines
    assert lines[14] == 1 and lines[9] == 0 and 1 not in lines


def test_a_source_that_is_in_no_program_is_not_covered_and_a_table_needs_no_cover(measured):
    assert measured["m/unused.c"].line_rate() == (0, 4)
    assert "m/table.c" not in measured


def test_bounds(measured, monkeypatch):
    monkeypatch.setattr(coverage, "PARSERS", {"x": "m/a.c m/unused.c", "y": "m/gone.c"})
    monkeypatch.setattr(coverage, "BRANCHES", ("m",))
    wrong = list(coverage.below_bounds(measured))
    assert [line.split(":")[0] for line in wrong] == ["m/a.c", "m/unused.c", "m/gone.c", "m"]


def test_every_fuzz_target_has_its_files(tmp_path):
    for names in coverage.PARSERS.values():
        for name in names.split():
            assert (ROOT / "src" / name).is_file(), name
    (tmp_path / "test" / "fuzz").mkdir(parents=True)
    (tmp_path / "test" / "fuzz" / "new_fuzz.c").touch()
    assert "new" in coverage.targets_without_files(tmp_path)


def test_positions_are_bytes():
    file = coverage.File("/* −1 */ f(ASSERT(a), b);\n".encode().decode("latin-1"))
    line = "/* −1 */ f(ASSERT(a), b);".encode()
    assert not file.counts(1, line.index(b"a)") + 1)
    assert file.counts(1, line.index(b"b)") + 1)
