"""Primary-key tables: documents, lookups, scans and refusals are those of Apache Fluss 0.9.1."""

import json

import pytest
from compare import same
from harness import patience, tables
from harness.tables import BIGINT, DOUBLE, INT, STRING, path
from kv_scenario import SMALL, changelog, contents, create, lookup, prefixes, put, stats_fields

# Differences that are wanted: {scenario: {request: reason}}.
EXPECTED = {
    "refused_tables": {
        "CREATE_TABLE indexed both": "taken there, and then every write fails",
        "CREATE_TABLE engine": "-1 there, 39 here",
        "CREATE_TABLE function without engine": "taken there, and the function is ignored",
        "CREATE_TABLE format version 0": "taken there, with the keys of version 1",
        "CREATE_TABLE iceberg, two keys": "taken there, and then no client can write",
        "CREATE_TABLE iceberg, boolean key": "taken there, and then no client can write",
        "LIST_TABLES": "of those that were taken",
    },
    "altering": {
        "ALTER_TABLE table.log.ttl": "56 in 0.9.1, later versions do it",
        "GET_TABLE_INFO": "the time to live that was set",
    },
    "prefix_lookups": {"PREFIX_LOOKUP t empty": "all rows there, a scan without a limit"},
    "snapshots_of_nothing": {
        "GET_LATEST_KV_SNAPSHOTS {'partition_name': 'y'}": "-1 in 0.9.1, 36 in later versions"
    },
}

# Not asked at all, for the answers cannot be equal:
#   PRODUCE_LOG to a primary-key table   taken there, which damages its changelog; refused here
#   SCAN_KV, the statistics of a table with COMPACTED keys of Hudi: newer than 0.9.1
#   values of damaged rows               an exception anywhere in Java


def documents(side):
    """What a table may declare comes back as it was declared, with the same defaults."""
    create(side, "plain")
    create(side, "two", {"a": INT, "b": STRING, "c": DOUBLE}, key=("b", "a"))
    create(side, "prefix", {"a": INT, "b": STRING, "c": DOUBLE}, key=("a", "b"), bucket_key=["a"], buckets=3)
    create(side, "parts", {"a": INT, "p": STRING, "v": INT}, key=("a", "p"), partition_key=["p"])
    create(side, "ids", {"a": INT, "id": BIGINT}, key=("a",), auto_increment="id")
    functions = {"v": {"type": "listagg", "parameters": {"delimiter": ";"}}, "w": {"type": "sum"}}
    merging = {"table.merge-engine": "aggregation"}
    create(side, "sums", aggregates=functions, properties=merging)
    create(side, "first", properties={"table.merge-engine": "first_row"})
    versioned = {"table.merge-engine": "versioned", "table.merge-engine.versioned.ver-column": "w"}
    create(side, "versioned", properties=versioned)
    formats = {"table.kv.format": "indexed", "table.log.format": "arrow", "table.changelog.image": "wal"}
    create(side, "formats", properties=formats)
    create(side, "lake", properties={"table.datalake.format": "paimon"})
    create(side, "lake1", properties={"table.datalake.format": "iceberg", "table.kv.format-version": "1"})
    names = "plain two prefix parts ids sums first versioned formats lake lake1".split()
    for name in names:
        side.ask("GET_TABLE_INFO", label=name, table_path=path(side.db, name))
        side.ask("GET_TABLE_SCHEMA", label=name, table_path=path(side.db, name), schema_id=1)
    side.ask("LIST_TABLES", database_name=side.db)


