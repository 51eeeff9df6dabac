"""The stock JDBC driver of PostgreSQL: builds test/jdbc and talks to its driver."""

import os
import subprocess

from . import java
from .process import ROOT

SOURCE = ROOT / "test" / "jdbc"


class Driver(java.Driver):
    """One JVM with one connection; `driver.query(sql=...)` sends {"do": "query", "sql": ...}."""

    def __init__(self):
        output = java.build("postgresql", SOURCE)
        jars = [*output.glob("*.jar"), *(output / "jars").glob("*.jar")]
        command = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command += ["-cp", os.pathsep.join(map(str, jars)), "Jdbc"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
