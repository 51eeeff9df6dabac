"""Random schedules on primary-key tables against an in-memory model, for every merge engine.

Puts, deletes, partial updates, duplicates, schema changes, lookups, prefix lookups, scans; SIGKILL and
SIGTERM between them. The seed of a schedule is its table: --seeds 17-18 repeats that of a failure.
With --bootstrap the model itself is checked against Apache Fluss, without restarts.
"""

import pytest
from model.run import Run

ROUNDS, STEPS = 4, 8
FEW, MANY, TOGETHER = range(20), range(1000, 2000), 5


def groups(seeds):
    return [seeds[i : i + TOGETHER] for i in range(0, len(seeds), TOGETHER)]


def play(server, seeds):
    print(f"seeds {seeds[0]} to {seeds[-1]}")
    Run(server, seeds).go(ROUNDS, STEPS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", groups(FEW), ids=lambda g: f"{g[0]}-{g[-1]}")
def test_tables_are_as_the_model(server, seeds):
    play(server, seeds)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", groups(MANY), ids=lambda g: f"{g[0]}-{g[-1]}")
def test_a_thousand_tables_are_as_the_model(server, seeds):
    play(server, seeds)


def test_chosen_seeds(request, server):
    chosen = request.config.getoption("--seeds")
    if not chosen:
        pytest.skip("no --seeds given")
    first, last = map(int, chosen.split("-"))
    play(server, range(first, last + 1))
