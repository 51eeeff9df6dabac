"""The stock Java client: builds test/java once for each version and talks to its driver."""

import fcntl
import hashlib
import json
import os
import shutil
import struct
import subprocess
from datetime import date, datetime, time

import pyarrow as pa

from .patience import PATIENCE_S
from .process import ROOT

VERSIONS = ["0.9.1-incubating", "1.0.0"]
SOURCE = ROOT / "test" / "java"
CACHE = ROOT / ".cache" / "java"


def missing_tools():
    return [tool for tool in ("java", "javac", "mvn") if not shutil.which(tool)]


def build(version, source=SOURCE):
    """The folder with the driver and its jars; made when the sources have changed."""
    files = [source / "pom.xml", *sorted(source.rglob("*.java"))]
    key = hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()
    output = CACHE / version
    output.mkdir(parents=True, exist_ok=True)
    stamp = output / "stamp"
    with open(output / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers, one build
        if not stamp.exists() or stamp.read_text() != key:
            command = ["mvn", "-q", "-B", "-f", source / "pom.xml", "package"]
            command += [f"-Dfluss.version={version}", f"-Dtest.output={output}"]
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            stamp.write_text(key)
    return output


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(f"code {code}: {text}")
        self.code = code


class Driver:
    """One JVM with one client; `driver.tables(db=...)` sends {"do": "tables", "db": ...}."""

    def __init__(self, version):
        self.version = version
        output = build(version)
        jars = [*output.glob("*.jar"), *(output / "jars").glob("*.jar")]
        command = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command += ["-XX:+IgnoreUnrecognizedVMOptions", "--add-opens=java.base/java.nio=ALL-UNNAMED"]
        command += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        command += ["-cp", os.pathsep.join(map(str, jars)), "Driver"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def __getattr__(self, name):
        return lambda **fields: self.tell(do=name, **fields)

    def tell(self, **task):
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the Java client ended"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer.get("code", answer.get("state")), answer["error"])
        return answer["ok"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()


EPOCH = datetime(1970, 1, 1)


def encode(value, kind):
    """A Python value of an Arrow type as the driver spells it (see Values.java)."""
    if value is None:
        return None
    if pa.types.is_float32(kind):
        return struct.unpack("<i", struct.pack("<f", value))[0]
    if pa.types.is_float64(kind):
        return struct.unpack("<q", struct.pack("<d", value))[0]
    if isinstance(value, bytes):
        return value.hex()
    if pa.types.is_decimal(kind):
        return format(value, "f")
    if isinstance(value, datetime):
        micros = (value.replace(tzinfo=None) - EPOCH) // (datetime.resolution)
        return [micros // 1000, micros % 1000 * 1000]
    if isinstance(value, date):
        return (value - EPOCH.date()).days
    if isinstance(value, time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
    return _nested(value, kind)


def _nested(value, kind):
    if pa.types.is_map(kind):
        return sorted([encode(k, kind.key_type), encode(v, kind.item_type)] for k, v in value)
    if pa.types.is_list(kind):
        return [encode(v, kind.value_type) for v in value]
    if pa.types.is_struct(kind):
        return [encode(value[f.name], f.type) for f in kind]
    return value


def encode_table(table: pa.Table):
    return [[encode(v, f.type) for v, f in zip(row.values(), table.schema)] for row in table.to_pylist()]
