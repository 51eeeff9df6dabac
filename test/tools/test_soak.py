"""A soak runs its parts with new seeds until its time is over, and says what failed."""
import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("soak", ROOT / "tools" / "soak.py")
soak = importlib.util.module_from_spec(spec)
spec.loader.exec_module(soak)


def rounds_of(monkeypatch, tmp_path, script):
    """Seeds of the rounds that were begun, and the counts."""
    seeds = []

    def parts(seed, build, scratch):
        seeds.append(seed)
        assert Path(scratch).is_dir() and build == tmp_path
        return [("one", ["sh", "-c", script], tmp_path), ("two", ["true"], tmp_path)]

    monkeypatch.setattr(soak, "parts", parts)
    return seeds, soak.soak(0.02, 7, tmp_path)


def test_rounds_have_new_seeds_until_the_time_is_over(monkeypatch, tmp_path):
    seeds, (passed, failed) = rounds_of(monkeypatch, tmp_path, "sleep 0.2")
    assert seeds == list(range(7, 7 + len(seeds))) and seeds
    assert failed == 0 and 2 * (len(seeds) - 1) <= passed <= 2 * len(seeds)


def test_what_fails_is_named_and_the_rounds_go_on(monkeypatch, tmp_path, capsys):
    seeds, (passed, failed) = rounds_of(monkeypatch, tmp_path, "echo why; sleep 0.2; exit 3")
    assert failed >= 1 and abs(failed - passed) <= 1
    printed = capsys.readouterr().out
    assert "why" in printed and "FAILED one" in printed and "passed two" in printed


def test_the_parts_of_a_round_take_its_seed():
    commands = [{name: command for name, command, _ in soak.parts(seed, Path("/b"), "/s")} for seed in (3, 4)]
    assert [each["lives"][1] for each in commands] == ["1501-2000", "2001-2500"]
    assert {name for name in commands[0] if commands[0][name] == commands[1][name]} == {"fuzzing"}
