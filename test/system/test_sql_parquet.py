"""Parquet files of other writers into tables: COPY of psql and psycopg, `eider produce`."""

import decimal
import io
import random
import struct
import subprocess
from datetime import date, datetime, time, timezone

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from harness import process, sql
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server

UTC = timezone.utc
COLUMNS = """a int, b text, c decimal(9, 2), d bytea, e int[], f timestamp, g boolean, h date, i bigint, j smallint,
             k tinyint, l float, m double, n time, o timestamptz, p struct(x int, y text), q map<text, int>, r decimal(30, 5),
             s struct(x int)[], t text[]"""
SCHEMA = pa.schema(
    [
        ("a", pa.int32()), ("b", pa.string()), ("c", pa.decimal128(9, 2)), ("d", pa.binary()), ("e", pa.list_(pa.int32())),
        ("f", pa.timestamp("us")), ("g", pa.bool_()), ("h", pa.date32()), ("i", pa.int64()), ("j", pa.int16()), ("k", pa.int8()),
        ("l", pa.float32()), ("m", pa.float64()), ("n", pa.time32("ms")), ("o", pa.timestamp("us", tz="UTC")),
        ("p", pa.struct([("x", pa.int32()), ("y", pa.string())])), ("q", pa.map_(pa.string(), pa.int32())),
        ("r", pa.decimal128(30, 5)), ("s", pa.list_(pa.struct([("x", pa.int32())]))), ("t", pa.list_(pa.string())),
    ]
)
ROWS = [
    {"a": 1, "b": "tab\t, \"q\" \\ \u00e4\U0001f600", "c": decimal.Decimal("-1.50"), "d": b"\x00\xff", "e": [1, None, -3],
     "f": datetime(2026, 1, 2, 3, 4, 5, 678901), "g": True, "h": date(1969, 1, 1), "i": -(2**63), "j": -32768, "k": -128,
     "l": 0.5, "m": 1e300, "n": time(23, 59, 59, 999000), "o": datetime(2026, 1, 2, tzinfo=UTC), "p": {"x": 1, "y": None},
     "q": [("k", 1), ("l", None)], "r": decimal.Decimal("12345678901234567890.12345"), "s": [{"x": 1}, {"x": None}], "t": ["a", None, ""]},
    {name: None for name in SCHEMA.names} | {"a": 2},
    {name: None for name in SCHEMA.names} | {"a": 3, "b": "", "d": b"", "e": [], "q": [], "g": False, "s": [], "t": []},
]  # fmt: skip


def parquet(rows=ROWS, schema=SCHEMA, **options):
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), out, **options)
    return out.getvalue()


def copy(session, data, target="t", step=65536):
    with session.cursor() as cursor:
        with cursor.copy(f"copy {target} from stdin (format parquet)") as c:
            for at in range(0, len(data), step):
                c.write(data[at : at + step])
        return cursor.statusmessage


def check(session, table="t"):
    rows = sql.rows(session, f"select * from {table} order by a")
    first = dict(zip(SCHEMA.names, rows[0], strict=True))
    expected = ROWS[0] | {"q": {"k": 1, "l": None}}
    assert first == expected
    assert rows[1] == (2,) + (None,) * (len(SCHEMA.names) - 1)
    assert rows[2][1] == "" and rows[2][3] == b"" and rows[2][4] == [] and rows[2][18] == [] and rows[2][19] == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "data_page_version": "2.0", "row_group_size": 1},
        {"compression": "none", "use_dictionary": False, "version": "1.0"},
        {"compression": "gzip", "write_page_index": True},
        {"compression": "brotli", "use_deprecated_int96_timestamps": True},
        {"compression": "lz4", "write_statistics": False},
    ],
)
def test_all_types(session, options):
    session.execute(f"create table t ({COLUMNS})")
    assert copy(session, parquet(**options), step=1000) == "COPY 3"
    check(session)


def test_psql_and_produce(server, db, tmp_path):
    file = tmp_path / "in.parquet"
    file.write_bytes(parquet())
    sql.psql(
        server,
        f"create table t ({COLUMNS})",
        f"create table u ({COLUMNS})",
        f"\\copy t from '{file}' with (format parquet)",
        database=db,
    )
    with open(file, "rb") as data:
        done = subprocess.run(
            [str(process.binary()), "produce", f"{db}.u", "--server", server.info["postgres"]],
            stdin=data, capture_output=True, text=True, timeout=PATIENCE_S, env=process.environment(),
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "3 rows written\n")
    with sql.connect(server, db) as session:
        check(session)
        check(session, "u")


