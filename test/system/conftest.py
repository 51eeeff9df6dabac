"""Fixtures of the black-box tests.

Each test gets a fresh server of its own (EIDER_BIN, default build/eider) on a free port, or with
--bootstrap host:port the same external one, which is how the tests are checked against Apache
Fluss. Tests marked own_server or sql_server are skipped then.
"""

import os
import secrets
import shutil
import subprocess

import fluss as pyfluss
import pytest
import pytest_asyncio
from harness import process, sql, tables, wire, world


def pytest_addoption(parser):
    parser.addoption("--bootstrap", metavar="HOST:PORT", help="test this server, start none")
    parser.addoption("--seeds", metavar="A-B", help="schedules of the model test, both ends included")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--bootstrap"):
        skip = pytest.mark.skip(reason="needs a server of its own (--bootstrap given)")
        for item in items:
            if item.get_closest_marker("own_server") or item.get_closest_marker("sql_server"):
                item.add_marker(skip)


@pytest.fixture
def launch(tmp_path):
    """Starts servers of our own: launch(options={...}, args=[...])."""
    started = []

    def launch(name="server", **settings):
        server = process.Server(tmp_path / name, **settings)
        started.append(server)
        return server.start()

    yield launch
    for server in started:
        server.finish()


@pytest.fixture
def server(request):
    address = request.config.getoption("--bootstrap")
    if address:
        return process.External(address)
    options = sql.OPTIONS if request.node.get_closest_marker("sql_server") else {}
    return request.getfixturevalue("launch")(options=options)


@pytest.fixture
def cluster(server):
    cluster = wire.Cluster(server.address)
    yield cluster
    cluster.close()


@pytest.fixture
def db(cluster):
    """A database of this test alone."""
    name = f"test_{secrets.token_hex(4)}"
    cluster.coordinator.call("CREATE_DATABASE", database_name=name, ignore_if_exists=False)
    yield name
    if cluster_alive(cluster):
        with wire.Connection(cluster.coordinator_address) as c:
            c.call("DROP_DATABASE", database_name=name, ignore_if_not_exists=True, cascade=True)


@pytest.fixture
def session(server, db):
    """An SQL session in the database of the test."""
    with sql.connect(server, db) as connection:
        yield connection


def cluster_alive(cluster):
    try:
        with wire.Connection(cluster.coordinator_address, timeout=5) as c:
            c.hello()
        return True
    except (OSError, wire.Closed):
        return False


@pytest.fixture
def create(cluster, db):
    """create(name, columns, ...) makes a log table and waits for its leaders."""

    def create(name="t", columns=None, **options):
        schema = options.pop("schema", tables.SMALL_ARROW if columns is None else None)
        return tables.Table.create(cluster, db, name, columns or tables.SMALL, schema, **options)

    return create


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting needs root")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mount is not permitted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def disk_image(tmp_path):
    """A file system of its own (ext4); disk_image.mount() again after umount."""

    class Disk:
        file, place = tmp_path / "disk.img", tmp_path / "disk"

        def mount(self):
            world.mount(self.place, "-o", "loop", str(self.file))

        def umount(self):
            subprocess.run(["umount", str(self.place)], check=True)
            self.place.rmdir()

    disk = Disk()
    with open(disk.file, "wb") as file:
        file.truncate(128 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(disk.file)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("mkfs.ext4 is not there")
    disk.mount()
    yield disk
    if os.path.ismount(disk.place):
        subprocess.run(["umount", "-l", str(disk.place)], check=True)


@pytest_asyncio.fixture
async def client(server):
    """A connection of the stock Python client."""
    connection = await pyfluss.FlussConnection.create(pyfluss.Config({"bootstrap.servers": server.address}))
    yield connection
    await connection.close()
