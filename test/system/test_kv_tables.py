"""What a primary-key table may declare: accepted or refused, with which code, and what is stored.

`python -m pytest test/system/test_kv_tables.py --bootstrap host:port` asks Apache Fluss the same.
Cases that its release 0.9.1 decides otherwise are marked with the reason.
"""

import json

import pytest
from harness import kv, tables
from harness.tables import BIGINT, DOUBLE, INT, STRING, path
from harness.wire import ErrorReply

OK, INVALID_TABLE, INVALID_CONFIG, TOO_MANY_BUCKETS, INVALID_ALTER = 0, 15, 39, 49, 56
INVALID_ARGUMENT = -1  # the original has no code of its own for these: UNKNOWN_SERVER_ERROR
BOOL, BYTES, DATE = {"type": "BOOLEAN"}, {"type": "BYTES"}, {"type": "DATE"}
DECIMAL = kv.decimal(10, 2)
ENGINE, BEHAVIOUR, VERSION = "table.merge-engine", "table.delete.behavior", "table.merge-engine.versioned.ver-column"
AGGREGATION = {ENGINE: "aggregation"}


def described(columns=None, *, key=("id",), **more):
    columns = columns or {"id": INT, "name": STRING, "ts": BIGINT}
    return tables.descriptor(columns, primary_key=key, **more)


def aggregated(function, data_type, **parameters):
    """A table whose column v is aggregated so."""
    agg = {"type": function, "parameters": parameters} if parameters else {"type": function}
    return described({"id": INT, "v": data_type}, aggregates={"v": agg}, properties=AGGREGATION)


def create(cluster, db, table, name="t"):
    """The code, 0 when it was created."""
    try:
        cluster.coordinator.call(
            "CREATE_TABLE", table_path=path(db, name), table_json=json.dumps(table).encode(), ignore_if_exists=False
        )
    except ErrorReply as e:
        assert str(e)
        return e.code
    return OK


def without(table, *keys):
    """The descriptor with a change of its schema."""
    return {**table, "schema": {k: v for k, v in table["schema"].items() if k not in keys}}


def schema_with(table, **more):
    return {**table, "schema": {**table["schema"], **more}}


def option(name, value, **more):
    return described(properties={name: value}, **more)


KEYS = {
    "one key": (OK, described()),
    "several keys": (OK, described(key=("name", "id"))),
    "every column is a key": (OK, described(key=("id", "name", "ts"))),
    "key of no column": (INVALID_TABLE, described(key=("nothing",))),
    "key twice": (INVALID_TABLE, described(key=("id", "id"))),
    "empty key": (INVALID_TABLE, schema_with(described(), primary_key=[])),
    "key of bytes": (OK, described({"k": BYTES, "v": INT}, key=("k",))),
    "key of a decimal": (OK, described({"k": DECIMAL, "v": INT}, key=("k",))),
    "key of a double": (OK, described({"k": DOUBLE, "v": INT}, key=("k",))),
    "key of an array": (INVALID_TABLE, described({"k": tables.array(INT), "v": INT}, key=("k",))),
    "key of a map": (INVALID_TABLE, described({"k": tables.map_of(INT, INT), "v": INT}, key=("k",))),
    "key of a row": (INVALID_TABLE, described({"k": tables.row(a=INT), "v": INT}, key=("k",))),
    "value of an array": (OK, described({"k": INT, "v": tables.array(INT)}, key=("k",))),
    "bucket key is the key": (OK, described(key=("id", "name"), bucket_key=("id", "name"))),
    "bucket key is a prefix": (OK, described(key=("id", "name"), bucket_key=("id",))),
    "bucket key is no prefix": (OK, described(key=("id", "name"), bucket_key=("name",))),
    "bucket key outside of the key": (INVALID_TABLE, described(bucket_key=("name",))),
    "bucket key of no column": (INVALID_TABLE, described(bucket_key=("nothing",))),
    "bucket key is the partition key": (
        INVALID_TABLE,
        described(key=("id", "name"), partition_key=("name",), bucket_key=("name",)),
    ),
    "partition key in the key": (OK, described(key=("id", "name"), partition_key=("name",))),
    "partition key outside of the key": (INVALID_TABLE, described(partition_key=("name",))),
    "partition keys are the key": (INVALID_TABLE, described(partition_key=("id",))),
    "two partition keys": (OK, described(key=("id", "name", "ts"), partition_key=("name", "ts"))),
    "partition key of a decimal": (
        INVALID_TABLE,
        described({"k": INT, "p": DECIMAL}, key=("k", "p"), partition_key=("p",)),
    ),
    "too many buckets": (TOO_MANY_BUCKETS, described(buckets=1_000_000)),
    "no buckets": (INVALID_ARGUMENT, described(buckets=0)),
}

