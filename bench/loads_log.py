"""The loads of log tables, and of servers as such."""
import shutil

from runner import Measure
from servers import free_port

LARGE = ("--compression", "zstd", "--rows", 20000)  # 0.94 MB on the wire
SMALL = ("--rows", 7)


def large_and_reads(r, server, read):
    result = r.bench(server, "produce", "--table", "large", "--keep", *LARGE, "--bytes", r.size(1000), touch=2000)
    r.keep("produce_gb", server, result["server_cpu_s_per_gb"])
    if read:
        result = r.bench(server, "fetch", "--table", "large", "--passes", 2)
        r.keep("fetch_gb", server, result["server_cpu_s_per_gb"])
        for columns, measure in (("0", "project_1"), ("0,2,4", "project_3")):
            result = r.bench(server, "project", "--table", "large", "--columns", columns, "--passes", 4)
            r.keep(measure, server, result["server_cpu_s_per_million_rows"])


def small(r, server):
    result = r.bench(server, "produce", "--table", "small", *SMALL, "--requests", r.count(60000))
    r.keep("small", server, result["server_cpu_us_per_request"])


def append(r, server):
    result = r.bench(server, "produce", "--table", "append", "--buckets", 4, "--bytes", r.size(1000), touch=2000)
    r.keep("append", server, result["rows_per_s"])


def latency(r, server):
    result = r.bench(server, "latency", "--table", "latency", "--duration", f"{r.count(10)}s")
    r.keep("latency_p50", server, result["arrival_p50_ms"])
    r.keep("latency_p99", server, result["arrival_p99_ms"])


def start(r, server):
    """Of a server without data; what it leaves is removed."""
    shutil.rmtree(server.dir, ignore_errors=True)
    port = free_port()
    server.address = f"127.0.0.1:{port}"
    result = r.bench(server, "start", "--timeout", "90s", command=server.command(port))
    r.keep("start_ms", server, result["first_request_ms"])
    r.keep("idle_cpu", server, result["idle_cpu_s"])
    r.keep("idle_rss", server, result["idle_rss_mib"])
    shutil.rmtree(server.dir, ignore_errors=True)


def one_round(r, servers):
    for load in (lambda s: large_and_reads(r, s, s.name != "eider-os"), lambda s: small(r, s),
                 lambda s: append(r, s), lambda s: latency(r, s)):
        for server in servers:
            load(server)


MEASURES = [
    Measure("produce_gb", "server CPU per GB, large batches, acks=-1, `fsync`", "s", "eider-fsync", 3),
    Measure("small", "server CPU per produce request of 7 rows, `os`", "µs", "eider-os", 8),
    Measure("small", "the same, `fsync`", "µs", "eider-fsync", 8),
    Measure("fetch_gb", "server CPU per GB fetched unprojected", "s", "eider-fsync", 8),
    Measure("project_1", "server CPU per million rows, 1 of 10 columns", "s", "eider-fsync", 4),
    Measure("project_3", "server CPU per million rows, 3 of 10 columns", "s", "eider-fsync", 4),
    Measure("append", "append to 4 buckets, `os`", "rows/s", "eider-os", 2.5),
    Measure("append", "append to 4 buckets, `fsync`", "rows/s", "eider-fsync", 1.5),
    Measure("latency_p50", "produce to consume, 1,000 rows/s, p50, `os`", "ms", "eider-os", limit=0.2),
    Measure("latency_p99", "produce to consume, 1,000 rows/s, p99, `os`", "ms", "eider-os", limit=1),
    Measure("latency_p50", "the same, p50, `fsync`", "ms", "eider-fsync"),
    Measure("latency_p99", "the same, p99, `fsync`", "ms", "eider-fsync"),
    Measure("start_ms", "start to first served request", "ms", "eider-fsync", limit=50),
    Measure("idle_cpu", "CPU spent from start until idle", "s", "eider-fsync", limit=0.1),
    Measure("idle_rss", "memory when idle", "MiB", "eider-fsync", limit=15),
]
