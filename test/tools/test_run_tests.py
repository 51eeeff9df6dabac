"""The counts that the test runner adds up are those of the files that ctest and pytest write."""
import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("run_tests", ROOT / "tools" / "run_tests.py")
run_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_tests)


def counts(tmp_path, cases):
    path = tmp_path / "junit.xml"
    path.write_text(f'<testsuites><testsuite name="x">{cases}</testsuite></testsuites>')
    return run_tests.count(path)


def test_pytest_file(tmp_path):
    cases = ('<testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><error/></testcase>'
             '<testcase name="d"><skipped/></testcase>')
    assert counts(tmp_path, cases) == (1, 2, 1)


def test_ctest_file(tmp_path):
    cases = ('<testcase name="a" status="run"/><testcase name="b" status="fail"><failure/></testcase>'
             '<testcase name="c" status="disabled"><skipped/></testcase>')
    assert counts(tmp_path, cases) == (1, 1, 1)


def test_a_test_program_that_is_missing_has_failed(tmp_path):
    assert counts(tmp_path, '<testcase name="a" status="notrun"><skipped/></testcase>') == (0, 1, 0)


def test_a_stage_that_dies_without_results_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(run_tests, "RESULTS", tmp_path)
    monkeypatch.setitem(run_tests.STAGES, "dies", (["false"], {}))
    monkeypatch.setitem(run_tests.STAGES, "works", (["true"], {}))
    assert run_tests.run("dies") == (0, 1, 0)
    assert run_tests.run("works") == (1, 0, 0)
    assert run_tests.main(["works", "dies"]) == 1
    assert run_tests.main(["works"]) == 0