def test_columns_go_by_their_names(session):
    session.execute("create table t (id int primary key, v text, w bigint)")
    session.execute("insert into t values (1, 'old', 1), (2, 'old', 2)")
    schema = pa.schema([("W", pa.uint16()), ("id", pa.string())])
    assert copy(session, parquet([{"W": 10, "id": "1"}, {"W": 30, "id": "3"}], schema)) == "COPY 2"
    assert sql.rows(session, "select * from t order by id") == [(1, "old", 10), (2, "old", 2), (3, None, 30)]
    more = parquet([{"other": 1, "id": 4}], pa.schema([("other", pa.int32()), ("id", pa.int64())]))
    assert copy(session, more, "t (id)") == "COPY 1"
    for target, data, state, words in (
        ("t", more, "42703", '"other"'),
        ("t (id, v)", more, "42703", '"v"'),
        ("t", parquet([{"id": "x"}], pa.schema([("id", pa.string())])), "22P02", "'x'"),
        ("t", parquet([{"v": "x"}], pa.schema([("v", pa.string())])), None, "id"),
        ("t", parquet([{"id": None}], pa.schema([("id", pa.int32())])), "23502", '"id"'),
        ("t", parquet([{"id": 2**40}], pa.schema([("id", pa.int64())])), "22P02", "1099511627776"),
        ("t", b"", "22P04", "no whole file"),
        ("t", parquet()[:-1], "22P04", "no whole file"),
        ("t", b"id\n1\n", "22P04", "no whole file"),
    ):
        with pytest.raises(psycopg.Error) as caught:
            copy(session, data, target)
        assert state is None or caught.value.sqlstate == state, caught.value
        assert words in str(caught.value) and "/proc" not in str(caught.value) and "read_parquet" not in str(caught.value)
    assert sql.one(session, "select count(*) from t") == 4


def test_a_large_file(session):
    session.execute("create table t (a bigint, b text) with ('bucket.num' = '2')")
    table = pa.table({"a": range(1_000_000), "b": [f"row {n % 1000} of many" for n in range(1_000_000)]})
    out = io.BytesIO()
    pq.write_table(table, out, compression="none", use_dictionary=False)
    assert copy(session, out.getvalue(), step=1 << 20) == "COPY 1000000"
    assert sql.rows(session, "select count(*), sum(a), max(b) from t") == [(1_000_000, 499999500000, "row 999 of many")]


def test_the_spool_is_limited(launch):
    small = launch(options=sql.OPTIONS | {"eider.sql.spool": "64kb"})
    with sql.connect(small) as session:
        session.execute("create table t (a bigint)")
        one = parquet([{"a": 1}], pa.schema([("a", pa.int64())]))
        for _ in range(3):
            with pytest.raises(psycopg.Error) as caught:
                copy(session, bytes(65537))
            assert caught.value.sqlstate == "53100"
            assert copy(session, one) == "COPY 1"
        with pytest.raises(ZeroDivisionError), session.cursor() as cursor, cursor.copy("copy t from stdin (format parquet)") as c:
            c.write(bytes(60000))
            raise ZeroDivisionError
        assert copy(session, one) == "COPY 1"
        assert sql.one(session, "select count(*) from t") == 4


def sent(session, statement):
    with session.cursor() as cursor, cursor.copy(statement) as c:
        return b"".join(bytes(part) for part in c)


def test_files_are_sent(server, session, db, tmp_path):
    """The same rows to pyarrow, DuckDB and pyarrow's own file of them."""
    session.execute(f"create table t ({COLUMNS})")
    copy(session, parquet())
    data = sent(session, "copy (select * from t order by a) to stdout (format parquet)")
    found, expected = pq.read_table(io.BytesIO(data)), pq.read_table(io.BytesIO(parquet()))
    assert found.column_names == SCHEMA.names
    for name in SCHEMA.names:
        kind = SCHEMA.field(name).type if name != "n" else pa.time64("us")
        assert found[name].to_pylist() == expected[name].to_pylist(), name
        assert found.schema.field(name).type == kind or pa.types.is_nested(kind), name
    (tmp_path / "x.parquet").write_bytes(data)
    plain = [name for name in SCHEMA.names if name not in "opqs"]
    with duckdb.connect() as other:
        rows = other.execute(f"select {', '.join(plain)} from '{tmp_path}/x.parquet' order by a").fetchall()
    assert rows == [tuple(r[name] for name in plain) for r in ROWS]
    session.execute("create table u (a int, b text)")
    assert copy(session, sent(session, "copy t (b, a) to stdout (format parquet)"), "u") == "COPY 3"
    assert sql.rows(session, "select a, b from u order by a") == [(r["a"], r["b"]) for r in ROWS]