FORMATS = {
    "kv compacted": (OK, option("table.kv.format", "compacted")),
    "kv indexed": (OK, option("table.kv.format", "indexed")),
    "kv of another format": (INVALID_CONFIG, option("table.kv.format", "arrow")),
    "log arrow": (OK, option("table.log.format", "arrow")),
    "log compacted": (OK, option("table.log.format", "compacted")),
    "log indexed": (INVALID_CONFIG, option("table.log.format", "indexed")),
    "log and kv indexed": (
        INVALID_CONFIG,
        described(properties={"table.log.format": "indexed", "table.kv.format": "indexed"}),
    ),
    "log of another format": (INVALID_CONFIG, option("table.log.format", "parquet")),
    "image full": (OK, option("table.changelog.image", "full")),
    "image wal": (OK, option("table.changelog.image", "wal")),
    "another image": (INVALID_CONFIG, option("table.changelog.image", "half")),
    "unknown property": (INVALID_CONFIG, option("table.kv.nothing", "1")),
    "zstd level": (INVALID_CONFIG, option("table.log.arrow.compression.zstd.level", "23")),
    "lake format paimon": (OK, option("table.datalake.format", "paimon")),
    "lake format iceberg": (OK, option("table.datalake.format", "iceberg")),
    "lake format lance": (OK, option("table.datalake.format", "lance")),
    "iceberg, several keys": (
        INVALID_TABLE,
        described(key=("id", "name"), properties={"table.datalake.format": "iceberg"}),
    ),
    "iceberg, several keys, one bucket key": (
        OK,
        described(key=("id", "name"), bucket_key=("id",), properties={"table.datalake.format": "iceberg"}),
    ),
    "paimon, several keys": (
        OK,
        described(key=("id", "name"), properties={"table.datalake.format": "paimon"}),
    ),
    "another lake format": (INVALID_CONFIG, option("table.datalake.format", "csv")),
    "auto-increment cache": (OK, option("table.auto-increment.cache-size", "10")),
    "auto-increment cache is no number": (INVALID_CONFIG, option("table.auto-increment.cache-size", "x")),
}

