"""The same requests to Eider and to Apache Fluss 0.9.1 get the same answers: log tables, catalog.

What differs between any two servers is left out by compare.py; differences that are wanted are below.
"""

import json
import time

import pyarrow as pa
import pytest
from compare import same
from harness import batches, tables
from harness.tables import BIGINT, INT, STRING, path

# Differences that are wanted: {scenario: {request: reason}}.
EXPECTED = {
    "table_documents": {"GET_TABLE_SCHEMA nope": "9 there; 7 says what is missing, and clients know both"},
    "refused_tables": {"CREATE_TABLE no replication": "17 in 0.9.1, 39 in later versions"},
    "partitions": {
        "LIST_PARTITION_INFOS " + str({"partition_key_values": [{"key": "x", "value": "1"}]}): (
            "-1 in 0.9.1, 43 in later versions"
        )
    },
    "projections": {
        f"FETCH_LOG limit {limit}": "Fluss counts projected bytes against the unprojected first batch"
        for limit in (1, 48, 250, 500)
    },
}

# Not asked at all, for the answers cannot be equal:
#   unknown APIs, unparsable bodies   Fluss never answers them; we answer with code 2 or 3
#   API_VERSIONS                      one process has both roles: more APIs, no server_type
#   an empty projection               -1 there, and its client retries for ever; 34 here
#   codecs of projected batches       Fluss declares that of the table options, we that of the batch
#   DROP_DATABASE fluss               0.9.1 drops it; later versions and we refuse
#   GET_METADATA of unknown tables    -1 there, 7 here
#   max.bucket.num                    128000 in 0.9.1; 4096 later and here
#   statistics, filters, COMPACTED logs, time checks of partitions: newer than 0.9.1


def create(side, name="t", columns=tables.SMALL, **options):
    return tables.Table.create(side.cluster, side.db, name, columns, tables.SMALL_ARROW, **options)


def rows(first, count, **header):
    return batches.arrow_batch(tables.small_rows(first, count), codec="zstd", **header)


def databases(side):
    name = side.db + "_2"
    document = {"version": 1, "comment": "c", "custom_properties": {"k": "v"}}
    given = {"database_name": name, "database_json": json.dumps(document).encode()}
    for ignore in (False, False, True):
        side.ask("CREATE_DATABASE", "coordinator", **given, ignore_if_exists=ignore)
    side.ask("GET_DATABASE_INFO", database_name=name)
    side.ask("GET_DATABASE_INFO", database_name="nope")
    side.ask("DATABASE_EXISTS", database_name=name)
    side.ask("LIST_TABLES", database_name=name)
    side.ask("LIST_TABLES", database_name="nope")
    for ignore in (False, False, True):
        side.ask(
            "DROP_DATABASE", "coordinator", database_name=name, ignore_if_not_exists=ignore, cascade=False
        )
    side.ask("DATABASE_EXISTS", database_name=name)
    for bad in ("", "a.b", "__x", "x" * 201, "."):
        side.ask("CREATE_DATABASE", "coordinator", repr(bad), database_name=bad, ignore_if_exists=False)


def dropping_databases(side):
    create(side)
    drop = {"database_name": side.db, "ignore_if_not_exists": False}
    side.ask("DROP_DATABASE", "coordinator", **drop, cascade=False)
    side.ask("DROP_DATABASE", "coordinator", **drop, cascade=True)
    side.ask("TABLE_EXISTS", table_path=path(side.db, "t"))


def table_documents(side):
    nested = {"a": INT, "r": tables.row(x=INT, y=tables.array(tables.row(z=STRING)))}
    create(side, "plain")
    create(side, "defaults", buckets=None)
    create(side, "keys", buckets=7, bucket_key=["id", "name"], comment='c "é"', custom={"x y": "z,="})
    create(side, "nested", nested, properties={"table.log.ttl": "10 min", "table.log.format": "indexed"})
    create(side, "parts", {"id": INT, "p": STRING, "q": INT}, partition_key=["p", "q"])
    create(
        side,
        "auto",
        {"id": INT, "p": STRING},
        partition_key=["p"],
        properties={"table.auto-partition.enabled": "true", "table.auto-partition.num-precreate": "0"},
    )
    for name in ("plain", "defaults", "keys", "nested", "parts", "auto", "nope"):
        side.ask("GET_TABLE_INFO", label=name, table_path=path(side.db, name))
        side.ask("GET_TABLE_SCHEMA", label=name, table_path=path(side.db, name), schema_id=1)
        side.ask("TABLE_EXISTS", label=name, table_path=path(side.db, name))
        if name != "nope":
            answer = side.cluster.tablet.call("GET_METADATA", table_path=[path(side.db, name)])
            side.note(f"metadata of {name}", [side.comparable(t) for t in answer.table_metadata])
    side.ask("LIST_TABLES", database_name=side.db)
    side.ask("GET_TABLE_SCHEMA", label="unknown id", table_path=path(side.db, "plain"), schema_id=7)


