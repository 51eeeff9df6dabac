"""Primary-key tables with the stock Java clients 0.9.1 and 1.0.0."""

import time

import pytest
from harness import java, types
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(bool(java.missing_tools()), reason=f"missing: {java.missing_tools()}")

SMALL = [["k", "INT"], ["v", "STRING"], ["w", "BIGINT"]]
NESTED = ("array", "map", "row", "deep")
INVALID_CONFIG, DISABLED = 39, 57


@pytest.fixture(scope="session", params=java.VERSIONS)
def jvm(request):
    driver = java.Driver(request.param)
    yield driver
    driver.end()


@pytest.fixture
def client(jvm, server):
    jvm.connect(bootstrap=server.address)
    yield jvm
    jvm.close()


@pytest.fixture
def at(db):
    return {"db": db, "table": "t"}


def make(client, at, columns=SMALL, keys=("k",), **options):
    client.create_table(**at, columns=columns, primary_key=list(keys), **options)


def write(client, at, *rows, **options):
    """A list is a row to upsert, a tuple one to delete."""
    tasks = [["-" if isinstance(row, tuple) else "+", list(row)] for row in rows]
    assert client.write(**at, rows=tasks, **options) == len(rows)


def rows_of(client, at, *keys, **options):
    """The row of each key, None without one."""
    found = client.lookup(**at, keys=[k if isinstance(k, list) else [k] for k in keys], **options)
    assert all(len(rows) <= 1 for rows in found)
    return [rows[0] if rows else None for rows in found]


def changelog(client, at, **options):
    found = sorted(client.scan(**at, **options), key=lambda r: (r["bucket"], r["offset"]))
    return [(r["kind"], r["row"]) for r in found]


def refused(call, **fields):
    with pytest.raises(java.Refused) as e:
        call(**fields)
    return e.value.code


@pytest.mark.parametrize("kv_format", ["COMPACTED", "INDEXED"])
@pytest.mark.parametrize("log_format", ["ARROW", "COMPACTED"])
def test_writes_lookups_changelog(client, at, kv_format, log_format):
    if (kv_format, log_format) == ("INDEXED", "COMPACTED"):
        pytest.skip("the formats exclude each other")
    make(client, at, properties={"table.kv.format": kv_format, "table.log.format": log_format})
    write(client, at, [1, "a", 1], [2, None, None], [3, "c", 3])
    write(client, at, [1, "aa", None], (2, None, None), (9, None, None))
    assert rows_of(client, at, 1, 2, 3, 9) == [[1, "aa", None], None, [3, "c", 3], None]
    if log_format == "COMPACTED" and client.version.startswith("0.9"):
        return  # its client cannot read them
    assert changelog(client, at) == [
        ("+I", [1, "a", 1]), ("+I", [2, None, None]), ("+I", [3, "c", 3]),
        ("-U", [1, "a", 1]), ("+U", [1, "aa", None]), ("-D", [2, None, None]),
    ]  # fmt: skip
    assert changelog(client, at, columns=["v"])[3:5] == [("-U", ["a"]), ("+U", ["aa"])]
    assert changelog(client, at, columns=["w", "k"])[:2] == [("+I", [1, 1]), ("+I", [None, 2])]


@pytest.mark.parametrize("kv_format", ["COMPACTED", "INDEXED"])
def test_every_type(client, at, kv_format):
    columns = [["id", "INT"], *([n, t] for n, t in types.TEXTS.items())]
    if kv_format == "INDEXED":  # which keeps the declared length only, without the zeros at its end
        columns = [[n, t] for n, t in columns if n != "binary"]
    names = [n for n, _ in columns]
    expected = java.encode_table(types.table(40).select(names))
    nothing = [[i, *[None] * (len(columns) - 1)] for i in range(40)]
    make(client, at, columns, keys=["id"], properties={"table.kv.format": kv_format})
    write(client, at, *nothing[:7])
    write(client, at, *expected)
    found = rows_of(client, at, *range(41))
    assert in_order(found[:40]) == in_order(expected) and found[40] is None
    assert in_order(sorted(client.limit(**at, limit=100))) == in_order(expected)
    changes = changelog(client, at)
    assert in_order([r for kind, r in changes if kind == "+U"]) == in_order(expected[:7])
    assert [r for kind, r in changes if kind == "-U"] == nothing[:7]
    chosen = ["string", "decimal_big", "row", "boolean"]
    picked = [[row[names.index(c)] for c in chosen] for row in expected]
    assert [r for kind, r in changelog(client, at, columns=chosen) if kind == "+I"][7:] == picked[7:]


