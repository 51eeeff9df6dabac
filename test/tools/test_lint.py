"""Every rule of tools/lint.py finds the mistake it is for, and leaves correct code alone."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = "2 cmd: log io base\n1 log: io base | zstd\n1 io: base\n0 base:\n"
MAIN = "src/cmd/main.c"  # needs no mirror


def lint(tmp_path, files):
    """(exit code, [(path, line, rule)]) for a tree of these files."""
    for name, text in {"src/LAYERS": LAYERS, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(ROOT / ".clang-format", tmp_path)
    done = subprocess.run([sys.executable, ROOT / "tools" / "lint.py", "--root", tmp_path],
                          capture_output=True, text=True)
    assert done.stderr == ""
    found = [line.split(": ", 2)[:2] for line in done.stdout.splitlines()[:-1]]
    return done.returncode, [(*place.rsplit(":", 1), rule) for place, rule in found]


def body(lines, signature="void f(void)"):
    return signature + "\n{\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


NESTED = body(["    " * i + "if (x) {" for i in range(5)] + ["    " * i + "}" for i in range(4, -1, -1)])
LONG_BODY = body(["g();"] * 69)

CASES = [
    ("layers", MAIN, '#include "front/front.h"\n', 1),
    ("layers", "src/io/x.h", '#include "log/log.h"\n', 1),
    ("layers", MAIN, '#include "log/segment.h"\n', 1),
    ("layers", "src/io/x.h", '#include "io/y.h"\n', 1),
    ("layers", "src/sql/x.h", '#include "base/check.h"\n', 1),
    ("layers", "src/LAYERS", "1 log: cmd\n2 cmd: log\n", 1),
    ("foreign", MAIN, "#include <zstd.h>\n", 1),
    ("foreign", MAIN, "#include <curl/curl.h>\n", 1),
    ("length", "src/io/x.h", "/* x */\n" * 251, 251),
    ("length", MAIN, "/* x */\n" * 1001, 1001),
    ("length", MAIN, LONG_BODY, 1),
    ("length", "test/unit/x.c", LONG_BODY, 1),
    ("parameters", MAIN, body(["g();"], "void f(int a, int b, int c, int d, int e, int g)"), 1),
    ("nesting", MAIN, NESTED, 7),
    ("braces", MAIN, body(["if (x)", "    g();"]), 3),
    ("braces", MAIN, body(["while (x)", "    g();"]), 3),
    ("banned", MAIN, body(["strcpy(a, b);"]), 3),
    ("banned", MAIN, body(["goto done;"]), 3),
    ("banned", "test/unit/x.c", body(["(void)atoi(a);"]), 3),
    ("world", MAIN, body(["clock_gettime(0, &ts);"]), 3),
    ("world", MAIN, body(["pthread_mutex_lock(&m);"]), 3),
    ("globals", MAIN, "static int count;\n", 1),
    ("globals", MAIN, "static const char *name = 0;\nstatic int table[] = {1};\n", 2),
    ("must_use", "src/io/x.h", "enum errcode f(int a, struct error *e);\n", 1),
    ("todo", MAIN, "/* TODO: later */\n", 1),
    ("mirror", "src/io/x.c", "/* x */\n", 1),
    ("mirror", "test/unit/io/x_test.c", "/* x */\n", 1),
    ("corpus", "test/fuzz/x_fuzz.c", "/* x */\n", 1),
    ("machine", "README.md", "see /" "work/x\n", 1),
    ("machine", "scripts/x", "curl https://pypi.org/x\n", 1),
    ("format", MAIN, "int  x;\n", 1),
]


@pytest.mark.parametrize("rule,path,text,line", CASES)
def test_rule_fires(tmp_path, rule, path, text, line):
    code, found = lint(tmp_path, {path: text})
    assert code == 1
    assert (path, str(line), rule) in found


def test_clean_tree_passes(tmp_path):
    files = {
        MAIN: '/* x */\n#include <stdio.h>\n\n#include "log/log.h"\n\n'
              'static const char *const names[] = {"goto", "strcpy("};\n\n'
              + body(["if (x) {", "    g();", "} else if (y) {", "    s->open(1);", "}", "do {", "    g();",
                      "} while (x);"], "static void f(int a, int b, int c, int d, struct error *e)"),
        "src/log/log.c": '#include <zstd.h>\n\n#include "io/file.h"\n',
        "src/log/log.h": "MUST_USE enum errcode f(struct error *e);\n",
        "src/io/file.c": body(["g();", "fd = open(path, 0);"], "int f(void)"),
        "test/unit/io/file_test.c": '/* mkdtemp("/tmp/eider-XXXXXX") */\n',
        "test/unit/log/log_test.c": "/* TODO #12: x */\n",
        "test/fuzz/x_fuzz.c": "/* x */\n",
        "test/fuzz/corpus/x/seed": "x",
    }
    assert lint(tmp_path, files) == (0, [])


def test_long_function_with_a_reason_passes(tmp_path):
    assert lint(tmp_path, {MAIN: "/* LONG: a flat switch */\n" + LONG_BODY}) == (0, [])


def test_symbol_clash_is_found(tmp_path):
    source = tmp_path / "x.c"
    program = tmp_path / "x"
    check = [ROOT / "tools" / "check_symbols.sh", program]
    source.write_text("int qsort_r(void) { return 0; }\nint main(void) { return qsort_r(); }\n")
    subprocess.run(["cc", "-w", "-o", program, source], check=True)
    assert subprocess.run(check, capture_output=True).returncode == 1
    source.write_text("int our_sort(void) { return 0; }\nint main(void) { return our_sort(); }\n")
    subprocess.run(["cc", "-o", program, source], check=True)
    assert subprocess.run(check, capture_output=True).returncode == 0
