"""The loads of primary-key tables.

Tables are filled once (fill); a round then replaces rows and reads. Restarts come last, since they end the
servers."""
from statistics import mean

from runner import Measure
from servers import free_port

KEYS = 1_000_000
PREFIX_KEYS = 200_000
PREFIX_ROWS = 10
BATCH_ROWS = 7000
SETTLE = ("--settle", "30s")  # compaction follows the writes


def keys_of(r, count=KEYS):
    return max(10 * PREFIX_ROWS, round(count * r.scale / PREFIX_ROWS) * PREFIX_ROWS)


def fill(r, server):
    keys = keys_of(r)
    r.bench(server, "upsert", "--table", "kv", "--keys", keys, "--requests", 1, "--keep", *SETTLE, touch=2000)
    keys = keys_of(r, PREFIX_KEYS)
    r.bench(server, "upsert", "--table", "kv_prefix", "--prefix-rows", PREFIX_ROWS, "--keys", keys, "--requests", 1,
            "--keep", *SETTLE)


def upsert(r, server, share):
    keys = keys_of(r)
    requests = max(1, round(share * keys / BATCH_ROWS))
    result = r.bench(server, "upsert", "--table", "kv", "--existing", "--keys", keys, "--requests", requests, "--keep",
                     *SETTLE, touch=1000)
    r.keep("upsert_cpu", server, result["server_cpu_s_per_million_rows"])
    r.keep("upsert_rate", server, result["rows_per_s"])


def lookups(r, server, share):
    keys = keys_of(r)
    result = r.bench(server, "lookup", "--table", "kv", "--keys", keys, "--warm", "1s", "--requests",
                     r.count(8000 * share))
    r.keep("lookup_cpu", server, result["server_cpu_s_per_million_rows"])
    r.keep("lookup_rate", server, result["rows_per_s"])


def single_lookups(r, server, share):
    result = r.bench(server, "lookup", "--table", "kv", "--keys", keys_of(r), "--warm", "500ms", "--outstanding", 1,
                     "--keys-per-request", 1, "--requests", r.count(20000 * share))
    r.keep("single_p50", server, result["response_p50_ms"])
    r.keep("single_p99", server, result["response_p99_ms"])


def prefixes(r, server, share):
    result = r.bench(server, "prefix", "--table", "kv_prefix", "--keys", keys_of(r, PREFIX_KEYS), "--prefix-rows",
                     PREFIX_ROWS, "--warm", "500ms", "--requests", r.count(600 * share))
    r.keep("prefix_cpu", server, result["server_cpu_s_per_million_rows"] * PREFIX_ROWS)


def limits(r, server, share):
    result = r.bench(server, "limit", "--table", "kv", "--keys", keys_of(r), "--warm", "500ms", "--requests",
                     r.count(1500 * share))
    r.keep("limit_cpu", server, result["server_cpu_us_per_request"])


def redis(r, server, share):
    keys = keys_of(r)
    for what, measure, requests in (("set", "upsert", keys), ("get", "lookup", 2 * keys)):
        r.quiet.wait()
        result = {"server": server.name, **server.load(what, keys, max(1, round(share * requests)))}
        r.write(result)
        r.keep(f"{measure}_cpu", server, result["server_cpu_s_per_million_rows"])
        r.keep(f"{measure}_rate", server, result["rows_per_s"])


def one_round(r, servers, small, redis_server, share=1):
    """share: of a round's load. small: an Eider that has to read its rows from files."""
    for server in servers:
        upsert(r, server, share)
        if server.name != "eider-os":
            for load in (lookups, single_lookups, prefixes, limits):
                load(r, server, share)
    if small:
        lookups(r, small, share)
    if redis_server:
        redis(r, redis_server, share)


def restarts(r, server, rounds):
    """From the start of processes that were killed to the first row looked up and found right; each ends by a
    kill again. Every other row is looked at after the last."""
    keys = keys_of(r)
    server.kill()
    for _ in range(rounds):
        port = free_port()
        server.address = f"127.0.0.1:{port}"
        result = r.bench(server, "start", "--lookup", "--kill", "--table", "kv", "--keys", keys, "--timeout", "120s",
                         "--idle", "500ms", command=server.command(port))
        r.keep("restart_ms", server, result["first_request_ms"])


MEASURES = [
    Measure("upsert_cpu", "server CPU per million upserts, 1 M keys, `fsync`", "s", "eider-fsync", 8, 2.5,
            middle=mean),
    Measure("upsert_cpu", "the same, `os`", "s", "eider-os", 8, 2.5, middle=mean),
    Measure("lookup_cpu", "server CPU per million lookups, 128 a request, rows in memory", "s", "eider-fsync", 8, 1.0),
    Measure("lookup_cpu", "the same, rows in the page cache only", "s", "eider-small", limit=5),
    Measure("lookup_cpu", "lookups against Redis GET, pipelined by 128", "s", "eider-fsync", 1, peer="redis"),
    Measure("upsert_cpu", "upserts (`os`) against Redis SET without persistence", "s", "eider-os", peer="redis",
            middle=mean),
    Measure("prefix_cpu", "server CPU per prefix lookup of 10 rows", "µs", "eider-fsync", 8),
    Measure("lookup_rate", "lookups on one bucket", "rows/s", "eider-fsync", 5),
    Measure("single_p50", "one lookup at a time, p50", "ms", "eider-fsync", limit=0.1),
    Measure("single_p99", "one lookup at a time, p99", "ms", "eider-fsync", limit=0.5),
    Measure("upsert_rate", "upserts on one bucket, `os`", "rows/s", "eider-os", 6),
    Measure("upsert_rate", "upserts on one bucket, `fsync`", "rows/s", "eider-fsync", 4),
    Measure("limit_cpu", "server CPU per limit scan of 1,000 rows", "µs", "eider-fsync", 6),
    Measure("restart_ms", "`kill -9`, 1 M keys: start to first correct lookup", "ms", "eider-fsync", 20, 500),
]