def in_order(rows):
    """Pairs of a map come in any order."""
    return [[sorted(v, key=repr) if isinstance(v, list) else v for v in row] for row in rows]


@pytest.mark.parametrize("lake", [None, "paimon", "iceberg"])
def test_every_type_as_key(client, db, lake):
    unfit = (
        ("boolean", "tinyint", "smallint", "timestamp_ltz_3", "timestamp_ltz_6") if lake == "iceberg" else ()
    )
    properties = {} if lake is None else {"table.datalake.format": lake}
    for name, text in types.TEXTS.items():
        if name in NESTED or name in unfit:
            continue
        at = {"db": db, "table": name}
        kind, values = types.COLUMNS[name]
        keys = [java.encode(v, kind) for v in values]
        if lake == "iceberg" and name in ("string", "bytes"):
            keys.remove("")  # its client refuses a key without bytes
        make(client, at, [["k", text], ["v", "INT"]], buckets=3, properties=properties)
        write(client, at, *([k, i] for i, k in enumerate(keys)))
        write(client, at, (keys[0], None))
        assert rows_of(client, at, *([k] for k in keys)) == [
            None, *([k, i] for i, k in enumerate(keys) if i),
        ], name  # fmt: skip


def test_prefix_lookups(client, at):
    columns = [["a", "INT"], ["b", "STRING"], ["c", "BIGINT"], ["v", "STRING"]]
    make(client, at, columns, keys=["a", "b", "c"], bucket_keys=["a", "b"], buckets=3)
    rows = [[a, b, c, f"{a} {b} {c}"] for a in (-1, 1, 2) for b in ("", "x", "xy") for c in range(6)]
    write(client, at, *rows)
    write(client, at, (1, "x", 0, None))
    found = client.lookup(**at, by=["a", "b"], keys=[[1, "x"], [-1, ""], [7, "x"], [2, "xy"]])
    expected = [[r for r in rows if r[:2] == [a, b]] for a, b in ((1, "x"), (-1, ""), (7, "x"), (2, "xy"))]
    assert found == [expected[0][1:], *expected[1:]]
    assert rows_of(client, at, [1, "x", 0], [1, "x", 1]) == [None, [1, "x", 1, "1 x 1"]]


def test_partial_updates(client, at):
    make(client, at)
    write(client, at, [1, "a", None], [2, "b", None], columns=["k", "v"])
    write(client, at, [1, None, 10], [3, None, 30], columns=["k", "w"])
    assert rows_of(client, at, 1, 2, 3) == [[1, "a", 10], [2, "b", None], [3, None, 30]]
    write(client, at, (1, None, None), (2, None, None), columns=["k", "v"])
    assert rows_of(client, at, 1, 2, 3) == [[1, None, 10], None, [3, None, 30]]
    write(client, at, [3, "whole", None])
    assert rows_of(client, at, 3) == [[3, "whole", None]]


def test_aggregation(client, at):
    columns = [
        ["k", "INT"], ["total", "BIGINT", "sum"], ["best", "DECIMAL(10, 2)", "max"],
        ["first", "STRING", "first_value"], ["names", "STRING", "listagg", {"delimiter": "|"}],
        ["all", "BOOLEAN", "bool_and"], ["last", "DOUBLE"],
    ]  # fmt: skip
    half = 4602678819172646912  # the bits of 0.5
    make(client, at, columns, properties={"table.merge-engine": "aggregation"})
    write(client, at, [1, 5, "1.50", "a", "x", True, None], [1, 7, "-3.00", "b", "y", True, half])
    write(client, at, [1, None, "2.25", None, "z", False, None])
    assert rows_of(client, at, 1) == [[1, 12, "2.25", "a", "x|y|z", False, half]]
    write(client, at, [1, 100, None, None, None, None, None], columns=["k", "total"])
    write(client, at, [1, 1, "0.00", "c", "w", None, None], mode="OVERWRITE")
    assert rows_of(client, at, 1) == [[1, 1, "0.00", "c", "w", None, None]]
    kinds = [kind for kind, _ in changelog(client, at)]
    assert kinds == ["+I", *["-U", "+U"] * 4]