def refused_tables(side):
    def table(columns=SMALL, key=("k",), **options):
        return tables.descriptor(columns, primary_key=list(key), **options)

    def having(**properties):
        return table(properties={k.replace("_", "."): v for k, v in properties.items()})

    def engine(name, **more):
        return {"table.merge-engine": name, **more}

    version = "table.merge-engine.versioned.ver-column"
    nested = {"k": tables.array(INT), "v": INT}
    parts = {"k": INT, "p": STRING}
    many = {
        "unknown key": {**table(), "schema": {**table()["schema"], "primary_key": ["zz"]}},
        "empty key": {**table(), "schema": {**table()["schema"], "primary_key": []}},
        "key twice": {**table(), "schema": {**table()["schema"], "primary_key": ["k", "k"]}},
        "nested key": table(nested),
        "bucket key outside": table(bucket_key=["v"]),
        "bucket key is more": table(bucket_key=["k", "v"]),
        "bucket key reversed": table(parts, ("k", "p"), bucket_key=["p", "k"]),
        "bucket key not leading": table(parts, ("k", "p"), bucket_key=["p"]),
        "partition outside the key": table(parts, ("k",), partition_key=["p"]),
        "all of the key partitions": table(parts, ("p",), partition_key=["p"]),
        "bucket key partitions": table(parts, ("k", "p"), partition_key=["p"], bucket_key=["p"]),
        "kv format": having(table_kv_format="parquet"),
        "indexed log": having(table_log_format="INDEXED"),
        "indexed both": having(table_log_format="INDEXED", table_kv_format="INDEXED"),
        "compacted log": having(table_log_format="COMPACTED"),
        "compacted log, indexed": having(table_log_format="COMPACTED", table_kv_format="INDEXED"),
        "image": having(table_changelog_image="half"),
        "engine": having(**{"table.merge-engine": "some"}),
        "versioned without": table(properties=engine("versioned")),
        "versioned unknown": table(properties=engine("versioned", **{version: "zz"})),
        "versioned text": table(properties=engine("versioned", **{version: "v"})),
        "versioned key": table(properties=engine("versioned", **{version: "k"})),
        "first row deletes": table(properties=engine("first_row", **{"table.delete.behavior": "allow"})),
        "versioned deletes": table(
            properties=engine("versioned", **{version: "w", "table.delete.behavior": "allow"})
        ),
        "sums with wal": table(properties=engine("aggregation", **{"table.changelog.image": "wal"})),
        "sum of text": table(properties=engine("aggregation"), aggregates={"v": {"type": "sum"}}),
        "list of numbers": table(properties=engine("aggregation"), aggregates={"w": {"type": "listagg"}}),
        "flag of numbers": table(properties=engine("aggregation"), aggregates={"w": {"type": "bool_and"}}),
        "bitmap of text": table(properties=engine("aggregation"), aggregates={"v": {"type": "rbm32"}}),
        "unknown function": table(properties=engine("aggregation"), aggregates={"w": {"type": "median"}}),
        "parameter": table(
            properties=engine("aggregation"),
            aggregates={"w": {"type": "sum", "parameters": {"delimiter": ","}}},
        ),
        "function of a key": table(properties=engine("aggregation"), aggregates={"k": {"type": "sum"}}),
        "function without engine": table(aggregates={"w": {"type": "sum"}}),
        "ids of text": table(auto_increment="v"),
        "ids of the key": table(auto_increment="k"),
        "ids of nothing": table(auto_increment="zz"),
        "ids and sums": table({"k": INT, "w": BIGINT}, auto_increment="w", properties=engine("aggregation")),
        "ids and first row": table(auto_increment="w", properties=engine("first_row")),
        "ids, none at once": table(auto_increment="w", properties={"table.auto-increment.cache-size": "0"}),
        "delete behaviour": table(properties={"table.delete.behavior": "maybe"}),
        "format version 3": having(**{"table.kv.format-version": "3"}),
        "format version 0": having(**{"table.kv.format-version": "0"}),
        "lake format": having(**{"table.datalake.format": "delta"}),
        "iceberg, two keys": table(parts, ("k", "p"), properties={"table.datalake.format": "iceberg"}),
        "iceberg, boolean key": table(
            {"k": {"type": "BOOLEAN"}, "v": INT}, properties={"table.datalake.format": "iceberg"}
        ),
        "statistics": having(**{"table.log.tiered.local-segments": "0"}),
    }
    for number, (label, document) in enumerate(many.items()):
        name = path(side.db, f"t{number}")
        side.ask(
            "CREATE_TABLE",
            "coordinator",
            label,
            table_path=name,
            table_json=json.dumps(document).encode(),
            ignore_if_exists=False,
        )
    side.ask("LIST_TABLES", database_name=side.db)