def refused_tables(side):
    plain = tables.descriptor(tables.SMALL)
    many = {
        "bucket key": {**plain, "bucket_key": ["nope"]},
        "partition key": {**plain, "partition_key": ["nope"]},
        "both": {**plain, "bucket_key": ["name"], "partition_key": ["name"]},
        "no buckets": {**plain, "bucket_count": 0},
        "nested bucket key": tables.descriptor({"a": tables.array(INT)}, bucket_key=["a"]),
        "nested partition key": tables.descriptor({"a": INT, "r": tables.row(x=INT)}, partition_key=["r"]),
        "auto partition": {**plain, "properties": {"table.auto-partition.enabled": "true"}},
        "replication": {**plain, "properties": {"table.replication.factor": "5"}},
        "no replication": {**plain, "properties": {"table.replication.factor": "0"}},
        "unknown property": {**plain, "properties": {"table.nonsense": "1"}},
        "client property": {**plain, "properties": {"client.id": "1"}},
        "delete behaviour": {**plain, "properties": {"table.delete.behavior": "IGNORE"}},
        "merge engine": {**plain, "properties": {"table.merge-engine": "first_row"}},
        "lake": {**plain, "properties": {"table.datalake.enabled": "true"}},
        "local segments": {**plain, "properties": {"table.log.tiered.local-segments": "0"}},
        "zstd": {**plain, "properties": {"table.log.arrow.compression.zstd.level": "99"}},
        "system column": tables.descriptor({"__timestamp": BIGINT}),
    }
    for value in ("", "x", "-1", "7 fortnights", "1.5d"):
        many[f"ttl {value}"] = {**plain, "properties": {"table.log.ttl": value}}
    for value in ("", "arrow", "Arrow", "PARQUET"):
        many[f"format {value}"] = {**plain, "properties": {"table.log.format": value}}
    for value in ("", "NONE", "gzip"):
        many[f"codec {value}"] = {**plain, "properties": {"table.log.arrow.compression.type": value}}
    for number, (label, document) in enumerate(many.items()):
        side.ask(
            "CREATE_TABLE",
            "coordinator",
            label,
            table_path=path(side.db, f"t{number}"),
            table_json=json.dumps(document).encode(),
            ignore_if_exists=False,
        )
    for bad in ("", "a.b", "__x", "x" * 201, ".."):
        side.ask(
            "CREATE_TABLE",
            "coordinator",
            repr(bad),
            table_path=path(side.db, bad),
            table_json=json.dumps(plain).encode(),
            ignore_if_exists=False,
        )
    for ignore in (False, False, True):
        side.ask(
            "CREATE_TABLE",
            "coordinator",
            f"again {ignore}",
            table_path=path(side.db, "again"),
            table_json=json.dumps(plain).encode(),
            ignore_if_exists=ignore,
        )
    side.ask(
        "CREATE_TABLE",
        "coordinator",
        "no database",
        table_path=path("nope", "t"),
        table_json=json.dumps(plain).encode(),
        ignore_if_exists=True,
    )
    side.ask("LIST_TABLES", database_name=side.db)


def dropping_tables(side):
    table = create(side)
    for ignore in (False, False, True):
        side.ask("DROP_TABLE", "coordinator", table_path=table.path, ignore_if_not_exists=ignore)
    for api in ("GET_TABLE_INFO", "TABLE_EXISTS"):
        side.ask(api, table_path=table.path)


