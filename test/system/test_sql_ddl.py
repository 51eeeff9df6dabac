"""Statements that change the catalog, with psql and psycopg; what they made, as the stock client sees it."""

import fluss
import psycopg
import pytest
from harness import sql

pytestmark = pytest.mark.sql_server

SHOP = """
create table orders (
    Id bigint, region text not null comment 'where', "Amount" decimal(10, 2), at timestamp(3) with time zone,
    tags array<text>, attributes map<text, int>, place struct(street text, number int), raw bytea,
    primary key (id, region) not enforced
) comment 'what was bought' partitioned by (region) distributed by (id) into 3 buckets
with ('table.log.ttl' = '3 d', 'owner' = 'me')
"""


def failure(session, statement):
    """SQLSTATE, position and hint of what a statement fails with."""
    with pytest.raises(psycopg.Error) as caught:
        session.execute(statement)
    position = caught.value.diag.statement_position
    return caught.value.sqlstate, position and statement[int(position) - 1 :], caught.value.diag.message_hint


async def described(client, db, name="t"):
    return await client.get_admin().get_table_info(fluss.TablePath(db, name))


async def test_a_table_is_what_the_statement_says(client, session, db):
    assert session.execute(SHOP).statusmessage == "CREATE TABLE"
    info = await described(client, db, "orders")
    assert info.get_primary_keys() == ["id", "region"]
    assert info.get_bucket_keys() == ["id"] and info.num_buckets == 3
    assert info.get_partition_keys() == ["region"]
    assert info.get_column_names() == ["id", "region", "Amount", "at", "tags", "attributes", "place", "raw"]
    assert info.comment == "what was bought"
    properties = {**info.get_properties(), **info.get_custom_properties()}
    assert properties["table.log.ttl"] == "3 d" and properties["owner"] == "me"


TYPES = {
    "bool": ["boolean", "bool"],
    "int2": ["tinyint", "int1", "smallint", "int2"],
    "int4": ["int", "integer", "int4"],
    "int8": ["bigint", "int8", "long"],
    "float4": ["real", "float", "float4"],
    "float8": ["double", "double precision", "float8"],
    "numeric": ["decimal(8,3)", "numeric(38, 38)", "dec(5)"],
    "text": ["text", "string", "varchar", "varchar(9)", "character varying(3)", "char(3)", "character(3)"],
    "bytea": ["bytea", "bytes", "blob", "varbinary", "binary(4)"],
    "date": ["date"],
    "time": ["time", "time(0)", "time(3) without time zone"],
    "timestamp": ["timestamp", "datetime", "timestamp(0)", "timestamp_ns", "timestamp(3) without time zone"],
    "timestamptz": ["timestamptz", "timestamp_ltz(3)", "timestamp with time zone", "timestamp with local time zone"],
    "int4[]": ["int[]", "array<int>", "array<int not null>"],
    "json": ["map<int, text>", "map(int, int[])", "row<a int, b row<c text>>", "struct(a int)", "map<int, array<int>>[]"],
}


def test_types_have_the_names_of_three_worlds(session):
    for meant, names in TYPES.items():
        known = psycopg.adapters.types[meant.removesuffix("[]")]
        for name in names:
            session.execute(f"create table kinds (a {name})")
            found = session.execute("select * from kinds", prepare=False).description[0]
            assert found.type_code == (known.array_oid if meant.endswith("[]") else known.oid), name
            session.execute("drop table kinds")


ERRORS = [
    ("create table t (a int, A int)", "42701", "A int)"),
    ("create table t (a int, primary key (b))", "42703", None),
    ("create table t (a int) partitioned by (b)", "42703", None),
    ("create table t (a number)", "42704", "number)"),
    ("create table t (a decimal)", "42601", ")"),
    ("create table t (a uuid)", "0A000", "uuid)"),
    ("create table t (a int default 1)", "0A000", "default 1)"),
    ("create table t (a int", "42601", None),
    ("create table t (a int) wiht ('a' = 'b')", "42601", "wiht ('a' = 'b')"),
    ("create table t as select 1", "0A000", "as select 1"),
    ("create table nowhere.t (a int)", "3F000", "nowhere.t (a int)"),
    ("create table t (a int) with ('table.no.such' = '1')", "22023", None),
    ("create table t (a int) with ('table.log.format' = 'csv')", "22023", None),
    ("create table t (a int) with ('bucket.num' = 'many')", "22023", None),
    ("create table t (a int primary key) with ('bucket.key' = 'a', 'fields.b.agg' = 'sum')", "42703", None),
    ("create index i on t (a)", "0A000", "index i on t (a)"),
    ("create view v as select 1", "0A000", "view v as select 1"),
    ("drop table missing", "42P01", "missing"),
    ("drop database missing", "3F000", "missing"),
    ("alter table missing add a int", "42P01", "missing add a int"),
    ("alter table there drop column a", "0A000", "column a"),
    ("alter table there rename to here", "0A000", "rename to here"),
    ("alter table there set ('table.log.format' = 'INDEXED')", "0A000", None),
    ("alter table there add b int not null", "22023", None),
    ("alter table there add partition (a = '1')", "42809", None),
    ("create table there (a int)", "42P07", "there (a int)"),
    ("truncate there", None, None),
    ("create table \u00e4\u00f6 (a nope)", "42704", "nope)"),
]