def altering(side):
    table = create(side, properties={"table.delete.behavior": "allow"})

    def alter(label, **changes):
        given = {"table_path": table.path, "ignore_if_not_exists": False, **changes}
        side.ask("ALTER_TABLE", "coordinator", label, **given)

    def column(name, kind):
        described = json.dumps(kind).encode()
        return [{"column_name": name, "data_type_json": described, "column_position_type": 0}]

    for key, value in (
        ("table.merge-engine", "first_row"), ("table.changelog.image", "wal"), ("table.kv.format", "indexed"),
        ("table.delete.behavior", "disable"), ("table.log.ttl", "3 d"), ("custom", "1"),
    ):  # fmt: skip
        alter(key, config_changes=[{"config_key": key, "config_value": value, "op_type": 0}])
    alter("column", add_columns=column("n", INT))
    alter("again", add_columns=column("k", INT))
    alter("not null", add_columns=column("m", {**INT, "nullable": False}))
    side.ask("GET_TABLE_INFO", table_path=table.path)
    side.ask("GET_TABLE_SCHEMA", table_path=table.path, schema_id=2)


def partitions(side):
    columns = {"k": INT, "p": STRING, "v": STRING}
    table = create(side, columns=columns, key=("k", "p"), partition_key=["p"], buckets=2)
    ids = {name: table.add_partition(p=name) for name in ("a", "b")}
    put(side, table, "a", [1, "a", "x"], [2, "a", "y"], partition=ids["a"])
    put(side, table, "b", [1, "b", "z"], (7,), partition=ids["b"])
    put(side, table, "b again", [1, "b", "zz"], (1,), [3, "b", "c"], partition=ids["b"], bucket=1)
    put(side, table, "none", [1, "a", "x"])
    put(side, table, "unknown", [1, "a", "x"], partition=10**9)
    for name, number in ids.items():
        for bucket in (0, 1):
            where = {"partition": number, "bucket": bucket}
            lookup(side, table, f"{name} {bucket}", (1,), (2,), (3,), **where)
            contents(side, table, **where)
    lookup(side, table, "no partition", (1,))
    lookup(side, table, "unknown partition", (1,), partition=10**9)
    spec = {"partition_key_values": [{"key": "p", "value": "a"}]}
    fields = {"table_path": table.path, "partition_spec": spec, "ignore_if_not_exists": False}
    side.ask("DROP_PARTITION", "coordinator", **fields)
    lookup(side, table, "other partition", (1,), (3,), partition=ids["b"], bucket=1)
    side.ask("LIST_PARTITION_INFOS", table_path=table.path)


def encoded_keys(side):
    """Keys of tables bound to a lake format."""
    columns = {"a": STRING, "b": BIGINT, "v": STRING}
    for version in ("1", "2"):
        for lake, key in (
            ("paimon", ("a", "b")),
            ("paimon", ("b",)),
            ("iceberg", ("a",)),
            ("iceberg", ("b",)),
        ):
            name = f"{lake}_{'_'.join(key)}_{version}"
            properties = {"table.datalake.format": lake, "table.kv.format-version": version}
            table = create(side, name, columns, key=key, encoding=lake, properties=properties)
            rows = [["a", 1, "x"], ["a longer key", -2, None], ["a", 3, "y"], ["", 2**40, "z"]]
            put(side, table, "rows", *rows)
            keys = [tuple(row[list(columns).index(c)] for c in key) for row in rows]
            put(side, table, "delete", keys[1])
            for api_version in (0, 1):
                lookup(side, table, f"all {api_version}", *keys, version=api_version)
            contents(side, table)
    for version, encoding in (("1", "paimon"), ("2", None)):
        properties = {"table.datalake.format": "paimon", "table.kv.format-version": version}
        table = create(
            side,
            f"prefix_{version}",
            columns,
            key=("a", "b"),
            encoding=encoding,
            bucket_key=["a"],
            properties=properties,
        )
        for api_version in (0, 1):
            label = f"version {api_version}"
            put(side, table, label, ["x", api_version, "one"], ["y", 1, "two"], version=api_version)
            lookup(side, table, label, ("x", 0), ("x", 1), ("y", 1), version=api_version)
            prefixes(side, table, label, ("x",), ("y",), version=api_version)
        contents(side, table)
    missing = {"insert_if_not_exists": True, "acks": -1, "timeout_ms": 10_000}
    for lake in ("paimon", "iceberg"):
        properties = {"table.datalake.format": lake}
        table = create(side, f"insert_{lake}", columns, key=("a",), encoding=lake, properties=properties)
        lookup(side, table, "insert", ("new and long enough",), ("b",), **missing)
        contents(side, table)


