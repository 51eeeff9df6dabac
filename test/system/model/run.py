"""Several schedules on one server, which is stopped and killed between their steps."""

import random
import shutil

from harness import wire

from .schedule import Schedule

SCAN_KV = 1061
DATABASE = "model"


class Run:
    def __init__(self, server, seeds):
        self.server = server
        self.chance = random.Random(f"run {seeds[0]}")
        self.cluster = wire.Cluster(server.address)
        offered = {a.api_key for a in self.cluster.tablet.hello().api_versions}
        self.peer = server.external and SCAN_KV not in offered
        self.name = DATABASE if not server.external else f"{DATABASE}_{random.randrange(10**9)}"
        self.cluster.coordinator.call("CREATE_DATABASE", database_name=self.name, ignore_if_exists=False)
        self.schedules = [Schedule(seed, self.peer).create(self.cluster, self.name) for seed in seeds]

    def go(self, rounds, steps):
        for number in range(rounds):
            for _ in range(steps):
                for schedule in self.schedules:
                    schedule.step()
            if not self.server.external:
                self.restart(number)
        for schedule in self.schedules:
            schedule.check()
        self.cluster.close()

    def restart(self, number):
        """By SIGKILL and SIGTERM in turn, with requests under way or without, state kept or lost."""
        for schedule in self.schedules:
            if self.chance.random() < 0.6:
                schedule.abandon()
        (self.server.terminate if number % 2 else self.server.kill)()
        self.cluster.close()
        if number % 3 == 2:
            self.lose_state()
        self.server.start()
        self.cluster = wire.Cluster(self.server.address)
        for schedule in self.schedules:
            schedule.restarted(self.cluster)

    def lose_state(self):
        """The rows are gone, the changelog and the snapshots are there."""
        for place in self.server.data_dir.rglob("kv-*"):
            if place.is_dir() and "remote" not in place.parts:
                shutil.rmtree(place)
