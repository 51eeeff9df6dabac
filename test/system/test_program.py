"""The program itself: start, address line, options, clean stop."""

import itertools
import json
import os
import signal
import subprocess
import time

import pytest
from harness import batches, patience, process, tables, wire
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.own_server


def refused(*options):
    """Exit code 2 and what stderr says."""
    done = process.run("server", "--ephemeral", "--port", "0", *options)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    "option, expected",
    [
        ("no.such.option=1", ["no.such.option"]),
        ("log.segment.file-size=huge", ["log.segment.file-size", "huge"]),
        ("netty.connection.max-idle-time=soon", ["netty.connection.max-idle-time", "soon"]),
        ("default.bucket.number=many", ["default.bucket.number", "many"]),
        ("allow.create.log.tables=perhaps", ["allow.create.log.tables", "perhaps"]),
        ("log.durability=maybe", ["log.durability", "maybe", "fsync"]),
        ("log.format=xml", ["log.format", "xml", "json"]),
    ],
)
def test_wrong_options_name_key_found_and_expected(option, expected):
    text = refused("-D", option)
    assert [word for word in expected if word not in text] == []


@pytest.mark.parametrize("flags", [["--port", "70000"], ["--port", "x"], ["--nonsense"], ["-D"], ["-D", "x"]])
def test_wrong_flags(flags):
    done = process.run("server", "--ephemeral", *flags)
    assert done.returncode == 2 and done.stderr


def test_an_option_file(launch, tmp_path):
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "server.yaml").write_text("# comment\ndefault.bucket.number: 3\n")
    server = launch("configured", args=["--config", str(conf / "server.yaml")])
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL, buckets=None)
    assert table.json()["bucket_count"] == 3
    cluster.close()


def test_a_broken_option_file(tmp_path):
    path = tmp_path / "server.yaml"
    path.write_text("default.bucket.number: [1, 2\n")
    text = refused("--config", str(path))
    assert "server.yaml" in text


def test_options_of_fluss_that_mean_nothing_here_are_accepted(launch):
    launch(
        "tolerant",
        options={
            "remote.log.task-interval-duration": "1s",
            "zookeeper.address": "localhost:2181",
            "tablet-server.id": "0",
            "kv.rocksdb.block.cache-size": "8mb",
        },
    )


def test_config_prints_every_option():
    done = process.run("config")
    assert done.returncode == 0
    for key in ("netty.server.max-request-size", "log.segment.file-size", "log.durability", "log.format"):
        assert key in done.stdout
    assert len(done.stdout.splitlines()) > 50


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version(flag):
    done = process.run(flag)
    assert done.returncode == 0 and done.stdout


def test_no_command_and_unknown_commands():
    assert process.run().returncode == 2
    assert process.run("conquer").returncode == 2


def test_the_address_line(launch, tmp_path):
    server = launch("a", ephemeral=True)
    assert server.info["pid"] == server.process.pid
    assert server.address.startswith("127.0.0.1:")
    directory = server.info["data_dir"]
    assert os.path.isdir(directory)
    server.terminate()
    assert not os.path.exists(directory), "--ephemeral leaves nothing behind"


def test_starts_fast(launch):
    names = itertools.count()

    def start():
        with wire.Connection(launch(f"fast-{next(names)}").address) as c:
            c.hello()

    patience.fastest(start, 2)  # milliseconds without sanitizers


def test_a_port_in_use(launch):
    server = launch("first")
    done = process.run("server", "--ephemeral", "--port", str(server.port))
    assert done.returncode not in (0, 2) and str(server.port) in done.stderr


def test_a_data_directory_in_use(launch):
    server = launch("first")
    done = process.run("server", "--data-dir", str(server.data_dir), "--port", "0")
    assert done.returncode not in (0, 2) and str(server.data_dir) in done.stderr


def test_a_data_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    done = process.run("server", "--data-dir", str(tmp_path / "file" / "x"), "--port", "0")
    assert done.returncode not in (0, 2) and "file" in done.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_cleanly_within_a_second(launch, signum):
    server = launch()

    def stop():
        if not server.running():
            server.start()
        start = time.monotonic()
        os.kill(server.pid, signum)
        assert server.process.wait(PATIENCE_S) == 0
        seconds = time.monotonic() - start
        assert (server.data_dir / ".fluss_cleanshutdown").exists()
        server.process.stdout.close()
        return seconds < 1

    patience.until(stop, "each time it took more than a second")


def test_sigterm_answers_a_parked_fetch(launch, tmp_path):
    server = launch()
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL)
    with cluster.connect() as c:
        request_id = c.send("FETCH_LOG", **table.fetch_fields(wait_ms=60_000, min_bytes=1))
        c.call("LIST_DATABASES")
        assert server.terminate() < 30
        try:
            c.wait_for(request_id)  # an answer or an error, but not silence
            c.assert_closed()
        except wire.Closed:
            pytest.fail("the parked fetch was never answered")
    cluster.close()


def test_sigterm_answers_the_writes_it_has_taken(launch):
    server = launch()
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL)
    acked = []
    with cluster.connect() as c:
        sent = [
            c.send("PRODUCE_LOG", **table.produce_fields(batches.arrow_batch(tables.small_rows(i, 1))))
            for i in range(200)
        ]
        os.kill(server.pid, signal.SIGTERM)
        try:
            for request_id in sent:
                reply = c.wait_for(request_id)
                if reply.kind == wire.OK:
                    entry = wire.parse_response("PRODUCE_LOG", reply.body).buckets_resp[0]
                    if not entry.HasField("error_code"):
                        acked.append(entry.base_offset)
        except (wire.Closed, OSError):
            pass
    assert server.process.wait(PATIENCE_S) == 0
    server.process.stdout.close()
    cluster.close()
    server.start()
    again = wire.Cluster(server.address)
    assert acked == list(range(len(acked)))
    assert tables.Table(again, "fluss", "t").open().offset(1) >= len(acked)
    again.close()


def test_peers_that_never_read_do_not_delay_the_end(launch):
    server = launch()

    def stop():
        if not server.running():
            server.start()
        deaf = wire.Connection(server.address)
        deaf.send_bytes(b"".join(wire.frame(1003, i) for i in range(5000)))
        half = wire.Connection(server.address)
        half.send_bytes(wire.frame(1003, 1)[:7])
        seconds = server.terminate()
        deaf.close(), half.close()
        return seconds < 2

    patience.until(stop, "each time it took more than two seconds")


def test_stderr_speaks_json_when_asked(launch):
    server = launch(options={"log.format": "json"})
    server.terminate()
    lines = server.stderr().splitlines()
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)


def test_shards(launch):
    server = launch(args=["--shards", "3"])
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "t", tables.SMALL, buckets=12)
    connections = [cluster.connect() for _ in range(6)]
    for i in range(48):
        records = batches.arrow_batch(tables.small_rows(i, 1))
        table.produce(records, connection=connections[i % 6], bucket=i % 12)
    assert [table.offset(1, b) for b in range(12)] == [4] * 12
    for c in connections:
        c.close()
    cluster.close()


def test_stdout_that_nobody_reads_any_more(launch):
    """The address line is all that goes to stdout, so a closed pipe is no reason to end."""
    server = launch()
    server.process.stdout.close()
    with wire.Connection(server.address) as c:
        c.hello()
    os.kill(server.pid, signal.SIGTERM)
    assert server.process.wait(PATIENCE_S) == 0
    assert isinstance(server.process, subprocess.Popen)