def prefix_lookups(side):
    columns = {"a": INT, "b": STRING, "c": BIGINT, "v": STRING}
    table = create(side, columns=columns, key=("a", "b", "c"), bucket_key=["a", "b"])
    put(
        side,
        table,
        "rows",
        *([a, b, c, f"{a}{b}{c}"] for a in (1, 2, -1) for b in ("", "x", "xy") for c in range(4)),
    )
    put(side, table, "delete", (1, "x", 0), (1, "x", 2))
    put(side, table, "update", [1, "x", 3, "new"])
    prefixes(side, table, "several", (1, "x"), (2, ""), (9, "x"), (-1, "xy"), (1, "x"))
    prefixes(side, table, "none")
    prefixes(side, table, "shorter", (1,))
    prefixes(side, table, "whole key", (1, "x", 3))
    prefixes(side, table, "empty", ())
    prefixes(side, table, "unknown bucket", (1, "x"), bucket=3)
    prefixes(side, table, "unknown partition", (1, "x"), partition=3)
    plain = create(side, "plain")
    put(side, plain, "rows", [1, "a", 1])
    prefixes(side, plain, "not by prefix", (1,))
    log = tables.Table.create(side.cluster, side.db, "log", SMALL)
    fields = plain.lookup_fields((1,))
    for api in ("LOOKUP", "PREFIX_LOOKUP"):
        side.ask(api, label="log table", **{**fields, "table_id": log.id})
        side.ask(api, label="unknown table", **{**fields, "table_id": 10**9})


def refused_lookups(side):
    table = create(side, buckets=2)
    put(side, table, "rows", [1, "a", 1], [2, "b", 2])
    lookup(side, table, "unknown bucket", (1,), bucket=2)
    lookup(side, table, "unknown partition", (1,), partition=5)
    for version in (0, 1):
        lookup(side, table, f"version {version}", (1,), (3,), version=version)
    entries = [{"bucket_id": b, "keys": [table.key_bytes(1)]} for b in (0, 1, 2)]
    side.ask("LOOKUP", label="several", version=1, table_id=table.id, buckets_req=entries)
    strange = [b"", b"\xff" * 20, b"\0" * 3000]
    entry = [{"bucket_id": 0, "keys": strange}]
    side.ask("LOOKUP", label="strange keys", version=1, table_id=table.id, buckets_req=entry)
    for acks in (2, -7):
        lookup(side, table, f"acks {acks}", (50,), insert_if_not_exists=True, acks=acks, timeout_ms=1000)
    lookup(side, table, "after", (50,))


def scans(side):
    table = create(side, buckets=2)
    put(side, table, "rows", *([i, f"v{i}", i] for i in (5, -1, 300, 0, 7, 127, 128, 2**31 - 1)))
    put(side, table, "deletes", (0,), (300,))
    for limit in (0, 1, 3, 6, 7, 1000, 2**31 - 1):
        side.ask("LIMIT_SCAN", label=str(limit), **table.scan_fields(limit))
    side.ask("LIMIT_SCAN", label="empty bucket", **table.scan_fields(5, bucket=1))
    side.ask("LIMIT_SCAN", label="unknown bucket", **table.scan_fields(5, bucket=2))
    side.ask("LIMIT_SCAN", label="unknown partition", **table.scan_fields(5, partition=2))
    for bucket in (0, 1, 2):
        side.ask("GET_TABLE_STATS", label=str(bucket), **stats_fields(table, bucket))
    several = [{"bucket_id": b} for b in (0, 1, 2)]
    side.ask("GET_TABLE_STATS", label="several", table_id=table.id, buckets_req=several)
    for kind in (0, 1):
        answer = table.offsets(kind, 0, 1, 2)
        side.note(f"LIST_OFFSETS {kind}", side.comparable(answer))
    large = create(side, "large", properties={"table.kv.format": "INDEXED"})
    for first in range(0, 2000, 500):
        put(side, large, str(first), *([i, "x" * (i % 50), i] for i in range(first, first + 500)))
    for limit in (10, 1999, 5000):
        side.ask("LIMIT_SCAN", label=f"large {limit}", **large.scan_fields(limit))