ENGINES = {
    "first row": (OK, option(ENGINE, "first_row")),
    "versioned": (OK, described(properties={ENGINE: "versioned", VERSION: "ts"})),
    "aggregation": (OK, option(ENGINE, "aggregation")),
    "another engine": (INVALID_CONFIG, option(ENGINE, "last_row")),
    "versioned without a column": (INVALID_CONFIG, option(ENGINE, "versioned")),
    "versioned by no column": (INVALID_CONFIG, described(properties={ENGINE: "versioned", VERSION: "nothing"})),
    "versioned by a string": (INVALID_CONFIG, described(properties={ENGINE: "versioned", VERSION: "name"})),
    "versioned by an int": (OK, described(properties={ENGINE: "versioned", VERSION: "id"})),
    "versioned by a timestamp": (
        OK,
        described({"id": INT, "at": kv.timestamp(3)}, properties={ENGINE: "versioned", VERSION: "at"}),
    ),
    "versioned by a local timestamp": (
        OK,
        described({"id": INT, "at": kv.timestamp(6, True)}, properties={ENGINE: "versioned", VERSION: "at"}),
    ),
    "aggregation with wal": (INVALID_CONFIG, described(properties={**AGGREGATION, "table.changelog.image": "wal"})),
    "first row with wal": (OK, described(properties={ENGINE: "first_row", "table.changelog.image": "wal"})),
    "delete allowed": (OK, option(BEHAVIOUR, "allow")),
    "delete ignored": (OK, option(BEHAVIOUR, "ignore")),
    "delete disabled": (OK, option(BEHAVIOUR, "disable")),
    "another behaviour": (INVALID_CONFIG, option(BEHAVIOUR, "forbid")),
    "first row, delete allowed": (INVALID_CONFIG, described(properties={ENGINE: "first_row", BEHAVIOUR: "allow"})),
    "first row, delete disabled": (OK, described(properties={ENGINE: "first_row", BEHAVIOUR: "disable"})),
    "versioned, delete allowed": (
        INVALID_CONFIG,
        described(properties={ENGINE: "versioned", VERSION: "ts", BEHAVIOUR: "allow"}),
    ),
    "aggregation, delete allowed": (OK, described(properties={**AGGREGATION, BEHAVIOUR: "allow"})),
    "log table with an engine": (INVALID_CONFIG, option(ENGINE, "first_row", key=None)),
    "log table with a behaviour": (INVALID_CONFIG, option(BEHAVIOUR, "ignore", key=None)),
    "statistics": (INVALID_CONFIG, option("table.statistics.columns", "*")),
}

