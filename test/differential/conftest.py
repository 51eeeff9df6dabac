"""Two servers for each test: ours, fresh, and Apache Fluss 0.9.1 (FLUSS_PEER, or started here)."""

import os
import shutil
import socket
import subprocess

import pytest
from harness import process, wire
from harness.process import ROOT

PEER = ROOT / "test" / "peers" / "fluss"


def _free_base():
    """A port P such that P, P+1 and P+100 are free."""
    for base in range(21000, 30000, 211):
        free = []
        for port in (base, base + 1, base + 100):
            with socket.socket() as s:
                free.append(s.connect_ex(("127.0.0.1", port)) != 0)
        if all(free):
            return base
    raise AssertionError("no free ports")


@pytest.fixture(scope="session")
def peer_address(tmp_path_factory):
    if os.environ.get("FLUSS_PEER"):
        yield os.environ["FLUSS_PEER"]
        return
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"Apache Fluss needs {missing}")
    place = tmp_path_factory.mktemp("peer")
    settings = {"PEER_PORT": str(_free_base()), "PEER_JVM": "-Xmx512m -XX:TieredStopAtLevel=1"}
    environment = {**settings, **os.environ}
    command = [str(PEER), "start", str(place)]
    try:
        out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        yield dict(line.split("=", 1) for line in out.splitlines())["bootstrap"]
    finally:
        subprocess.run([str(PEER), "stop", str(place)], env=environment, check=True)


@pytest.fixture(scope="session")
def peer(peer_address):
    cluster = wire.Cluster(peer_address)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    if os.environ.get("EIDER_ADDRESS"):  # a server that runs already
        cluster = wire.Cluster(os.environ["EIDER_ADDRESS"])
        yield cluster
        cluster.close()
        return
    server = process.Server(tmp_path_factory.mktemp("eider")).start()
    cluster = wire.Cluster(server.address)
    yield cluster
    cluster.close()
    server.finish()
