"""Who gets turns of fuzzing, and what is noted of them."""
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("fuzz", ROOT / "tools" / "fuzz.py")
fuzz = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fuzz)


def test_every_parser_is_behind_one_target_and_has_a_corpus():
    parsers = sorted(parser for behind in fuzz.TARGETS.values() for parser in behind.split())
    assert parsers == sorted(path.name[:-len("_fuzz.c")] for path in fuzz.SOURCES.glob("*_fuzz.c"))
    assert all(any((fuzz.SOURCES / "corpus" / parser).iterdir()) for parser in parsers)


def turns(target, rates, turn=60):
    """The parsers that get turns until there are no seconds left; rates: what their turns find."""
    order = []
    while parser := target.next():
        order.append(parser.name)
        parser.cpu += turn
        parser.rate = rates[parser.name]
    return order


def test_each_parser_has_a_turn_then_those_that_find_something():
    target = fuzz.Target("t", ["a", "b", "c"], 1200)
    order = turns(target, {"a": 0, "b": 5, "c": 1})
    assert sorted(order[:3]) == ["a", "b", "c"]
    assert order.count("b") == 13
    assert min(order.count("a"), order.count("c")) >= 3  # half of a third


def test_a_parser_that_failed_or_is_busy_is_passed_over():
    target = fuzz.Target("t", ["a", "b"], 600)
    target.parsers[0].failed = True
    assert set(turns(target, {"b": 0})) == {"b"}
    target = fuzz.Target("t", ["a"], 600)
    target.parsers[0].busy = True
    assert target.next() is None


def test_few_seconds_are_one_turn_for_each():
    target = fuzz.Target("t", list("abcde"), 10)
    assert target.turn() == 2
    assert sorted(turns(target, dict.fromkeys("abcde", 1), turn=2)) == list("abcde")


def test_a_long_turn_takes_nobody_elses_first():
    target = fuzz.Target("t", ["a", "b"], 10)
    assert turns(target, {"a": 1, "b": 1}, turn=30) == ["a", "b"]


def parser_program(folder, name, script):
    program = folder / f"fuzz_{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "WORK", tmp_path / "work")
    return SimpleNamespace(build=tmp_path, fresh=True)


DONE = ('echo "#100 INITED cov: 7 ft: 10 corp: 3/3b"; echo "#900 DONE   cov: 9 ft: 25 corp: 4/9b";'
        'echo "stat::number_of_executed_units: 900";')


def test_what_a_turn_has_found_is_noted(tmp_path, options, capsys):
    parser_program(tmp_path, "tz", DONE + 'case "$*" in *-seed=1*) ;; *) exit 3;; esac')
    run = fuzz.Fuzz([fuzz.Target("tz", ["tz"], 1)], tmp_path, options)
    assert run.pick()[0].name == "tz"
    assert run.pick() is None  # it is busy
    run.take_turn(run.targets[0].parsers[0], 1)
    name, _, runs, after, new, status = (tmp_path / "log").read_text().split()
    assert (name, runs, after, new, status) == ("tz", "900", "25", "15", "0")
    fuzz.table(tmp_path / "log")
    assert [line.split()[4] for line in capsys.readouterr().out.splitlines()
            if line.split()[0] in ("tz", "operator", "disk")] == ["0", "900", "900"]


def test_seconds_of_earlier_runs_can_count(tmp_path, options, capsys, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "log").write_text("tz 40.5 100 9 9 0\ntz 20 100 9 0 0\nlisteners 30 7 1 1 0\n")
    monkeypatch.setattr("sys.argv", ["fuzz.py", "--total", "--seconds", "60", "--build", str(tmp_path), "tz"])
    assert fuzz.main() == 0  # there is no program, and none is needed
    assert "tz: 60 CPU s" in capsys.readouterr().out


def test_who_found_something_in_an_earlier_run_goes_on(tmp_path, options, monkeypatch):
    (tmp_path / "work").mkdir()
    turns = "".join(f"{name} 40 100 9 {7 if name == 'shell' else 0} 0\n" for name in fuzz.TARGETS["operator"].split())
    (tmp_path / "work" / "log").write_text(turns)
    parser_program(tmp_path, "shell", DONE)
    monkeypatch.setattr("sys.argv", ["fuzz.py", "--total", "--seconds", "240.6", "--jobs", "1", "--build",
                                     str(tmp_path), "operator"])
    account = fuzz.Fuzz.account
    monkeypatch.setattr(fuzz.Fuzz, "account", lambda self, parser, _, *rest: account(self, parser, 1.0, *rest))
    assert fuzz.main() == 0  # no other program is there to be run


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_parser_that_is_not_built_fails_the_run(tmp_path, options, capsys):
    assert fuzz.Fuzz([fuzz.Target("tz", ["tz"], 1)], tmp_path, options).run(2) == 1
    assert "tz: 0 CPU s, 0 inputs, 1 parsers, 1 failed" in capsys.readouterr().out


def test_a_parser_that_breaks_fails_the_run(tmp_path, options, capsys):
    parser_program(tmp_path, "tz", DONE + "echo it broke; exit 77")
    assert fuzz.Fuzz([fuzz.Target("tz", ["tz"], 1)], tmp_path, options).run(2) == 1
    printed = capsys.readouterr().out
    assert "it broke" in printed and "fuzz tz: FAILED; repeat with" in printed
