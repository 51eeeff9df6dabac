"""SQL with asyncpg and SQLAlchemy, unmodified, and with what tools send when they open (test_sql_jdbc.py
has what they ask through the JDBC driver)."""

import asyncio
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import asyncpg
import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
import sqlalchemy.dialects.postgresql
from harness import process, sql, streams, types
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
ITEMS = pa.schema([("id", pa.int32()), ("region", pa.string()), ("price", pa.decimal128(10, 2))])
LONG = "select count(*) from range(100000000) a(x), range(100000) b(y) where x + y = 7"
JSON = ("map", "row", "deep")


@pytest.fixture
async def keyed(client, db):
    return await streams.make_keyed(client, db, ITEMS, ["region", "id"], name="items", bucket_count=2)


# ---- asyncpg: everything is prepared, and binary ----


@pytest.fixture
async def connection(server, db):
    connection = await asyncpg.connect(**sql.place(server), database=db)
    yield connection
    await connection.close()


PARAMETERS = [
    (True, "bool"),
    (-(2**15), "int2"),
    (2**31 - 1, "int4"),
    (-(2**63), "int8"),
    (1.5, "float4"),
    (-0.1, "float8"),
    (math.inf, "float8"),
    ("it's ü€😀", "text"),
    ("", "varchar"),
    (bytes(range(256)), "bytea"),
    (Decimal("-12345678901234.000150"), "decimal(30, 6)"),
    (Decimal("0.01"), "decimal(4, 2)"),
    (date(1, 1, 1), "date"),
    (date(9999, 12, 31), "date"),
    (time(23, 59, 59, 999999), "time"),
    (datetime(1815, 6, 18, 11, 35, 0, 1), "timestamp"),
    (datetime(2026, 8, 22, 13, 14, 15, 123456, tzinfo=UTC), "timestamptz"),
    (UUID("12345678-1234-5678-9234-567812345678"), "uuid"),
    ([1, None, -3], "int4[]"),
    ([], "int8[]"),
    (["a", 'b,"c"\\', None, "", "NULL", "{}"], "text[]"),
    ([date(2000, 2, 29)], "date[]"),
    ([0.1, math.inf], "float8[]"),
    ([True, False], "bool[]"),
]


async def test_asyncpg_parameters(connection):
    for value, kind in PARAMETERS:
        assert await connection.fetchval(f"select $1::{kind}", value) == value, kind
        assert await connection.fetchval(f"select $1::{kind}", None) is None, kind
    assert await connection.fetchval("select count(*) from range(10) r(x) where x = any($1::int8[])", [3, 4, 99]) == 2


async def test_asyncpg_parameters_of_an_insert(connection):
    """None of them has a type but by the column it goes into, or by what it is an argument of."""
    await connection.execute("create table t (a int, b text, c date)")
    for statement, parameters, kinds in [
        ("insert into t (a, b) select i, 'x' from range($1, $2) r(i)", (0, 5), ["int8", "int8"]),
        ("insert into t select i, $1, $3 from range($2) r(i)", ("y", 5, date(2026, 1, 2)), ["varchar", "int8", "date"]),
        ("insert into t (c, a) select $1, $2", (date(2026, 1, 3), 7), ["date", "int4"]),
        ("insert into t (a, b, c) values ($1, $2, $3)", (8, None, None), ["int4", "text", "date"]),
    ]:
        prepared = await connection.prepare(statement)
        assert [p.name for p in prepared.get_parameters()] == kinds
        await prepared.fetch(*parameters)
    assert await connection.fetchval("select count(*) from range($1, $2)", 3, 10) == 7
    rows = await connection.fetch("select a, b, c from t where a > 3 order by a, b")
    assert [tuple(r) for r in rows] == [
        (4, "x", None),
        (4, "y", date(2026, 1, 2)),
        (7, None, date(2026, 1, 3)),
        (8, None, None),
    ]


async def test_asyncpg_reads_every_type(connection, client, db):
    data = types.table(400)
    table = await streams.make(client, db, data.schema)
    await streams.append_table(table, data)
    for name in types.COLUMNS:
        rows = [row[0] for row in await connection.fetch(f'select "{name}" from t order by id')]
        expected = data.column(name).to_pylist()
        assert [v is None for v in rows] == [v is None for v in expected], name
        if name not in JSON and not name.startswith(("timestamp_ltz", "timestamp_9")):
            assert [repr(v) for v in rows] == [repr(v) for v in expected], name


