"""DDL and catalogue calls with raw requests: validation, error codes, what is stored."""

import json
import time

import pytest
from harness import tables, wire
from harness.patience import PATIENCE_S
from harness.tables import BIGINT, INT, STRING, path
from harness.wire import ErrorReply

UNKNOWN = -1
DB_MISSING, DB_NOT_EMPTY, DB_EXISTS, TABLE_MISSING, TABLE_EXISTS, SCHEMA_MISSING = 4, 5, 6, 7, 8, 9
INVALID_TABLE, INVALID_DB, PARTITION_MISSING, NOT_PARTITIONED = 15, 16, 36, 37
INVALID_CONFIG, PARTITION_EXISTS, INVALID_SPEC, INVALID_ALTER = 39, 42, 43, 56


def code(call, *args, **fields):
    """The error code of a refused call."""
    with pytest.raises(ErrorReply) as e:
        call(*args, **fields)
    return e.value.code


@pytest.fixture
def admin(cluster):
    return cluster.coordinator.call


def create_table(admin, db, name, table, ignore=False):
    body = table if isinstance(table, bytes) else json.dumps(table).encode()
    admin("CREATE_TABLE", table_path=path(db, name), table_json=body, ignore_if_exists=ignore)


BAD_NAMES = ["", ".", "..", "a.b", "a b", "ä", "x" * 201, "__hidden", "a/b", "a\0b"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_bad_names(admin, db, name):
    assert code(admin, "CREATE_DATABASE", database_name=name, ignore_if_exists=False) == INVALID_DB
    assert code(create_table, admin, db, name, tables.descriptor(tables.SMALL)) == INVALID_TABLE


def test_the_longest_names(admin, db):
    create_table(admin, db, "t" * 200, tables.descriptor(tables.SMALL))
    assert list(admin("LIST_TABLES", database_name=db).table_name) == ["t" * 200]


def test_databases(admin, db):
    descriptor = {"version": 1, "comment": "sales", "custom_properties": {"owner": "team 7"}}
    name = db + "_two"
    admin(
        "CREATE_DATABASE",
        database_name=name,
        ignore_if_exists=False,
        database_json=json.dumps(descriptor).encode(),
    )
    info = admin("GET_DATABASE_INFO", database_name=name)
    assert json.loads(info.database_json) == descriptor
    assert abs(info.created_time - time.time() * 1000) < 60_000
    assert code(admin, "CREATE_DATABASE", database_name=name, ignore_if_exists=False) == DB_EXISTS
    admin("CREATE_DATABASE", database_name=name, ignore_if_exists=True)
    assert name in admin("LIST_DATABASES").database_name
    assert admin("DATABASE_EXISTS", database_name=name).exists
    drop = {"database_name": name, "ignore_if_not_exists": False, "cascade": False}
    admin("DROP_DATABASE", **drop)
    assert not admin("DATABASE_EXISTS", database_name=name).exists
    assert code(admin, "DROP_DATABASE", **drop) == DB_MISSING
    admin("DROP_DATABASE", **{**drop, "ignore_if_not_exists": True})
    assert code(admin, "GET_DATABASE_INFO", database_name=name) == DB_MISSING


@pytest.mark.own_server  # Apache Fluss 0.9.1 drops it
def test_the_built_in_database_stays(admin):
    drop = {"database_name": "fluss", "ignore_if_not_exists": False}
    assert code(admin, "DROP_DATABASE", **drop, cascade=True) == UNKNOWN
    assert code(admin, "DROP_DATABASE", **drop, cascade=False) in (UNKNOWN, DB_NOT_EMPTY)
    assert admin("DATABASE_EXISTS", database_name="fluss").exists


def test_dropping_a_database_with_tables(admin, db, create):
    create("one")
    create("two")
    drop = {"database_name": db, "ignore_if_not_exists": False}
    assert code(admin, "DROP_DATABASE", **drop, cascade=False) == DB_NOT_EMPTY
    admin("DROP_DATABASE", **drop, cascade=True)
    assert code(admin, "LIST_TABLES", database_name=db) == DB_MISSING


def test_a_table_comes_back_as_it_was_described(create):
    asked = tables.descriptor(
        {**tables.SMALL, "r": tables.row(x=INT, y=tables.array(tables.row(z=STRING)))},
        buckets=3,
        bucket_key=["id"],
        comment='a comment with ünïcode and "quotes"',
        custom={"connector": "x", "paths": "a=b,c"},
        properties={"table.log.ttl": "3d"},
    )
    table = create(
        columns={**tables.SMALL, "r": tables.row(x=INT, y=tables.array(tables.row(z=STRING)))},
        buckets=3,
        bucket_key=["id"],
        comment=asked["comment"],
        custom=asked["custom_properties"],
        properties=asked["properties"],
    )
    found = table.json()
    assert found["properties"].pop("table.replication.factor") == "1"
    assert found == asked
    info = table.info()
    assert (info.table_id, info.schema_id) == (table.id, 1)
    assert info.created_time == info.modified_time


def test_table_ids_are_never_used_again(admin, create, db):
    first = create("t")
    admin("DROP_TABLE", table_path=first.path, ignore_if_not_exists=False)
    assert create("t").id > first.id
    deadline = time.monotonic() + PATIENCE_S
    while first.fetch().error_code != 21 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert first.fetch().error_code == 21


def test_tables_that_exist_or_do_not(admin, cluster, db, create):
    table = create("t")
    plain = tables.descriptor(tables.SMALL)
    assert code(create_table, admin, db, "t", plain) == TABLE_EXISTS
    create_table(admin, db, "t", tables.descriptor({"other": INT}), ignore=True)
    assert [c["name"] for c in table.json()["schema"]["columns"]] == list(tables.SMALL)
    assert cluster.tablet.call("TABLE_EXISTS", table_path=path(db, "t")).exists
    assert not cluster.tablet.call("TABLE_EXISTS", table_path=path(db, "u")).exists
    assert code(admin, "GET_TABLE_INFO", table_path=path(db, "u")) == TABLE_MISSING
    assert code(admin, "DROP_TABLE", table_path=path(db, "u"), ignore_if_not_exists=False) == TABLE_MISSING
    admin("DROP_TABLE", table_path=path(db, "u"), ignore_if_not_exists=True)
    assert code(create_table, admin, db + "_no", "t", plain) == DB_MISSING


def described(**changes):
    return {**tables.descriptor(tables.SMALL), **changes}


def with_properties(**properties):
    return described(properties={k.replace("__", "-").replace("_", "."): v for k, v in properties.items()})


BAD_TABLES = {
    "no columns twice": (
        tables.descriptor(tables.SMALL)
        | {
            "schema": {
                "version": 1,
                "columns": [
                    {"name": "a", "data_type": INT, "id": 0},
                    {"name": "a", "data_type": INT, "id": 1},
                ],
                "highest_field_id": 1,
            }
        },
        INVALID_TABLE,
    ),
    "unknown bucket key": (described(bucket_key=["nope"]), INVALID_TABLE),
    "unknown partition key": (described(partition_key=["nope"]), INVALID_TABLE),
    "bucket key is partition key": (described(bucket_key=["name"], partition_key=["name"]), INVALID_TABLE),
    "bucket key of a nested type": (
        tables.descriptor({"a": tables.array(INT)}, bucket_key=["a"]),
        INVALID_TABLE,
    ),
    "reserved column": (tables.descriptor({"__offset": INT}), INVALID_TABLE),
    "unknown property": (with_properties(table_nonsense="1"), INVALID_CONFIG),
    "not a table property": (with_properties(foo="1"), INVALID_CONFIG),
    "bad format": (with_properties(table_log_format="PARQUET"), INVALID_CONFIG),
    "bad ttl": (with_properties(table_log_ttl="soon"), INVALID_CONFIG),
    "bad zstd level": (with_properties(table_log_arrow_compression_zstd_level="23"), INVALID_CONFIG),
    "tiered segments": (described(properties={"table.log.tiered.local-segments": "0"}), INVALID_CONFIG),
    "auto partition without partitions": (
        described(properties={"table.auto-partition.enabled": "true"}),
        INVALID_CONFIG,
    ),
    "partition key of a nested type": (
        tables.descriptor({"a": INT, "r": tables.row(x=INT)}, partition_key=["r"]),
        INVALID_TABLE,
    ),
    "no buckets": (described(bucket_count=0), UNKNOWN),
    "not an object": (b"[1,2]", None),
    "not json": (b"{", None),
    "empty": (b"", None),
    "no schema": (b'{"version":1,"partition_key":[],"properties":{},"custom_properties":{}}', None),
    "unknown data type": (tables.descriptor({"a": {"type": "ROCK"}}), None),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_descriptors_that_are_refused(admin, db, name):
    """Where the code is None, any refusal will do: the reference is not consistent there."""
    table, expected = BAD_TABLES[name]
    found = code(create_table, admin, db, "t", table)
    assert expected is None or found == expected
    assert list(admin("LIST_TABLES", database_name=db).table_name) == []


@pytest.mark.own_server
@pytest.mark.parametrize("columns", [7, [7], [{}], None], ids=repr)
def test_columns_that_are_none(admin, db, columns):
    """The reference makes a table without columns of it."""
    assert (
        code(create_table, admin, db, "t", described(schema={"version": 1, "columns": columns}))
        == INVALID_TABLE
    )


def test_bucket_number_defaults(create, cluster, db):
    found = tables.Table.create(cluster, db, "d", tables.SMALL, buckets=None).json()
    assert found["bucket_count"] == 1


@pytest.mark.own_server
def test_too_many_buckets(admin, db):
    assert code(create_table, admin, db, "t", described(bucket_count=4097)) == 49


def test_schemas_by_id(cluster, create):
    table = create()
    latest = cluster.tablet.call("GET_TABLE_SCHEMA", table_path=table.path)
    assert latest.schema_id == 1
    assert json.loads(latest.schema_json) == table.json()["schema"]
    by_id = cluster.tablet.call("GET_TABLE_SCHEMA", table_path=table.path, schema_id=1)
    assert by_id.schema_json == latest.schema_json
    assert code(cluster.tablet.call, "GET_TABLE_SCHEMA", table_path=table.path, schema_id=9) == SCHEMA_MISSING


def test_metadata_of_what_does_not_exist(cluster, create, db):
    table = create()
    unknown = code(cluster.tablet.call, "GET_METADATA", table_path=[path(db, "nope")])
    assert unknown in (UNKNOWN, TABLE_MISSING)
    parts = [{**table.path, "partition_name": "p"}]
    assert code(cluster.tablet.call, "GET_METADATA", partitions_path=parts) == PARTITION_MISSING
    assert (
        code(cluster.tablet.call, "GET_METADATA", table_path=[table.path], partitions_id=[99999])
        == PARTITION_MISSING
    )


def test_metadata_lists_every_bucket(cluster, create):
    table = create(buckets=5)
    answer = cluster.coordinator.call("GET_METADATA", table_path=[table.path])
    found = answer.table_metadata[0]
    assert json.loads(found.table_json) == table.json()
    assert sorted(b.bucket_id for b in found.bucket_metadata) == list(range(5))
    node = answer.tablet_servers[0].node_id
    assert all(b.leader_id == node and list(b.replica_id) == [node] for b in found.bucket_metadata)


def add_columns(admin, table, *columns):
    changes = [
        {"column_name": name, "data_type_json": json.dumps(kind).encode(), "column_position_type": 0}
        for name, kind in columns
    ]
    admin("ALTER_TABLE", table_path=table.path, ignore_if_not_exists=False, add_columns=changes)


def test_adding_columns(admin, create):
    table = create()
    add_columns(admin, table, ("r", tables.row(x=INT, y=STRING)), ("last", BIGINT))
    schema = table.json()["schema"]
    assert [(c["name"], c["id"]) for c in schema["columns"][3:]] == [("r", 3), ("last", 6)]
    assert [f["field_id"] for f in schema["columns"][3]["data_type"]["fields"]] == [4, 5]
    assert schema["highest_field_id"] == 6
    info = table.info()
    assert info.schema_id == 2
    assert info.modified_time >= info.created_time


def test_columns_that_cannot_be_added(admin, create):
    table = create()
    assert code(add_columns, admin, table, ("id", INT)) == INVALID_ALTER
    assert code(add_columns, admin, table, ("must", {**INT, "nullable": False})) == UNKNOWN
    assert table.info().schema_id == 1


def set_properties(admin, table, **properties):
    changes = [
        {"config_key": k, **({} if v is None else {"config_value": v}), "op_type": 1 if v is None else 0}
        for k, v in properties.items()
    ]
    admin("ALTER_TABLE", table_path=table.path, ignore_if_not_exists=False, config_changes=changes)


def test_custom_properties_change(admin, create):
    table = create(custom={"a": "1", "b": "2"})
    set_properties(admin, table, a="3", b=None, c="4")
    assert table.json()["custom_properties"] == {"a": "3", "c": "4"}
    set_properties(admin, table, missing=None)


def test_properties_that_may_and_may_not_change(admin, create):
    table = create()
    set_properties(admin, table, **{"table.log.tiered.local-segments": "5"})
    assert table.json()["properties"]["table.log.tiered.local-segments"] == "5"
    set_properties(admin, table, **{"table.log.tiered.local-segments": None})
    assert "table.log.tiered.local-segments" not in table.json()["properties"]
    for key in ("table.log.format", "table.replication.factor", "table.nonsense"):
        assert code(set_properties, admin, table, **{key: "1"}) == INVALID_ALTER


def test_altering_what_does_not_exist(admin, db):
    fields = {"table_path": path(db, "nope"), "config_changes": []}
    change = [{"config_key": "a", "config_value": "b", "op_type": 0}]
    fields["config_changes"] = change
    assert code(admin, "ALTER_TABLE", **fields, ignore_if_not_exists=False) == TABLE_MISSING
    admin("ALTER_TABLE", **fields, ignore_if_not_exists=True)


def spec(**values):
    return {"partition_key_values": [{"key": k, "value": v} for k, v in values.items()]}


@pytest.fixture
def parted(create):
    return create(columns={"id": INT, "region": STRING, "day": STRING}, partition_key=["region", "day"])


def test_partitions(admin, cluster, parted):
    first = parted.add_partition(region="eu", day="20260101")
    second = parted.add_partition(region="us", day="20260101")
    assert second > first
    listed = cluster.tablet.call("LIST_PARTITION_INFOS", table_path=parted.path).partitions_info
    found = {
        p.partition_id: [(x.key, x.value) for x in p.partition_spec.partition_key_values] for p in listed
    }
    assert found == {
        first: [("region", "eu"), ("day", "20260101")],
        second: [("region", "us"), ("day", "20260101")],
    }
    some = cluster.tablet.call(
        "LIST_PARTITION_INFOS", table_path=parted.path, partial_partition_spec=spec(region="us")
    )
    assert [p.partition_id for p in some.partitions_info] == [second]
    again = {"table_path": parted.path, "partition_spec": spec(day="20260101", region="eu")}
    assert code(admin, "CREATE_PARTITION", **again, ignore_if_not_exists=False) == PARTITION_EXISTS
    admin("CREATE_PARTITION", **again, ignore_if_not_exists=True)
    admin("DROP_PARTITION", **again, ignore_if_not_exists=False)
    assert code(admin, "DROP_PARTITION", **again, ignore_if_not_exists=False) == PARTITION_MISSING
    admin("DROP_PARTITION", **again, ignore_if_not_exists=True)
    third = parted.add_partition(region="eu", day="20260101")
    assert third > second


BAD_SPECS = [
    {},
    {"region": "eu"},
    {"region": "eu", "day": "1", "more": "2"},
    {"region": "eu", "nope": "1"},
    {"region": "e u", "day": "1"},
    {"region": "", "day": "1"},
    {"region": "__eu", "day": "1"},
    {"region": "a$b", "day": "1"},
]


@pytest.mark.parametrize("values", BAD_SPECS, ids=str)
def test_bad_partition_specs(admin, parted, values):
    fields = {"table_path": parted.path, "partition_spec": spec(**values)}
    assert code(admin, "CREATE_PARTITION", **fields, ignore_if_not_exists=False) == INVALID_SPEC


def test_partitions_of_a_plain_table(admin, cluster, create):
    table = create()
    fields = {"table_path": table.path, "partition_spec": spec(name="a"), "ignore_if_not_exists": False}
    assert code(admin, "CREATE_PARTITION", **fields) == NOT_PARTITIONED
    assert code(admin, "DROP_PARTITION", **fields) == NOT_PARTITIONED
    assert code(cluster.tablet.call, "LIST_PARTITION_INFOS", table_path=table.path) == NOT_PARTITIONED


@pytest.mark.own_server
def test_the_partition_limit(launch):
    server = launch("few", options={"max.partition.num": "3"})
    cluster = wire.Cluster(server.address)
    table = tables.Table.create(cluster, "fluss", "p", {"id": INT, "k": STRING}, partition_key=["k"])
    for i in range(3):
        table.add_partition(k=str(i))
    fields = {"table_path": table.path, "partition_spec": spec(k="x"), "ignore_if_not_exists": False}
    assert code(cluster.coordinator.call, "CREATE_PARTITION", **fields) == 45
    cluster.close()