def scans_between_writes(side):
    """The first rows again and again while rows come, change and go, in front and behind."""
    table = create(side)

    def scan(label):
        for limit in (10, 200, 3, 1000):
            side.ask("LIMIT_SCAN", label=f"{label} {limit}", **table.scan_fields(limit))

    scan("empty")
    put(side, table, "rows", *([i, f"v{i}", i] for i in range(0, 3000, 3)))
    scan("rows")
    put(side, table, "between", *([i, None, -i] for i in range(1, 60, 3)), [2999, "last", 1])
    scan("between")
    put(side, table, "changed", *([i, "changed", i] for i in range(0, 300, 6)))
    scan("changed")
    for first in range(0, 400, 50):
        put(side, table, f"gone {first}", *((i,) for i in range(first, first + 50)))
        scan(f"gone {first}")
    number = table.add_column("x", INT)
    patience.until(lambda: not table.put((77,), schema_id=number).HasField("error_code"), "no new schema")
    put(side, table, "new schema", *([i, "new", i, -i] for i in range(380, 420)), schema_id=number)
    scan("new schema")


def changelogs(side):
    """Fetching a changelog: projections, offsets, limits, batches without rows."""
    table = create(side)
    put(side, table, "insert", *([i, f"v{i}", i] for i in range(5)))
    put(side, table, "nothing", (99,))
    put(side, table, "update", *([i, None, -i] for i in range(3)))
    put(side, table, "nothing again", (99,))
    put(side, table, "delete", (0,), (1,), [7, "seven", None])
    for columns in (None, [0], [1], [2], [0, 2], [0, 1, 2], [2, 0], [3]):
        for offset in (0, 2, 5, 6, 11, 12, 13, 15, 16, 17):
            given = table.fetch_fields(columns=columns, offset=offset)
            side.ask("FETCH_LOG", label=f"{columns} from {offset}", **given)
    compacted = create(side, "compacted", properties={"table.log.format": "COMPACTED"})
    put(side, compacted, "insert", [1, "a", 1], [2, None, None])
    put(side, compacted, "update", [1, "b", 2], (2,), (2,))
    side.ask("FETCH_LOG", label="compacted", **compacted.fetch_fields(columns=[0]))
    changelog(side, compacted)
    changelog(side, table, offset=5)


def projections_after_evolution(side):
    """Old batches do not have the new column."""
    table = create(side)
    put(side, table, "old", [1, "a", 1], [2, "b", 2])
    number = table.add_column("x", tables.row(p=INT, q=STRING))

    def known():
        return not table.put((77,), schema_id=number).HasField("error_code")

    patience.until(known, "the new schema is not known")
    put(side, table, "new", [1, "a", 1, [5, "q"]], [3, None, None, None], schema_id=number)
    put(side, table, "old schema", [2, "bb", 22])
    for columns in ([0], [0, 3], [3], [1, 2, 3]):
        for offset in (0, 2, 3, 6):
            given = table.fetch_fields(columns=columns, offset=offset)
            side.ask("FETCH_LOG", label=f"{columns} from {offset}", **given)
    contents(side, table)


def snapshots_of_nothing(side):
    """No snapshot has been taken yet."""
    table = create(side, buckets=3)
    log = tables.Table.create(side.cluster, side.db, "log", SMALL)
    for name in ("t", "log", "nope"):
        side.ask("GET_LATEST_KV_SNAPSHOTS", label=name, table_path=path(side.db, name))
        given = {"table_path": path(side.db, name), "partition_name": "p"}
        side.ask("GET_LATEST_KV_SNAPSHOTS", label=f"{name} p", **given)
    parts = create(side, "parts", {"a": INT, "p": STRING}, key=("a", "p"), partition_key=["p"])
    parts.add_partition(p="x")
    for partition in ({}, {"partition_name": "x"}, {"partition_name": "y"}):
        side.ask("GET_LATEST_KV_SNAPSHOTS", label=str(partition), table_path=parts.path, **partition)
    for owner in (table, log):
        name = owner.path["table_name"]
        side.ask("GET_KV_SNAPSHOT_METADATA", label=name, table_id=owner.id, bucket_id=0, snapshot_id=0)


SCENARIOS = [
    documents, refused_tables, altering, partitions, encoded_keys, prefix_lookups, refused_lookups, scans,
    scans_between_writes, changelogs, projections_after_evolution, snapshots_of_nothing,
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_answers_are_those_of_fluss(scenario, ours, peer):
    same(scenario, ours, peer, EXPECTED.get(scenario.__name__, {}))