async def test_asyncpg_cursors_errors_and_cancel(connection, client, db):
    table = await streams.make(client, db, ITEMS)
    rows = pa.table({"id": range(3000), "region": ["a"] * 3000, "price": [None] * 3000}, schema=ITEMS)
    await streams.append_table(table, rows)
    async with connection.transaction():
        found = [row["id"] async for row in connection.cursor("select id from t order by id", prefetch=70)]
    assert found == list(range(3000))
    prepared = await connection.prepare("select region, price from t where id = $1")
    assert [p.name for p in prepared.get_parameters()] == ["int4"]
    assert [a.type.name for a in prepared.get_attributes()] == ["text", "numeric"]
    assert (await prepared.fetchrow(7))["region"] == "a"
    with pytest.raises(asyncpg.UndefinedTableError):
        await connection.fetch("select * from missing")
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetch(LONG, timeout=0.5)
    assert await connection.fetchval("select 1") == 1
    await connection.reset()


async def test_asyncpg_pool(server):
    async with asyncpg.create_pool(**sql.place(server), database="fluss", min_size=2, max_size=20) as pool:
        found = await asyncio.gather(*[pool.fetchval("select $1::int8", i) for i in range(300)])
    assert found == list(range(300))


async def test_two_hundred_at_once(server, client, db):
    table = await streams.make(client, db, ITEMS)
    rows = pa.table({"id": range(1000), "region": ["a"] * 1000, "price": [None] * 1000}, schema=ITEMS)
    await streams.append_table(table, rows)
    all_there = asyncio.Barrier(200)

    async def one(number):
        connection = await asyncpg.connect(**sql.place(server), database=db, timeout=PATIENCE_S)
        await all_there.wait()
        found = await connection.fetchval("select sum(id) from t where id < $1", number)
        await connection.close()
        return found

    found = await asyncio.gather(*[one(i) for i in range(200)])
    assert found == [sum(range(i)) if i else None for i in range(200)]


MILLIONS = pytest.param(10_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])