@pytest.mark.parametrize("engine", ["first_row", "versioned"])
def test_engines_that_keep(client, at, engine):
    properties = {"table.merge-engine": engine}
    if engine == "versioned":
        properties["table.merge-engine.versioned.ver-column"] = "w"
    make(client, at, properties=properties)
    write(client, at, [1, "a", 5], [2, "b", None])
    write(client, at, [1, "older", 4], [2, "newer", 1], (1, None, None), [3, "end", 1])
    first = [[1, "a", 5], [2, "b", None] if engine == "first_row" else [2, "newer", 1]]
    assert rows_of(client, at, 1, 2) == first
    kinds = [kind for kind, _ in changelog(client, at)]
    assert kinds == ["+I", "+I", *([] if engine == "first_row" else ["-U", "+U"]), "+I"]


def test_auto_increment_and_insert_by_lookup(client, at):
    make(client, at, [["word", "STRING"], ["id", "INT"]], keys=["word"], auto_increment="id")
    write(client, at, ["a", None], ["b", None], columns=["word"])
    assert rows_of(client, at, ["a"], ["c"], ["b"], insert=True) == [["a", 1], ["c", 3], ["b", 2]]
    assert rows_of(client, at, ["c"], ["zz"]) == [["c", 3], None]
    assert sorted(row for _, row in changelog(client, at)) == [["a", 1], ["b", 2], ["c", 3]]


def test_limit_scans(client, at):
    make(client, at)
    write(client, at, *([i, str(i), i] for i in (7, 1, 300, 5, 128)), (5, None, None))
    for limit in (1, 3, 4, 10):
        found = client.limit(**at, limit=limit)
        assert found == [[i, str(i), i] for i in (1, 7, 128, 300)][:limit]
    assert client.limit(**at, limit=2, columns=["v"]) == [["1"], ["7"]]


def test_row_counts_and_offsets(client, at):
    make(client, at, buckets=3)
    write(client, at, *([i % 50, "x", i] for i in range(120)))
    assert client.row_count(**at) == 50
    write(client, at, *((i, None, None) for i in range(10)))
    assert client.row_count(**at) == 40
    ends = client.offsets(**at, at="latest")
    assert sum(ends.values()) == 50 + 2 * 70 + 10


def test_partitions(client, at):
    columns = [["k", "INT"], ["region", "STRING"], ["v", "STRING"]]
    make(client, at, columns, keys=["k", "region"], partition_keys=["region"], buckets=2)
    client.create_partition(**at, spec={"region": "eu"})
    rows = [[i, region, f"{region} {i}"] for i in range(30) for region in ("eu", "us")]
    write(client, at, *rows)  # the client creates the partition "us" itself
    write(client, at, (3, "us", None))
    found = rows_of(client, at, *(r[:2] for r in rows), [1, "asia"])
    assert found == [None if r[:2] == [3, "us"] else r for r in rows] + [None]
    assert client.row_count(**at) == 59
    ids = client.partitions(**at)
    scanned = [r for b in (0, 1) for r in client.limit(**at, limit=99, bucket=b, partition=ids["eu"])]
    assert sorted(scanned) == [r for r in rows if r[1] == "eu"]
    client.drop_partition(**at, spec={"region": "eu"})
    assert rows_of(client, at, [5, "us"]) == [[5, "us", "us 5"]]


def test_deletes_may_be_refused(client, at):
    make(client, at, properties={"table.delete.behavior": "disable"})
    write(client, at, [1, "a", 1])
    assert refused(client.write, **at, rows=[["-", [1, None, None]]]) == DISABLED
    assert rows_of(client, at, 1) == [[1, "a", 1]]