@pytest.mark.parametrize("statement, state, at", ERRORS)
def test_errors_have_states_and_positions(session, statement, state, at):
    session.execute("create table there (a int)")
    found, place, _ = failure(session, statement)
    assert state is None or found == state
    if at is not None:
        assert place == at


def test_what_exists_may_be_left_alone(session, db):
    session.execute("create table t (a int)")
    session.execute("create table if not exists t (b int)")
    assert [c.name for c in session.execute("select * from t").description] == ["a"]
    session.execute("drop table if exists t, t2")
    session.execute("drop table if exists t")
    assert failure(session, "select * from t")[0] == "42P01"
    session.execute("create schema if not exists other")
    session.execute("create database if not exists other")
    assert failure(session, "create schema other")[0] == "42P06"
    session.execute("create table other.x (a int); create table other.y (a int)")
    state, _, hint = failure(session, "drop schema other")
    assert state == "2BP01" and "CASCADE" in hint
    assert session.execute("drop schema other cascade").statusmessage == "DROP SCHEMA"
    session.execute("drop schema if exists other")


async def test_tables_are_altered(client, session, db):
    session.execute("create table t (a int, day text) partitioned by (day)")
    session.execute("alter table t add column b text comment 'new', add c int[]")
    session.execute("alter table t add (d int, e date)")
    session.execute("alter table t set ('table.log.ttl' = '1 d', 'owner' = 'you')")
    info = await described(client, db)
    assert info.get_column_names() == ["a", "day", "b", "c", "d", "e"]
    assert info.get_properties()["table.log.ttl"] == "1 d"
    session.execute("alter table t reset ('owner')")
    assert "owner" not in (await described(client, db)).get_custom_properties()
    session.execute("alter table t add partition (day = '20260101')")
    assert failure(session, "alter table t add partition (day = '20260101')")[0] == "42710"
    session.execute("alter table t add if not exists partition (day = '20260101')")
    names = [p.partition_name for p in await client.get_admin().list_partition_infos(fluss.TablePath(db, "t"))]
    assert names == ["20260101"]
    session.execute("alter table t drop partition (day = '20260101')")
    assert failure(session, "alter table t drop partition (day = '20260101')")[0] == "42704"
    session.execute("alter table t drop if exists partition (day = '20260101')")
    session.execute("alter table if exists nothing add x int")


def test_names(session):
    session.execute('create table Lower (A int); create table "Upper" ("Case" int, other text)')
    names = [c.name for c in session.execute('select * from "Upper"').description]
    assert names == ["Case", "other"]
    assert [c.name for c in session.execute("select * from LOWER").description] == ["a"]
    session.execute("drop table upper")  # nothing else has the name
    assert failure(session, 'drop table "LOWER"')[0] == "42P01"
    session.execute("drop table LOWER")


def test_a_statement_sees_those_before_it_in_the_same_query(server, db):
    out = sql.psql(
        server,
        "create table a (x int); create schema s_of_psql; create table s_of_psql.b (y int); select count(*) from a",
        "drop schema s_of_psql cascade",
        database=db,
        flags=["-A", "-t"],
    )
    assert out.split("\n")[-3:] == ["0", "DROP SCHEMA", ""]


def test_prepared_statements_of_the_catalog(session):
    for number in range(3):
        session.execute(f"create table t{number} (a int)", prepare=True)
        session.execute(f"drop table t{number}", prepare=True)


def test_the_catalog_is_shown(session, db):
    session.execute("create table b (x int); create table a (x int, day text) partitioned by (day)")
    session.execute("alter table a add partition (day = '1')")
    assert sql.rows(session, "show tables") == [("a",), ("b",)]
    assert [name for name, _ in sql.rows(session, "show partitions a")] == ["1"]
    assert (db,) in sql.rows(session, "show databases")
    for _ in range(8):  # also when it is prepared
        name, statement = sql.rows(session, "show create table b")[0]
        session.execute("drop table b")
        session.execute(statement)
    assert name == "b" and f'CREATE TABLE "{db}"."b"' in statement