@pytest.mark.parametrize("least", [1, 3000, 250_000, MILLIONS])
async def test_many_rows(server, least):
    """All of them arrive, once, by a cursor of asyncpg and as a stream of psycopg. The load generator
    sends a batch more than it is told, to begin with."""
    per_batch = min(least, 10_000)
    words = ["--server", server.address, "--table", "big", "--keep", "--rows", per_batch]
    done = process.run("bench", "produce", *words, "--requests", least // per_batch, timeout=600)
    assert done.returncode == 0, done.stderr
    connection = await asyncpg.connect(**sql.place(server), database="bench")
    expected = await connection.fetchrow("select count(*), sum(id), sum(seq)::int8, min(id), max(id) from big")
    count = expected[0]
    assert least <= count <= least + per_batch
    seen, total = 0, 0
    async with connection.transaction():
        async for row in connection.cursor("select id, user_name from big", prefetch=5000):
            seen, total = seen + 1, total + row[0]
    await connection.close()
    assert (seen, total) == (count, expected[1])
    with sql.connect(server, "bench") as c:
        seqs = [seq for (seq,) in c.cursor(binary=True).stream("select seq from big")]
    assert (len(seqs), sum(seqs)) == (count, expected[2])


# ---- SQLAlchemy ----


@pytest.fixture
def engine(server, db):
    at = sql.place(server)
    engine = sa.create_engine(f"postgresql+psycopg://test@{at['host']}:{at['port']}/{db}")
    yield engine
    engine.dispose()


async def test_sqlalchemy_reflects(engine, keyed, client, db):
    data = types.table(10)
    await streams.make(client, db, data.schema, name="all_types")
    inspector = sa.inspect(engine)
    assert db in inspector.get_schema_names()
    assert set(inspector.get_table_names()) == {
        *("items", "items$changelog", "items$binlog"),
        *("all_types", "all_types$changelog"),
    }
    assert inspector.has_table("items") and not inspector.has_table("nothing")
    assert inspector.get_pk_constraint("items")["constrained_columns"] == ["region", "id"]
    assert inspector.get_foreign_keys("items") == [] and inspector.get_indexes("items") == []
    assert inspector.get_unique_constraints("items") == [] and inspector.get_check_constraints("items") == []
    kinds = {c["name"]: str(c["type"]) for c in inspector.get_columns("all_types")}
    assert (kinds["bigint"], kinds["double"], kinds["string"]) == ("BIGINT", "DOUBLE PRECISION", "TEXT")
    assert (kinds["array"], kinds["bytes"], kinds["row"]) == ("ARRAY", "BYTEA", "JSON")
    assert sa.Table("items", sa.MetaData(), autoload_with=engine).primary_key.columns.keys() == ["region", "id"]


def test_sqlalchemy_upserts(engine):
    """Its INSERT … ON CONFLICT, in one statement and in many."""
    upsert = sa.dialects.postgresql.insert
    table = sa.Table("stock", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text), sa.Column("n", sa.BigInteger))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.execute(sa.text("create table stock (id int primary key, name text, n bigint)"))
        whole = upsert(table)
        whole = whole.on_conflict_do_update(index_elements=["id"], set_={"name": whole.excluded.name, "n": whole.excluded.n})
        c.execute(whole, [{"id": i, "name": f"n{i}", "n": i} for i in range(100)])
        c.execute(whole, [{"id": i, "name": "again", "n": -i} for i in range(50, 120)])
        part = upsert(table).values([{"id": 1, "n": 7}, {"id": 200, "n": 8}])
        c.execute(part.on_conflict_do_update(constraint="stock_pkey", set_={"n": part.excluded.n}))
        rows = c.execute(sa.select(table).order_by(table.c.id)).all()
        assert rows[:3] == [(0, "n0", 0), (1, "n1", 7), (2, "n2", 2)]
        assert rows[49:51] == [(49, "n49", 49), (50, "again", -50)]
        assert rows[-2:] == [(119, "again", -119), (200, None, 8)] and len(rows) == 121
        for refused in (
            part.on_conflict_do_update(index_elements=["id"], set_={"n": table.c.n + part.excluded.n}),
            part.on_conflict_do_nothing(),
        ):
            with pytest.raises(sa.exc.NotSupportedError):
                c.execute(refused)
        c.execute(sa.text("create table first (id int primary key, name text) with ('table.merge-engine' = 'first_row')"))
        first = sa.Table("first", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
        for name in ("a", "b"):
            c.execute(upsert(first).values(id=1, name=name).on_conflict_do_nothing())
        assert c.execute(sa.select(first)).all() == [(1, "a")]


async def test_sqlalchemy_queries(engine, keyed):
    writer = keyed.new_upsert().create_writer()
    for i in range(100):
        writer.upsert({"id": i, "region": f"r{i % 3}", "price": Decimal(i)})
    await writer.flush()
    items = sa.Table("items", sa.MetaData(), autoload_with=engine)
    with engine.connect() as c:
        total = sa.select(sa.func.count(), sa.func.sum(items.c.price)).where(items.c.region == "r1")
        assert c.execute(total).one() == (33, Decimal(sum(range(1, 100, 3))))
        assert c.execute(sa.text("select price from items where id = :id and region = :r"), {"id": 4, "r": "r1"}).all() == [
            (Decimal("4.00"),)
        ]
        listed = sa.select(items.c.id).where(items.c.id.in_([3, 1, 2])).order_by(items.c.id.desc()).limit(2)
        assert c.scalars(listed).all() == [3, 2]
        assert c.scalar(sa.select(sa.func.count()).where(items.c.region.regexp_match("^r[12]"))) == 66
    with pytest.raises(sa.exc.ProgrammingError), engine.connect() as c:
        c.execute(sa.text("select * from missing"))


# ---- Grafana, Metabase, DBeaver: what they send themselves, by their sources of 2026 ----

PLACES = """quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
  FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
    array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
  string_to_array(current_setting('search_path'),',') s)"""
GRAFANA = [
    ("SELECT 1", [(1,)]),
    ("SELECT current_setting('server_version_num')::int/100 as version", [(1400,)]),
    ("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'", []),
    (
        f"""SELECT CASE WHEN {PLACES} THEN quote_ident(table_name)
        ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
        FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog')
        ORDER BY CASE WHEN {PLACES} THEN 0 ELSE 1 END, 1""",
        [("items",), ("items$binlog",), ("items$changelog",)],
    ),
    (
        f"""SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
        WHERE CASE WHEN array_length(parse_ident('items'),1) = 2
          THEN quote_ident(table_schema) = (parse_ident('items'))[1] AND quote_ident(table_name) = (parse_ident('items'))[2]
          ELSE quote_ident(table_name) = 'items' AND {PLACES} END ORDER BY ordinal_position""",
        [("id", "integer"), ("region", "text"), ("price", "numeric")],
    ),
    (
        """SELECT quote_ident(table_name) AS "table" FROM information_schema.tables
        WHERE quote_ident(table_schema) = current_schema() ORDER BY 1""",
        [("items",), ("items$binlog",), ("items$changelog",)],
    ),
    (
        """SELECT floor(extract(epoch from seen)/60)*60 AS "time", sum(n) FROM (VALUES
        (TIMESTAMPTZ '2026-01-01 00:00:30Z', 1), (TIMESTAMPTZ '2026-01-01 00:00:40Z', 2)) t(seen, n)
        WHERE seen BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T00:00:00Z' GROUP BY 1 ORDER BY 1""",
        [(1767225600.0, 3)],
    ),
]


GRAFANA_SCHEMAS = """SELECT schema_name AS "name" FROM information_schema.schemata
  WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast') ORDER BY schema_name"""
PANEL = "seen BETWEEN '2026-01-05T10:00:00Z' AND '2026-01-05T10:10:00.5Z'"  # $__timeFilter(seen)
PANELS = [  # and $__time, $__timeGroupAlias, $__timeEpoch, $__unixEpochFilter with $__unixEpochGroup
    (f'SELECT seen AS "time", v AS "value", k AS metric FROM events WHERE {PANEL} ORDER BY 1', 4),
    (f'SELECT floor(extract(epoch from seen)/300)*300 AS "time", k AS metric, avg(v) FROM events WHERE {PANEL} GROUP BY 1, k', 3),
    (f"SELECT extract(epoch from seen) as \"time\", k as text, 'a,b' as tags FROM events WHERE {PANEL}", 4),
    ('SELECT floor((v)/2)*2 AS "time", count(*) FROM events WHERE v >= 1 AND v <= 4 GROUP BY 1 ORDER BY 1', 3),
    ("SELECT DISTINCT k AS __text, k AS __value FROM events ORDER BY 1", 2),
]


async def test_grafana(server, db, keyed):
    with sql.connect(server, db) as c:
        for query, expected in GRAFANA:
            assert sql.rows(c, query) == expected, query
        assert (db,) in sql.rows(c, GRAFANA_SCHEMAS)
        for kind in ("timestamptz", "timestamp"):
            c.execute(f"create table events (seen {kind}, k text, v bigint)")
            for minute, k, v in ((0, "a", 1), (2, "b", 2), (4, "a", 3), (6, "a", 4), (30, "b", 9)):
                c.execute("insert into events values (%s, %s, %s)", (datetime(2026, 1, 5, 10, minute, tzinfo=UTC), k, v))
            for query, count in PANELS:
                assert len(sql.rows(c, query)) == count, (kind, query)
            c.execute("drop table events")


METABASE_TABLES = """SELECT n.nspname AS schema, c.relname AS name, CASE c.relkind WHEN 'r' THEN 'TABLE'
  WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END AS type, d.description AS description,
  stat.n_live_tup AS estimated_row_count FROM pg_catalog.pg_class AS c
  INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid
  LEFT JOIN pg_catalog.pg_description AS d ON (c.oid = d.objoid) AND (d.objsubid = 0)
    AND (d.classoid = 'pg_class'::regclass)
  LEFT JOIN pg_stat_user_tables AS stat ON (n.nspname = stat.schemaname) AND (c.relname = stat.relname)
  WHERE (c.relnamespace = n.oid) AND (n.nspname !~ '^pg_') AND (n.nspname <> 'information_schema')
    AND c.relkind in ('r', 'p', 'v', 'f', 'm') AND (n.nspname IN (%s)) ORDER BY type, schema, name"""
METABASE_FIELDS = """SELECT c.column_name AS name, CASE WHEN c.udt_schema IN ('public', 'pg_catalog')
  THEN FORMAT('%%s', c.udt_name) ELSE FORMAT('"%%s"."%%s"', c.udt_schema, c.udt_name) END AS "database-type",
  c.ordinal_position - 1 AS "database-position", pk.column_name IS NOT NULL AS "pk?",
  COL_DESCRIPTION(CAST(CAST(FORMAT('%%I.%%I', CAST(c.table_schema AS TEXT), CAST(c.table_name AS TEXT)) AS REGCLASS)
    AS OID), c.ordinal_position) AS "field-comment",
  ((column_default IS NULL) OR (LOWER(column_default) = 'null')) AND (is_nullable = 'NO') AS "database-required"
  FROM information_schema.columns AS c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name
    FROM information_schema.table_constraints AS tc INNER JOIN information_schema.key_column_usage AS kc
    ON (tc.constraint_name = kc.constraint_name) AND (tc.table_schema = kc.table_schema)
      AND (tc.table_name = kc.table_name) WHERE tc.constraint_type = 'PRIMARY KEY') AS pk
  ON (c.table_schema = pk.table_schema) AND (c.table_name = pk.table_name) AND (c.column_name = pk.column_name)
  WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND (c.table_name IN (%s))
  ORDER BY c.table_schema, c.table_name, 3"""
METABASE_VIEWS = """SELECT pa.attname AS name, CASE WHEN ptn.nspname IN ('public', 'pg_catalog')
  THEN FORMAT('%%s', pt.typname) ELSE FORMAT('"%%s"."%%s"', ptn.nspname, pt.typname) END AS "database-type",
  pa.attnum - 1 AS "database-position", FALSE AS "pk?", NULL AS "field-comment", FALSE AS "database-required"
  FROM pg_catalog.pg_class AS pc INNER JOIN pg_catalog.pg_namespace AS pn ON pn.oid = pc.relnamespace
  INNER JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = pc.oid INNER JOIN pg_catalog.pg_type AS pt
  ON pt.oid = pa.atttypid INNER JOIN pg_catalog.pg_namespace AS ptn ON ptn.oid = pt.typnamespace
  WHERE (pc.relkind = 'm') AND (pa.attnum >= 1) AND (pc.relname IN (%s))"""
NAME = """'"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"'"""
METABASE_RIGHTS = f"""with table_privileges as (select NULL as role, t.schemaname as schema, t.objectname as table,
    pg_catalog.has_any_column_privilege(current_user, {NAME}, 'update') as update,
    pg_catalog.has_any_column_privilege(current_user, {NAME}, 'select') as select,
    pg_catalog.has_any_column_privilege(current_user, {NAME}, 'insert') as insert,
    pg_catalog.has_table_privilege(current_user, {NAME}, 'delete') as delete
  from (select schemaname, tablename as objectname from pg_catalog.pg_tables
    union select schemaname, viewname as objectname from pg_catalog.pg_views
    union select schemaname, matviewname as objectname from pg_catalog.pg_matviews) t
  where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema'
    and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage'))
select t.* from table_privileges t where schema = %s and "table" = 'items'"""
METABASE_KEYS = """SELECT fk_ns.nspname, fk_table.relname, fk_column.attname FROM pg_constraint AS c
  INNER JOIN pg_class AS fk_table ON c.conrelid = fk_table.oid
  INNER JOIN pg_namespace AS fk_ns ON c.connamespace = fk_ns.oid
  INNER JOIN pg_attribute AS fk_column ON c.conrelid = fk_column.attrelid
  INNER JOIN pg_class AS pk_table ON c.confrelid = pk_table.oid
  INNER JOIN pg_attribute AS pk_column ON c.confrelid = pk_column.attrelid
  WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND (c.contype = 'f'::char)
    AND (fk_column.attnum = ANY(c.conkey)) AND (pk_column.attnum = ANY(c.confkey))"""


async def test_metabase(server, db, keyed):
    with sql.connect(server, db) as c:
        assert sql.rows(c, METABASE_TABLES, [db]) == [
            (db, "items", "TABLE", None, None),
            (db, "items$binlog", "TABLE", None, None),
            (db, "items$changelog", "TABLE", None, None),
        ]
        assert [row[:4] for row in sql.rows(c, METABASE_FIELDS, ["items"])] == [
            ("id", "int4", 0, True),
            ("region", "text", 1, True),
            ("price", "numeric", 2, False),
        ]
        fields = METABASE_FIELDS.split("ORDER BY")[0]
        unions = sql.rows(c, f"{fields} UNION ALL {METABASE_VIEWS} ORDER BY 3", ["items", "items"])
        assert unions == sql.rows(c, METABASE_FIELDS, ["items"])
        assert sql.rows(c, METABASE_RIGHTS, [db]) == [(None, db, "items", True, True, True, True)]
        assert sql.rows(c, METABASE_KEYS) == []
        assert sql.one(c, "show timezone;") == "UTC"
        enums = "SELECT nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
        assert sql.rows(c, enums + "WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum e)") == []


DBEAVER = [
    "SELECT current_schema(),session_user",
    "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datname='eider'",
    "select * from pg_catalog.pg_settings where name='standard_conforming_strings'",
    "select string_agg(word, ',') from pg_catalog.pg_get_keywords() where word <> ALL ('{a,abs}'::text[])",
    "SELECT version()",
    "SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d"
    " ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname",
    "SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description"
    " FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem"
    " LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d"
    " ON t.oid=d.objoid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c')"
    " AND (et.typcategory IS NULL OR et.typcategory <> 'C')",
    "SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr,"
    " pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c"
    " LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass"
    " WHERE c.relnamespace={schema} AND c.relkind not in ('i','I','c')",
    "SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid"
    " FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid)"
    " LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)"
    " LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)"
    " LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum"
    " and dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.oid={table} ORDER BY a.attnum",
    "SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description"
    " FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid"
    " LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d"
    " ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass WHERE c.conrelid={table} ORDER BY c.oid",
    "SELECT i.*,i.indkey as keys,c.relname,c.relnamespace,c.relam,c.reltablespace,tc.relname as tabrelname,"
    " dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,"
    " pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr, pg_catalog.pg_relation_size(i.indexrelid) as index_rel_size"
    " FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid"
    " INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc"
    " ON i.indexrelid=dsc.objoid WHERE i.indrelid={table} ORDER BY tabrelname, c.relname",
    "SELECT e.oid, a.rolname oname, n.nspname schema_name, e.* FROM pg_extension e"
    " JOIN pg_authid a ON a.oid = e.extowner JOIN pg_namespace n ON n.oid = e.extnamespace",
    "SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a"
    " left join pg_catalog.pg_shdescription pd on a.oid = pd.objoid ORDER BY a.rolname",
    "SELECT * FROM pg_catalog.pg_policies WHERE schemaname='{db}' AND tablename='items'",
    "SELECT x.oid,x.*,p.pronamespace as func_schema_id,d.description FROM pg_catalog.pg_trigger x"
    " INNER JOIN pg_catalog.pg_proc p ON p.oid=x.tgfoid LEFT OUTER JOIN pg_catalog.pg_description d"
    " ON d.objoid=x.oid WHERE x.tgrelid={table} AND NOT x.tgisinternal",
    "SELECT i.*,c.relnamespace FROM pg_catalog.pg_inherits i,pg_catalog.pg_class c"
    " WHERE i.inhrelid={table} AND c.oid=i.inhparent ORDER BY i.inhseqno",
    "SELECT l.oid,l.*,p.pronamespace as handler_schema_id FROM pg_catalog.pg_foreign_data_wrapper l"
    " LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid=l.fdwhandler",
    "select c.oid,pg_catalog.pg_total_relation_size(c.oid) as total_rel_size,"
    "pg_catalog.pg_relation_size(c.oid) as rel_size FROM pg_class c WHERE c.relnamespace={schema}",
    "SELECT t.oid,t.*,pg_tablespace_location(t.oid) loc FROM pg_catalog.pg_tablespace t ORDER BY t.oid",
    'SET search_path = "$user","{db}"',
    "SHOW search_path",
]


async def test_dbeaver(server, db, keyed):
    with sql.connect(server, db) as c:
        places = {
            "db": db,
            "schema": sql.one(c, "select oid from pg_catalog.pg_namespace where nspname = %s", [db]),
            "table": sql.one(c, "select 'items'::regclass::oid"),
        }
        for query in DBEAVER:
            for name, value in places.items():
                query = query.replace("{" + name + "}", str(value))
            c.execute(query)
        keys = c.execute(f"select conname, contype, conkey from pg_constraint where conrelid = {places['table']}")
        assert keys.fetchall() == [("items_pkey", "p", [2, 1])]


# ---- names ----


async def test_names(server, client, db):
    columns = pa.schema([("Amount", pa.int32()), ("select", pa.int32()), ("with space", pa.int32())])
    table = await streams.make(client, db, columns, name="Orders")
    await streams.append_table(table, pa.table([[1], [2], [3]], schema=columns))
    with sql.connect(server, db) as c:
        assert sql.rows(c, 'select "Amount", "select", "with space" from "Orders"') == [(1, 2, 3)]
        assert sql.rows(c, "select amount, AMOUNT from orders") == [(1, 1)]
        assert [d.name for d in c.execute('select * from "Orders"').description] == ["Amount", "select", "with space"]
        assert sql.one(c, """select '"Orders"'::regclass = oid from pg_class where relname = 'Orders'""") is True
        with pytest.raises(psycopg.errors.UndefinedColumn):
            sql.rows(c, 'select "Amount " from "Orders"')