def _alter(side, table, label, **changes):
    side.ask(
        "ALTER_TABLE", "coordinator", label, table_path=table.path, ignore_if_not_exists=False, **changes
    )


def altering(side):
    table = create(side, custom={"a": "1"})

    def config(key, value, op):
        entry = {"config_key": key, "op_type": op}
        return [entry if value is None else {**entry, "config_value": value}]

    def column(name, kind, position=0):
        return [
            {
                "column_name": name,
                "data_type_json": json.dumps(kind).encode(),
                "column_position_type": position,
            }
        ]

    _alter(side, table, "nothing")
    _alter(side, table, "custom", config_changes=config("b", "2", 0))
    _alter(side, table, "same again", config_changes=config("b", "2", 0))
    _alter(side, table, "delete", config_changes=config("a", None, 1))
    _alter(side, table, "delete what is not there", config_changes=config("zz", None, 1))
    _alter(side, table, "append", config_changes=config("b", "3", 2))
    _alter(side, table, "fixed", config_changes=config("table.log.format", "INDEXED", 0))
    _alter(side, table, "unknown", config_changes=config("table.nonsense", "1", 0))
    _alter(side, table, "segments", config_changes=config("table.log.tiered.local-segments", "4", 0))
    _alter(side, table, "bad segments", config_changes=config("table.log.tiered.local-segments", "x", 0))
    _alter(side, table, "column", add_columns=column("n", tables.row(p=INT, q=STRING)))
    _alter(side, table, "column again", add_columns=column("n", INT))
    _alter(side, table, "next column", add_columns=column("m", BIGINT))
    _alter(side, table, "not null", add_columns=column("k", {**INT, "nullable": False}))
    _alter(side, table, "both", config_changes=config("c", "1", 0), add_columns=column("o", INT))
    side.ask("GET_TABLE_INFO", table_path=table.path)
    for number in (1, 2, 3, 4):
        side.ask("GET_TABLE_SCHEMA", label=str(number), table_path=table.path, schema_id=number)
    side.ask(
        "ALTER_TABLE",
        "coordinator",
        "missing",
        table_path=path(side.db, "x"),
        ignore_if_not_exists=False,
        config_changes=config("a", "1", 0),
    )


def _spec(**values):
    return {"partition_key_values": [{"key": k, "value": v} for k, v in values.items()]}


def partitions(side):
    table = create(side, columns={"id": INT, "p": STRING, "q": STRING}, partition_key=["p", "q"])
    plain = create(side, "plain")

    def change(api, label, spec, ignore=False, where=table):
        side.ask(
            api, "coordinator", label, table_path=where.path, partition_spec=spec, ignore_if_not_exists=ignore
        )

    change("CREATE_PARTITION", "one", _spec(p="a", q="1"))
    change("CREATE_PARTITION", "other order", _spec(q="2", p="a"))
    change("CREATE_PARTITION", "again", _spec(p="a", q="1"))
    change("CREATE_PARTITION", "again, ignored", _spec(p="a", q="1"), True)
    for bad in (
        {},
        {"p": "a"},
        {"p": "a", "x": "1"},
        {"p": "", "q": "1"},
        {"p": "a b", "q": "1"},
        {"p": "a$b", "q": "1"},
        {"p": "__a", "q": "1"},
        {"p": "a", "q": "1", "r": "2"},
    ):
        change("CREATE_PARTITION", str(bad), _spec(**bad))
    change("CREATE_PARTITION", "plain", _spec(p="a"), where=plain)
    for partial in (None, _spec(p="a"), _spec(q="2"), _spec(p="zz"), _spec(x="1")):
        fields = {} if partial is None else {"partial_partition_spec": partial}
        side.ask("LIST_PARTITION_INFOS", label=str(partial), table_path=table.path, **fields)
    side.ask("LIST_PARTITION_INFOS", label="plain", table_path=plain.path)
    side.ask("LIST_PARTITION_INFOS", label="missing", table_path=path(side.db, "x"))
    for ignore in (False, False, True):
        change("DROP_PARTITION", f"drop {ignore}", _spec(p="a", q="1"), ignore)
    change("DROP_PARTITION", "half", _spec(p="a"))
    side.ask("GET_METADATA", label="partition", partitions_path=[{**table.path, "partition_name": "nope"}])


