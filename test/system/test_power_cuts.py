"""Power cuts at any moment of a recorded run: the program starts on what is left, and keeps its promises.

`make powercut IMAGES=... SEED=...` is the long form; powercut/__init__.py says how it works.
"""

import collections

import pytest
from harness import world
from powercut import cut, disk, real, traffic

pytestmark = [pytest.mark.own_server, pytest.mark.timeout(600)]


def cut_power(seed, images):
    counts, failed = cut.campaign(f"test-{seed}", images, cut.ROOT / ".cache" / "powercut")
    print(dict(counts))
    assert not failed, "\n".join(failed)
    assert counts["torn"] + counts["reordered"] > images / 3


@pytest.mark.parametrize("seed", range(2))
def test_nothing_promised_is_lost_in_a_power_cut(seed):
    cut_power(seed, 100 if world.sanitized() else 250)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_promised_is_lost_in_five_thousand_power_cuts():
    cut_power("many", 5000)


def test_ext4_shut_down_under_traffic(disk_image, tmp_path):
    real.cycles(disk_image, tmp_path / "runs", "ext4", 5)


def test_ext4_takes_what_was_acknowledged_from_the_page_cache(disk_image, tmp_path, monkeypatch):
    """That is, the shutdown does lose what a power cut would, and the judge sees it."""
    monkeypatch.setitem(traffic.OPTIONS, "log.durability", "os")
    with pytest.raises(AssertionError, match="batches were acknowledged|readers had seen|partial batch"):
        real.cycles(disk_image, tmp_path / "runs", "os", 20)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ext4_shut_down_under_traffic_two_hundred_times(disk_image, tmp_path):
    real.cycles(disk_image, tmp_path / "runs", "ext4 slow", 200)


class DeafToFiles(disk.Disk):
    def _synced(self, what, began):
        if isinstance(what, disk.Folder):
            super()._synced(what, began)


class DeafToFolders(disk.Disk):
    def _synced(self, what, began):
        if isinstance(what, disk.File):
            super()._synced(what, began)


@pytest.mark.parametrize("liar", [DeafToFiles, DeafToFolders])
def test_a_disk_that_only_says_it_has_synced_is_found_out(tmp_path, monkeypatch, liar):
    run = traffic.Run(tmp_path / "run", "liar").play(lives=1, steps=30)
    monkeypatch.setattr(disk, "Disk", liar)
    assert len(cut.examine(run, 30, "liar", collections.Counter(), tmp_path)) >= 2


def test_pages_and_sectors_keep_their_history():
    """Two writes to one page: it has the first or both of them, or neither; never the second alone."""
    file = disk.File(bytearray(b"a" * 8192))
    pending = [(1, 100, b"b" * 10), (2, 105, b"c" * 5000), (3, None, 6000)]
    seen = set()
    for seed in range(300):
        chance = disk.random.Random(seed)
        choice = disk.Choice("reordered", 9, keep=0.4, names="any", short=False)
        out = disk.scattered(file.safe, pending, choice, chance, None)
        assert len(out) == 6000
        seen.add((bytes(out[100:105]), bytes(out[105:110]), bytes(out[4096:4100])))
    first = {s[:2] for s in seen}
    assert first == {(b"aaaaa", b"aaaaa"), (b"bbbbb", b"bbbbb"), (b"bbbbb", b"ccccc")}
    assert {s[2] for s in seen} == {b"aaaa", b"cccc"}, "the pages are independent"