NUMERIC = [*map(kv.simple, ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE")), DECIMAL]
OTHER = [STRING, BOOL, BYTES, DATE, kv.CHAR, kv.BINARY, kv.timestamp(3), kv.timestamp(3, True), kv.time_of_day()]


def functions():
    """Every function with every type."""
    allowed = {
        "sum": lambda t: t in NUMERIC,
        "product": lambda t: t in NUMERIC,
        "max": lambda t: t not in (BOOL, BYTES, kv.BINARY),
        "min": lambda t: t not in (BOOL, BYTES, kv.BINARY),
        "last_value": lambda t: True,
        "last_value_ignore_nulls": lambda t: True,
        "first_value": lambda t: True,
        "first_value_ignore_nulls": lambda t: True,
        "listagg": lambda t: t in (STRING, kv.CHAR),
        "string_agg": lambda t: t in (STRING, kv.CHAR),
        "bool_and": lambda t: t == BOOL,
        "bool_or": lambda t: t == BOOL,
        "rbm32": lambda t: t == BYTES,
        "rbm64": lambda t: t == BYTES,
    }
    for function, accepts in allowed.items():
        for data_type in NUMERIC + OTHER:
            yield f"{function} of {data_type['type']}", (
                OK if accepts(data_type) else INVALID_CONFIG,
                aggregated(function, data_type),
            )


FUNCTIONS = {
    **dict(functions()),
    "listagg with a delimiter": (OK, aggregated("listagg", STRING, delimiter="|")),
    "listagg with an empty delimiter": (INVALID_CONFIG, aggregated("listagg", STRING, delimiter="")),
    "listagg with another parameter": (INVALID_CONFIG, aggregated("listagg", STRING, nothing="|")),
    "sum with a parameter": (INVALID_CONFIG, aggregated("sum", INT, delimiter="|")),
    "unknown function is none": (OK, aggregated("median", INT)),
    "function of a key": (
        INVALID_TABLE,
        described({"id": INT, "v": INT}, aggregates={"id": {"type": "sum"}}, properties=AGGREGATION),
    ),
    "function without the engine": (
        INVALID_CONFIG,
        described({"id": INT, "v": INT}, aggregates={"v": {"type": "sum"}}),
    ),
    "function of a log table": (
        INVALID_CONFIG,
        described({"id": INT, "v": INT}, key=None, aggregates={"v": {"type": "sum"}}),
    ),
}

INCREMENTS = {
    "bigint": (OK, described(auto_increment="ts")),
    "int": (OK, described({"id": STRING, "n": INT}, auto_increment="n")),
    "string": (INVALID_TABLE, described(auto_increment="name")),
    "smallint": (INVALID_TABLE, described({"id": INT, "n": kv.simple("SMALLINT")}, auto_increment="n")),
    "key": (INVALID_TABLE, described(auto_increment="id")),
    "no column": (INVALID_TABLE, described(auto_increment="nothing")),
    "log table": (INVALID_TABLE, described(key=None, auto_increment="ts")),
    "two": (INVALID_TABLE, schema_with(described(), auto_increment_column=["ts", "id"])),
}

CASES = {"keys": KEYS, "formats": FORMATS, "engines": ENGINES, "functions": FUNCTIONS, "auto-increment": INCREMENTS}


# What release 0.9.1 of the original says instead: it creates tables that take no write, does not
# look at functions without the engine nor at names of added columns, and has no code for an engine it
# does not know.
IN_0_9_1 = {
    "log and kv indexed": OK,
    "iceberg, several keys": OK,
    "another engine": INVALID_ARGUMENT,
    "function without the engine": OK,
    "function of a log table": OK,
    "reserved": OK,
}


@pytest.fixture
def expected(request):
    """expected(name, code): the code this server should answer."""
    other = IN_0_9_1 if request.config.getoption("--bootstrap") else {}
    return lambda name, code: other.get(name, code)


@pytest.mark.parametrize("topic", CASES)
def test_what_may_be_declared(cluster, db, topic, expected):
    wrong = []
    for i, (name, (code, table)) in enumerate(CASES[topic].items()):
        found = create(cluster, db, table, f"t{i}")
        if found != expected(name, code):
            wrong.append(f"{name}: found {found}, expected {expected(name, code)}")
    assert not wrong, "\n".join(wrong)


def stored(cluster, db, table):
    assert create(cluster, db, table) == OK
    info = cluster.tablet.call("GET_TABLE_INFO", table_path=path(db, "t"))
    return json.loads(info.table_json)


KEYED = {"table.replication.factor": "1", "table.kv.format-version": "2"}
DEFAULTS = {
    "plain": (described(), KEYED),
    "first row": (option(ENGINE, "first_row"), {**KEYED, ENGINE: "first_row", BEHAVIOUR: "IGNORE"}),
    "aggregation": (option(ENGINE, "aggregation"), {**KEYED, ENGINE: "aggregation", BEHAVIOUR: "IGNORE"}),
    "as said": (
        described(properties={ENGINE: "first_row", BEHAVIOUR: "disable", "table.kv.format-version": "1"}),
        {**KEYED, ENGINE: "first_row", BEHAVIOUR: "disable", "table.kv.format-version": "1"},
    ),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_properties_that_are_added(cluster, db, case):
    table, properties = DEFAULTS[case]
    found = stored(cluster, db, table)["properties"]
    found.pop("table.kv.standby-replica.enabled", None)  # since 1.0
    assert found == properties


def test_bucket_keys_are_the_keys_without_partition_keys(cluster, db):
    found = stored(cluster, db, described(key=("ts", "name", "id"), partition_key=("name",)))
    assert found["bucket_key"] == ["ts", "id"]
    assert found["schema"]["primary_key"] == ["ts", "name", "id"]


def test_key_columns_are_not_nullable(cluster, db):
    table = described(auto_increment="ts")
    for column in table["schema"]["columns"]:
        column["data_type"] = {k: v for k, v in column["data_type"].items() if k != "nullable"}
    columns = stored(cluster, db, table)["schema"]["columns"]
    assert [c["data_type"].get("nullable", True) for c in columns] == [False, True, True]


# ---- ALTER TABLE ----


def alter(cluster, db, **changes):
    try:
        cluster.coordinator.call("ALTER_TABLE", table_path=path(db, "t"), ignore_if_not_exists=False, **changes)
    except ErrorReply as e:
        return e.code
    return OK


def column(name, data_type=INT, position=0, **more):
    return {
        "column_name": name,
        "data_type_json": json.dumps(data_type).encode(),
        "column_position_type": position,
        **more,
    }


ADDED = {
    "one": (OK, [column("a")]),
    "two": (OK, [column("b"), column("c", tables.array(STRING))]),
    "a row": (OK, [column("d", tables.row(x=INT))]),
    "there already": (INVALID_ALTER, [column("name")]),
    "not nullable": (INVALID_ARGUMENT, [column("e", {**INT, "nullable": False})]),
    "reserved": (INVALID_TABLE, [column("__offset")]),
    "function without the engine": (INVALID_CONFIG, [column("g", agg_function_type="sum")]),
}


def test_columns_are_added_at_the_end(cluster, db, expected):
    assert create(cluster, db, described()) == OK
    for name, (code, columns) in ADDED.items():
        assert alter(cluster, db, add_columns=columns) == expected(name, code), name
    info = json.loads(cluster.tablet.call("GET_TABLE_INFO", table_path=path(db, "t")).table_json)
    names = [c["name"] for c in info["schema"]["columns"]]
    assert names[:7] == ["id", "name", "ts", "a", "b", "c", "d"]
    assert info["schema"]["primary_key"] == ["id"]


@pytest.mark.own_server  # since 1.0
def test_added_columns_may_be_aggregated(cluster, db):
    assert create(cluster, db, described(properties=AGGREGATION)) == OK
    assert alter(cluster, db, add_columns=[column("total", agg_function_type="sum")]) == OK
    assert alter(cluster, db, add_columns=[column("none", STRING, agg_function_type="sum")]) == INVALID_CONFIG
    info = json.loads(cluster.tablet.call("GET_TABLE_INFO", table_path=path(db, "t")).table_json)
    assert info["schema"]["columns"][-1]["agg_function"]["type"].lower() == "sum"
    assert info["schema"]["columns"][-1]["name"] == "total"


FIXED = {
    "table.kv.format": "indexed",
    "table.kv.format-version": "1",
    "table.log.format": "compacted",
    "table.changelog.image": "wal",
    ENGINE: "first_row",
    BEHAVIOUR: "ignore",
    "table.auto-increment.cache-size": "5",
    "table.replication.factor": "1",
}


def setting(key, value):
    return [{"config_key": key, "config_value": value, "op_type": 0}]


@pytest.mark.parametrize("key", FIXED)
def test_what_makes_the_table_cannot_be_altered(cluster, db, key):
    assert create(cluster, db, described()) == OK
    assert alter(cluster, db, config_changes=setting(key, FIXED[key])) == INVALID_ALTER


@pytest.mark.own_server  # since 1.0
def test_options_that_can_be_altered(cluster, db):
    assert create(cluster, db, described()) == OK
    assert alter(cluster, db, config_changes=setting("table.log.ttl", "1 d")) == OK
    assert alter(cluster, db, config_changes=setting("table.kv.standby-replica.enabled", "false")) == OK
    info = json.loads(cluster.tablet.call("GET_TABLE_INFO", table_path=path(db, "t")).table_json)
    assert info["properties"]["table.log.ttl"] == "1 d"
    assert info["properties"]["table.kv.standby-replica.enabled"] == "false"


# ---- whether they may be created at all ----


@pytest.mark.own_server
def test_creation_can_be_switched_off(launch):
    from harness import wire

    server = launch(options={"allow.create.kv.tables": "false"})
    cluster = wire.Cluster(server.address)
    assert create(cluster, "fluss", described()) == INVALID_TABLE
    assert create(cluster, "fluss", described(key=None)) == OK
    cluster.close()


# ---- dropping ----


def test_a_dropped_table_takes_its_numbers_along(cluster, db):
    """Its id, and with it all that was stored of it, is not used again."""
    ids = []
    for _ in range(2):
        assert create(cluster, db, described(auto_increment="ts")) == OK
        ids.append(cluster.tablet.call("GET_TABLE_INFO", table_path=path(db, "t")).table_id)
        cluster.coordinator.call("DROP_TABLE", table_path=path(db, "t"), ignore_if_not_exists=False)
    assert ids[0] != ids[1]