def test_clients_write_files(server, session, db, tmp_path):
    session.execute("create table t (a int primary key, b text)")
    session.execute("insert into t select i, 'text ' || i from range(200000) r(i)")
    statement = "copy (select * from t order by a) to stdout (format parquet)"
    output = sql.psql(server, f"\\copy (select * from t order by a) to '{tmp_path}/p.parquet' with (format parquet)", database=db)
    assert output == "COPY 200000\n"
    place = sql.place(server)
    command = [str(process.binary()), "sql", "--server", f"{place['host']}:{place['port']}", "-d", db, "-c", statement]
    with open(tmp_path / "e.parquet", "wb") as file:
        subprocess.run(command, stdout=file, check=True, timeout=PATIENCE_S, env=process.environment())
    assert (tmp_path / "e.parquet").read_bytes() == (tmp_path / "p.parquet").read_bytes()
    found = pq.read_table(tmp_path / "e.parquet")
    assert found["a"].to_pylist() == list(range(200000))
    assert found["b"][199999].as_py() == "text 199999"


def test_a_file_that_is_too_large_is_not_sent(launch):
    server = launch(options={**sql.OPTIONS, "eider.sql.spool": "1mb"})
    with sql.connect(server) as session:
        query = "select md5(i::text) from range(%d) r(i)"
        for _ in range(3):
            with pytest.raises(psycopg.errors.DiskFull):
                sent(session, f"copy ({query % 1000000}) to stdout (format parquet)")
            assert len(sent(session, f"copy ({query % 10000}) to stdout (format parquet)")) > 300000


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def mutated(data, r):
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 5])):
        at = r.randrange(4, len(data) - 8)
        if r.random() < 0.5:
            at = max(4, len(data) - 8 - r.randrange(1, 2000))
        what = r.randrange(5)
        if what == 0:
            data[at] = r.randrange(256)
        elif what == 1:
            data[at] ^= 1 << r.randrange(8)
        elif what == 2:
            data[at : at + 5] = b"\xff\xff\xff\xff\x07"
        elif what == 3:
            data[at : at + 1] = b"\xfe\xff\xff\xff\x0f"
        else:
            data[at : at + 1] = r.randbytes(r.randrange(4))
    return bytes(data)


def test_files_that_are_damaged(session, server):
    session.execute(f"create table t ({COLUMNS})")
    r = random.Random(7)
    for number in range(150):
        data = parquet(ROWS * 20, compression=r.choice(["none", "snappy", "zstd"]), use_dictionary=number % 2 == 0)
        try:
            copy(session, mutated(data, r))
        except psycopg.Error as e:
            assert not session.closed, e
            assert e.sqlstate != "XX000", e
    assert copy(session, parquet(), "t (a)") == "COPY 3"
    assert server.process.poll() is None


@pytest.mark.parametrize("count", [10**6, 10**7, 2**28, 2**31 - 1])
def test_footers_that_promise_too_much(session, server, count):
    """DuckDB makes room for what a footer says before it looks: it must not get to see these."""
    session.execute("create table t (a int)")
    data = parquet([{"a": 1}], pa.schema([("a", pa.int32())]))
    (size,) = struct.unpack("<I", data[-8:-4])
    body, footer = data[: -8 - size], data[-8 - size : -8]
    assert footer[2] == 0x19  # the list of the schema
    footer = footer[:3] + b"\xfc" + varint(count) + footer[4:]
    for pad in (0, count if count <= 10**7 else 0):
        whole = body + footer + bytes(pad) + struct.pack("<I", len(footer) + pad) + b"PAR1"
        with pytest.raises(psycopg.Error) as caught:
            copy(session, whole)
        assert caught.value.sqlstate == "22P04" and "footer" in str(caught.value)
    assert copy(session, data) == "COPY 1"
