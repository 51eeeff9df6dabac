"""Binary COPY with psycopg and asyncpg, whose bytes are those of PostgreSQL."""

import struct
from datetime import date, datetime, time, timezone
from decimal import Decimal

import asyncpg
import psycopg
import pytest
from harness import sql

pytestmark = pytest.mark.sql_server

UTC = timezone.utc
TYPES = {
    "a": ("int", "int4"), "b": ("text", "text"), "c": ("decimal(20, 2)", "numeric"), "d": ("bytea", "bytea"),
    "e": ("int[]", "int4[]"), "f": ("timestamp", "timestamp"), "g": ("boolean", "bool"), "h": ("date", "date"),
    "i": ("bigint", "int8"), "j": ("smallint", "int2"), "k": ("tinyint", "int2"), "l": ("float", "float4"),
    "m": ("double", "float8"), "n": ("time", "time"), "o": ("timestamptz", "timestamptz"), "p": ("text[]", "text[]"),
    "q": ("timestamp[]", "timestamp[]"), "r": ("decimal(9, 3)[]", "numeric[]"),
}  # fmt: skip
COLUMNS = ", ".join(f"{name} {types[0]}" for name, types in TYPES.items())
ROWS = [
    (1, "tab\t \u00e4\U0001f600 {\"'", Decimal("-123456789012345678.90"), b"\x00\xff\\", [1, None, -3],
     datetime(2026, 1, 2, 3, 4, 5, 678901), True, date(1969, 1, 1), -(2**63), -32768, -128, 0.5, 1e-300, time(23, 59, 59, 999000),
     datetime(2026, 1, 2, tzinfo=UTC), ["a,b", None, "", '"\\'], [datetime(1999, 12, 31)], [Decimal("0.001"), None]),
    (2,) + (None,) * 17,
    (3, "", Decimal("0.00"), b"", [], datetime(1, 1, 2), False, date(9999, 12, 30), 2**63 - 1, 32767, 127, float("inf"),
     float("-inf"), time(0), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), [], [], []),
]  # fmt: skip


def copy_in(session, data, step=None, statement="copy t from stdin (format binary)"):
    with session.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for at in range(0, len(data), step or max(1, len(data))):
                copy.write(data[at : at + (step or len(data))])
        return cursor.statusmessage


def test_rows_of_psycopg(session):
    session.execute(f"create table t ({COLUMNS}); create table u ({COLUMNS})")
    with session.cursor() as cursor:
        with cursor.copy("copy t from stdin with (format binary)") as copy:
            copy.set_types([types[1] for types in TYPES.values()])
            for row in ROWS:
                copy.write_row(row)
        assert cursor.statusmessage == "COPY 3"
        assert sql.rows(session, "select * from t order by a") == ROWS
        with cursor.copy("copy (select * from t order by a) to stdout (format binary)") as copy:
            copy.set_types([types[1] for types in TYPES.values()])
            assert list(copy.rows()) == ROWS
        with cursor.copy("copy (select 1 where false) to stdout (format binary)") as copy:
            assert b"".join(bytes(block) for block in copy) == header() + END
        with cursor.copy("copy t to stdout binary") as copy:
            data = b"".join(bytes(block) for block in copy)
    for step in (1, 7, None):
        assert copy_in(session, data, step, "copy u from stdin binary") == "COPY 3"
    assert sql.rows(session, "select * from u order by a") == [row for row in ROWS for _ in range(3)]


async def test_records_of_asyncpg(server, db):
    at = sql.place(server)
    connection = await asyncpg.connect(host=at["host"], port=at["port"], user="test", database=db)
    try:
        await connection.execute(f"create table t ({COLUMNS})")
        assert await connection.copy_records_to_table("t", records=ROWS) == "COPY 3"
        rows = await connection.fetch("select * from t order by a")
        assert [tuple(row) for row in rows] == ROWS
        many = [(n, f"row {n}") for n in range(10, 20010)]
        assert await connection.copy_records_to_table("t", records=many, columns=["a", "b"]) == "COPY 20000"
        blocks = []

        async def take(block):
            blocks.append(block)

        query = "select a, b from t where a >= 10 order by a"
        assert await connection.copy_from_query(query, output=take, format="binary") == "COPY 20000"
        data = b"".join(blocks)
        assert data.startswith(b"PGCOPY\n\xff\r\n\0") and data.endswith(b"\xff\xff") and len(data) > 20000 * 18
    finally:
        await connection.close()


def header(flags=0, more=b""):
    return b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", flags, len(more)) + more


def row(*values):
    out = struct.pack(">h", len(values))
    for value in values:
        out += b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value
    return out


END = b"\xff\xff"
ERRORS = [
    (b"\0", "22P04", "end before"),
    (b"1\tx\n" * 10, "22P04", "begin"),
    (header(1 << 16) + END, "22P04", "flags"),
    (header() + row(b"\0\0\0\1"), "22P04", "row 1: it has 1 fields, expected 2"),
    (header() + row(b"\0\0\0\1", b"x"), "22P04", "end"),
    (header() + row(b"\0\0\0\1", b"x") + row(b"\0\0\1", b"x") + END, "22P03", "row 2"),
    (header() + row(b"\0\0\0\1", b"\xff") + END, "22021", "row 1"),
    (header() + row(b"\0\0\0\1", b"a\0") + END, "22021", "row 1"),
    (header() + struct.pack(">hi", 2, -7) + END, "22P04", "length"),
    (header() + row(None, b"x") + END, "23502", '"a"'),
    (header() + row(b"\0\0\0\1", b"x") + END + b"more", "22P04", "behind"),
]


@pytest.mark.parametrize("data, state, words", ERRORS)
def test_data_that_are_wrong(session, data, state, words):
    session.execute("create table t (a int not null, b text)")
    with pytest.raises(psycopg.Error) as caught:
        copy_in(session, data)
    assert caught.value.sqlstate == state and words in str(caught.value), caught.value
    assert "0 rows" in caught.value.diag.message_hint
    assert sql.one(session, "select count(*) from t") == 0
    assert copy_in(session, header(0xFFFF, b"more") + row(b"\0\0\0\7", None) + END) == "COPY 1"
    assert sql.rows(session, "select * from t") == [(7, None)]
