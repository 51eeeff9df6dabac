"""A soak runs its parts with new seeds until its time is over, and says what failed."""
import importlib.util
import itertools
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("soak", ROOT / "tools" / "soak.py")
soak = importlib.util.module_from_spec(spec)
spec.loader.exec_module(soak)


def rounds_of(monkeypatch, tmp_path, script):
    """Seeds of the rounds that were begun, and the counts, in a minute of which every look at the clock takes five
    seconds: one for the end, then three for each part, until the twelfth."""
    seeds = []
    ticks = itertools.count(step=5)

    def parts(seed, build, scratch):
        seeds.append(seed)
        assert Path(scratch).is_dir() and build == tmp_path
        return [("one", ["sh", "-c", script], tmp_path), ("two", ["true"], tmp_path)]

    monkeypatch.setattr(soak, "parts", parts)
    monkeypatch.setattr(soak, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    return seeds, soak.soak(1, 7, tmp_path)


def test_rounds_have_new_seeds_until_the_time_is_over(monkeypatch, tmp_path):
    assert rounds_of(monkeypatch, tmp_path, "true") == ([7, 8, 9], (4, 0))


def test_what_fails_is_named_and_the_rounds_go_on(monkeypatch, tmp_path, capsys):
    assert rounds_of(monkeypatch, tmp_path, "echo why; exit 3") == ([7, 8, 9], (2, 2))
    printed = capsys.readouterr().out
    assert printed.count("why") == 2 + 2 and "FAILED one" in printed and "passed two" in printed


def test_the_parts_of_a_round_take_its_seed():
    commands = [{name: command for name, command, _ in soak.parts(seed, Path("/b"), "/s")} for seed in (3, 4)]
    assert [each["lives"][1] for each in commands] == ["1501-2000", "2001-2500"]
    assert {name for name in commands[0] if commands[0][name] == commands[1][name]} == {"fuzzing"}