def test_refused_tables(client, at):
    def code(columns=SMALL, keys=("k",), **options):
        return refused(client.create_table, **at, columns=columns, primary_key=list(keys), **options)

    assert code(properties={"table.changelog.image": "half"}) == INVALID_CONFIG
    sums = {"table.merge-engine": "aggregation", "table.changelog.image": "wal"}
    assert code(properties=sums) == INVALID_CONFIG
    assert code([["k", "INT"], ["v", "STRING", "sum"]], properties={"table.merge-engine": "aggregation"})


def test_a_column_is_added(client, jvm, server, at):
    make(client, at)
    write(client, at, [1, "a", 1], [2, "b", 2])
    client.add_column(**at, name="x", type="ARRAY<STRING>")
    jvm.connect(bootstrap=server.address)  # a new client, which knows the new schema
    write(client, at, [2, "bb", 22, ["x", None]], [3, None, None, None])
    write(client, at, [1, None, None, ["y"]], columns=["k", "x"])
    expected = [[1, "a", 1, ["y"]], [2, "bb", 22, ["x", None]], [3, None, None, None]]
    assert rows_of(client, at, 1, 2, 3) == expected
    assert client.limit(**at, limit=9) == expected
    assert changelog(client, at) == [
        ("+I", [1, "a", 1, None]), ("+I", [2, "b", 2, None]), ("-U", [2, "b", 2, None]),
        ("+U", [2, "bb", 22, ["x", None]]), ("+I", [3, None, None, None]),
        ("-U", [1, "a", 1, None]), ("+U", [1, "a", 1, ["y"]]),
    ]  # fmt: skip


def test_many_rows(client, at):
    make(client, at, buckets=4)
    expected = {}
    tasks = []
    for i in range(12_000):
        key = i * 7 % 5000
        expected[key] = [key, "x" * (i % 83), i]
        tasks.append(expected[key])
    write(client, at, *tasks)
    keys = list(range(0, 5000, 3))
    assert rows_of(client, at, *keys) == [expected[k] for k in keys]
    assert client.row_count(**at) == 5000
    state = {}
    for kind, row in changelog(client, at):
        if kind == "-U":
            assert state.pop(row[0]) == row
        else:
            state[row[0]] = row
    assert state == expected


@pytest.mark.own_server
def test_reading_all_rows(client, at, jvm, server):
    """The scan sessions of 1.0.0: every bucket at one offset, in several answers."""
    if jvm.version.startswith("0.9"):
        pytest.skip("newer than 0.9.1")
    jvm.connect(bootstrap=server.address, conf={"client.scanner.kv.batch-strategy": "server-scan"})
    make(client, at, buckets=3)
    rows = [[i, "x" * (i % 200), i] for i in range(4000)]
    write(client, at, *rows)
    write(client, at, *((i, None, None) for i in range(0, 4000, 4)))
    assert sorted(client.read_all(**at)) == [r for r in rows if r[0] % 4]
    assert sorted(client.read_all(**at, columns=["w"])) == [[r[2]] for r in rows if r[0] % 4]


@pytest.mark.own_server
def test_snapshots(jvm, launch):
    """The client downloads a snapshot's files and reads them with RocksDB of its own."""
    server = launch(options={"kv.snapshot.interval": "1s"})
    jvm.connect(bootstrap=server.address)
    jvm.create_database(db="d")
    at = {"db": "d", "table": "t"}
    make(jvm, at, buckets=2)
    assert jvm.snapshots(**at) == {"0": None, "1": None}
    rows = [[i, f"row {i}", i] for i in range(1000)]
    write(jvm, at, *rows)
    write(jvm, at, *((i, None, None) for i in range(0, 1000, 10)))
    ends = jvm.offsets(**at, at="latest")
    end = time.monotonic() + PATIENCE_S
    while [found and found[1] for found in jvm.snapshots(**at).values()] != list(ends.values()):
        assert time.monotonic() < end, (jvm.snapshots(**at), ends)
        time.sleep(0.2)
    found = []
    for bucket, (snapshot, _) in jvm.snapshots(**at).items():
        found += jvm.read_snapshot(**at, bucket=int(bucket), snapshot=snapshot)
    assert sorted(found) == [r for r in rows if r[0] % 10]
    with pytest.raises(java.Refused):
        jvm.read_snapshot(**at, bucket=0, snapshot=10**6)
    jvm.close()
