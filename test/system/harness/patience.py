"""How tests treat time: a machine may stand still for seconds, and be ten times slower for more.

What must happen is waited for as long as PATIENCE_S. What must not take long is bound against what it must not
wait for, with much room, or by the fastest of several rounds: a machine makes some of them slow, a server all.
"""

import time

PATIENCE_S = 120  # with a JVM on a busy machine 30 have not been enough


def until(true, text, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, text() if callable(text) else text
        time.sleep(0.02)
    return found


def fastest(run, seconds, rounds=20):
    """Runs it until one run takes less than that; what this one returned."""
    took = []
    while not took or min(took) >= seconds:
        assert len(took) < rounds, f"{min(took)} s or more, {rounds} times"
        began = time.monotonic()
        result = run()
        took.append(time.monotonic() - began)
    return result
