"""Snapshots of primary-key tables as they lie in remote storage, and as the stock Java client reads them."""

import json
import os
import subprocess
from pathlib import Path

from . import java
from .patience import PATIENCE_S, until


class Bucket:
    """What remote storage has of one bucket of a server with the default remote.data.dir."""

    def __init__(self, server, table, bucket=0, partition=None):
        name = f"{table.path['table_name']}-{table.id}"
        parts = [table.path["database_name"], name]
        if partition is not None:
            parts.append(f"{partition}-p{table.partitions[partition]}")
        self.local = server.data_dir.joinpath(*parts, f"kv-{bucket}")
        self.remote = server.data_dir.joinpath("remote", "kv", *parts, str(bucket))

    def ids(self):
        return sorted(int(p.parent.name.removeprefix("snap-")) for p in self.remote.glob("snap-*/_METADATA"))

    def metadata(self, snapshot):
        return json.loads((self.remote / f"snap-{snapshot}" / "_METADATA").read_text())

    def newest(self):
        """The newest document; None when there is none. Older ones may go at any time."""
        for snapshot in reversed(self.ids()):
            try:
                return self.metadata(snapshot)
            except FileNotFoundError:
                continue
        return None

    def shared(self):
        return {p.name for p in self.remote.glob("shared/*")}


def named(document):
    """The shared files a snapshot consists of."""
    return {
        Path(f["kv_file_handle"]["path"]).name for f in document["kv_snapshot_handle"]["shared_file_handles"]
    }


def listed(table, partition=None):
    """The newest snapshots that the catalog has: {bucket: (id, log offset)}."""
    fields = {} if partition is None else {"partition_name": partition}
    answer = table.cluster.coordinator.call("GET_LATEST_KV_SNAPSHOTS", table_path=table.path, **fields)
    return {
        s.bucket_id: (s.snapshot_id, s.log_offset)
        for s in answer.latest_snapshots
        if s.HasField("snapshot_id")
    }


def wait(table, offset, bucket=0, partition=None):
    """Until the catalog has a snapshot of that log offset; its id."""

    def ready():
        found = listed(table, partition).get(bucket)
        return found if found and found[1] >= offset else None

    snapshot, reached = until(ready, f"no snapshot of offset {offset}")
    assert reached == offset
    return snapshot


def read_by_java(version, address, table, partition=None, tmpdir="/tmp"):
    """[{"bucket", "snapshot", "offset", "rows"}] of the newest snapshots."""
    output = java.build(version)
    jars = [*output.glob("*.jar"), *(output / "jars").glob("*.jar")]
    command = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += ["-XX:+IgnoreUnrecognizedVMOptions", "--add-opens=java.base/java.nio=ALL-UNNAMED"]
    command += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", f"-Djava.io.tmpdir={tmpdir}"]
    command += ["-cp", os.pathsep.join(map(str, jars)), "Snapshots", address]
    command += [table.path["database_name"], table.path["table_name"], *([partition] if partition else [])]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