def appending(side):
    table = create(side, buckets=2)

    def produce(label, records, **where):
        side.ask("PRODUCE_LOG", label=label, **table.produce_fields(records, **where))

    for acks in (-1, 0, 1, 2, -2):
        produce(f"acks {acks}", rows(0, 2), acks=acks)
    produce("several", rows(0, 2) + rows(2, 3))
    produce("cut", rows(0, 2)[:-3])
    produce("empty", b"")
    produce("garbage", bytes(range(100)))
    damaged = bytearray(rows(0, 2))
    damaged[-1] ^= 1
    produce("damaged", bytes(damaged))
    produce("good and damaged", rows(0, 1) + bytes(damaged))
    produce("other bucket", rows(0, 2), bucket=1)
    produce("unknown bucket", rows(0, 2), bucket=2)
    produce("unknown partition", rows(0, 2), partition=99)
    fields = table.produce_fields(rows(0, 1))
    side.ask("PRODUCE_LOG", label="unknown table", **{**fields, "table_id": 10**9})
    for bucket in (0, 1):
        side.ask("FETCH_LOG", label=f"bucket {bucket}", **table.fetch_fields(bucket=bucket))


def idempotence(side):
    table = create(side)
    writer = side.cluster.tablet.call("INIT_WRITER").writer_id
    for sequence in (0, 1, 2, 3, 4, 5, 6, 6, 2, 1, 0, 8, 7, 7, 2**31 - 1, -1, 8):
        batch = rows(sequence % 100, 2, writer_id=writer, sequence=sequence)
        side.ask("PRODUCE_LOG", label=f"sequence {sequence}", **table.produce_fields(batch))
    chain = b"".join(rows(0, 1, writer_id=writer, sequence=s) for s in (9, 10, 11))
    side.ask("PRODUCE_LOG", label="chain", **table.produce_fields(chain))
    side.ask("PRODUCE_LOG", label="chain again", **table.produce_fields(chain))
    gap = b"".join(rows(0, 1, writer_id=writer, sequence=s) for s in (12, 14))
    side.ask("PRODUCE_LOG", label="gap inside", **table.produce_fields(gap))
    side.ask(
        "PRODUCE_LOG",
        label="stranger",
        **table.produce_fields(rows(0, 1, writer_id=writer + 1000, sequence=5)),
    )
    side.note("end", table.offset(1))


def fetching(side):
    table = create(side, buckets=2)
    for i in range(10):
        table.append(rows(i * 10, 10))
    size = len(rows(0, 10))

    def fetch(label, **options):
        side.ask("FETCH_LOG", label=label, **table.fetch_fields(**options))

    for offset in (-3, -2, -1, 0, 1, 9, 10, 55, 99, 100, 101, 2**60):
        fetch(f"offset {offset}", offset=offset)
    for limit in (0, 1, 47, 48, size - 1, size, 3 * size, 3 * size + 7):
        fetch(f"bucket limit {limit}", bucket_bytes=limit)
        fetch(f"request limit {limit}", max_bytes=limit)
    fetch("empty bucket", bucket=1)
    fetch("unknown bucket", bucket=2)
    fetch("unknown partition", partition=4)
    fetch("both", more_buckets=[{"bucket_id": 1, "fetch_offset": 0, "max_fetch_bytes": 1000}])
    fetch("one is wrong", more_buckets=[{"bucket_id": 1, "fetch_offset": 5, "max_fetch_bytes": 1000}])
    fetch("wait", offset=100, wait_ms=50, min_bytes=1)
    fetch("enough", wait_ms=5000, min_bytes=1)
    unknown = table.fetch_fields()
    unknown["tables_req"][0]["table_id"] = 10**9
    side.ask("FETCH_LOG", label="unknown table", **unknown)


def projections(side):
    table = create(side)
    for i in range(5):
        table.append(rows(i * 20, 20))
    for columns in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2], [1, 0], [1, 1], [3], [-1]):
        side.ask("FETCH_LOG", label=f"columns {columns}", **table.fetch_fields(columns=columns))
    for offset in (0, 19, 20, 33, 99, 100, 101):
        side.ask("FETCH_LOG", label=f"offset {offset}", **table.fetch_fields(columns=[0], offset=offset))
    for limit in (1, 48, 250, 500, 1000):
        fields = table.fetch_fields(columns=[0], bucket_bytes=limit)
        side.ask("FETCH_LOG", label=f"limit {limit}", **fields)
    indexed = create(side, "indexed", properties={"table.log.format": "INDEXED"})
    side.ask("FETCH_LOG", label="indexed", **indexed.fetch_fields(columns=[0]))


