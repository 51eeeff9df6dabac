"""`eider produce` as a program: files of JSON lines and CSV into tables, read by SQL."""

import json
import subprocess

import pytest
from harness import process, sql
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
COLUMNS = """id bigint, name varchar, day date, at timestamp, price decimal(30, 6), f double, ok boolean, raw blob,
             tags varchar[], place struct(a int, b varchar)"""
ROWS = [
    {"id": 1, "name": 'it\'s "q", \\ ä', "day": "2026-11-21", "at": "2026-11-21 10:00:00.123456", "price": "12.500001",
     "f": 1e300, "ok": True, "raw": "\\x00\\xff", "tags": ["a", None, "b'\""], "place": {"a": 1, "b": None}},
    {"id": 2},
    {"name": "", "f": "NaN", "ok": None, "id": "3"},
]


def produce(server, table, text, *words, code=0):
    command = [str(process.binary()), "produce", table, "--server", server.info["postgres"], *words]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE_S, env=process.environment())
    assert done.returncode == code, done.stderr
    return done.stderr


def read(server, columns="*", table="t"):
    with sql.connect(server) as c:
        return sql.rows(c, f"select {columns} from {table} order by id")


@pytest.fixture
def table(server):
    with sql.connect(server) as c:
        c.execute(f"create table t ({COLUMNS})")


def check(rows):
    assert [r[0] for r in rows] == [1, 2, 3]
    first = rows[0]
    assert first[1] == ROWS[0]["name"] and str(first[2]) == "2026-11-21" and first[3].microsecond == 123456
    assert str(first[4]) == "12.500001" and first[5] == 1e300 and first[6] is True and first[7] == b"\x00\xff"
    assert first[8] == ["a", None, "b'\""] and first[9] == {"a": 1, "b": None}
    assert set(rows[1][1:]) == {None}
    assert rows[2][1] == "" and rows[2][5] != rows[2][5] and rows[2][6] is None


def test_json_lines(server, table):
    text = "\n\n".join(json.dumps(row) for row in ROWS)
    assert "3 rows written" in produce(server, "fluss.t", text)
    check(read(server))


def test_csv(server, table):
    text = (
        "id,name,day,at,price,f,ok,raw,tags,place\r\n"
        '1,"it\'s ""q"", \\ ä",2026-11-21,2026-11-21 10:00:00.123456,12.500001,1e300,true,\\x00\\xff,'
        '"[""a"",null,""b\'\\""""]","{""a"":1,""b"":null}"\r\n'
        "2,,,,,,,,,\n"
        '3,"",,,,NaN,,,,'
    )
    assert "3 rows written" in produce(server, "fluss.t", text, "--format", "csv")
    check(read(server))
    assert "1 rows written" in produce(server, "fluss.t", 'name,id\n"two\nlines",4\n', "--format=csv")
    assert read(server, "name")[3] == ("two\nlines",)


def test_many_rows(server):
    with sql.connect(server) as c:
        c.execute("create table k (id bigint primary key, name varchar)")
    text = "".join(f'{{"id":{i % 9000},"name":"n{i}"}}\n' for i in range(10000))
    assert "10000 rows written" in produce(server, "fluss.k", text)
    rows = read(server, "id, name", "k")
    assert len(rows) == 9000 and rows[0] == (0, "n9000") and rows[8999] == (8999, "n8999")


def test_what_does_not_fit_is_told(server, table):
    for text, words, told in (
        ('{"id":1}\n{"id":"x"}', [], "lines 1 to 2: 22P02"),
        ('{"id":1}\n{"it":2}', [], 'line 2: '),
        ("[1]", [], "expected an object"),
        ('{"id":', [], "line 1"),
        ("id,it\n1,2\n", ["--format=csv"], 'no column "it"'),
        ("id,name\n1\n", ["--format=csv"], "found 1 columns, expected 2"),
        ('id\n"1', ["--format=csv"], "a quote is open"),
        ("", ["--format=csv"], "no header"),
    ):
        assert told in (said := produce(server, "fluss.t", text, *words, code=1)), said
        assert "\n0 rows written" in said
    assert read(server) == []
    produce(server, "fluss.nothing", "{}", code=1)
    produce(server, "nothing", "{}", code=2)
    assert process.run("produce", "a.b", "--server", "127.0.0.1:1").returncode == 2