def other_columns(side):
    """Every codec, with wide and nested columns."""
    columns = {"a": INT, "l": tables.array(STRING), "m": tables.map_of(STRING, INT), "b": {"type": "BOOLEAN"}}
    schema = pa.schema(
        [
            ("a", pa.int32()),
            ("l", pa.list_(pa.string())),
            ("m", pa.map_(pa.string(), pa.int32())),
            ("b", pa.bool_()),
        ]
    )
    data = [
        pa.array([1, None, 3], pa.int32()),
        pa.array([["x", None], None, []], schema.field("l").type),
        pa.array([[("k", 1)], None, []], schema.field("m").type),
        pa.array([True, None, False]),
    ]
    batch = pa.record_batch(data, schema=schema)
    for name, codec in (("NONE", None), ("LZ4_FRAME", "lz4"), ("ZSTD", "zstd")):
        table = create(side, name, columns, properties={"table.log.arrow.compression.type": name})
        table.append(batches.arrow_batch(batch, codec=codec))
        for chosen in ([0], [1], [2], [3], [0, 2], [1, 3]):
            side.ask("FETCH_LOG", label=f"{name} {chosen}", **table.fetch_fields(columns=chosen))


def offsets(side):
    table = create(side, buckets=2)
    stamps = []
    for i in range(4):
        table.append(rows(i * 5, 5))
        time.sleep(0.01)
    stamps = [b.timestamp for b in batches.split(table.records())]

    def listed(label, kind, *buckets, **more):
        answer = table.offsets(kind, *buckets, **more)
        side.note(f"LIST_OFFSETS {label}", side.comparable(answer))

    for kind in (0, 1, 2, 4, -1):
        listed(f"kind {kind}", kind, 0, 1)
    listed("unknown bucket", 1, 0, 9)
    listed("unknown partition", 1, 0, partition=77)
    for i, stamp in enumerate(stamps):
        listed(f"at {i}", 2, 0, timestamp=stamp)
        listed(f"after {i}", 2, 0, timestamp=stamp + 1)
    listed("zero", 2, 0, timestamp=0)
    listed("negative", 2, 0, timestamp=-5)
    listed("future", 2, 0, timestamp=int(time.time() * 1000) + 10**8)
    listed("empty bucket", 2, 1, timestamp=0)


def limit_scans(side):
    table = create(side, buckets=2)
    for i in range(4):
        table.append(rows(i * 5, 5))
    for limit in (1, 5, 6, 20, 21, 1000):
        side.ask("LIMIT_SCAN", label=f"limit {limit}", table_id=table.id, bucket_id=0, limit=limit)
    side.ask("LIMIT_SCAN", label="empty", table_id=table.id, bucket_id=1, limit=5)
    side.ask("LIMIT_SCAN", label="unknown bucket", table_id=table.id, bucket_id=7, limit=5)
    side.ask("LIMIT_SCAN", label="unknown table", table_id=10**9, bucket_id=0, limit=5)
    for bucket in (0, 1, 7):
        entry = [{"bucket_id": bucket}]
        side.ask("GET_TABLE_STATS", label=str(bucket), table_id=table.id, buckets_req=entry)


def small_answers(side):
    side.ask("GET_FILESYSTEM_SECURITY_TOKEN")
    side.ask("INIT_WRITER")
    side.ask("INIT_WRITER", label="with a table", table_path=[path(side.db, "t")])
    side.ask("AUTHENTICATE", label="plaintext", protocol="PLAINTEXT", token=b"")


SCENARIOS = [
    databases, dropping_databases, table_documents, refused_tables, dropping_tables, altering, partitions,
    appending, idempotence, fetching, projections, other_columns, offsets, limit_scans, small_answers,
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_answers_are_those_of_fluss(scenario, ours, peer):
    same(scenario, ours, peer, EXPECTED.get(scenario.__name__, {}))
