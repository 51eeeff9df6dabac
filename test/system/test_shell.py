"""`eider sql` as a program: what it prints, how it ends."""

import csv
import datetime
import decimal
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyarrow as pa
import pytest
from harness import process, sql, streams
from harness.patience import PATIENCE_S

pytestmark = pytest.mark.sql_server
LONG = "select count(*) from range(100000000) a(x), range(100000) b(y) where x + y = 7"
TYPES = pa.schema([("id", pa.int64()), ("name", pa.string()), ("tags", pa.list_(pa.string()))])


def command(server, *words):
    return [str(process.binary()), "sql", "--server", server.info["postgres"], *words]


def shell(server, *words, text=None, code=0):
    done = subprocess.run(
        command(server, *words), input=text, capture_output=True, text=True, timeout=PATIENCE_S, env=process.environment()
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
async def table(client, db):
    made = await streams.make(client, db, TYPES)
    rows = pa.table(
        {"id": range(3000), "name": [f"n,{i}" if i % 3 else None for i in range(3000)], "tags": [["a", 'b"']] * 3000},
        schema=TYPES,
    )
    await streams.append_table(made, rows)
    return made


async def test_results_are_read_by_others(server, db, table):
    query = "select id, name, tags from t order by id"
    lines = shell(server, "-d", db, "--format", "jsonl", "-c", query).stdout.splitlines()
    assert len(lines) == 3000
    assert json.loads(lines[4]) == {"id": 4, "name": "n,4", "tags": ["a", 'b"']}
    assert [row["id"] for row in json.loads(shell(server, "-d", db, "--format=json", "-c", query).stdout)] == list(
        range(3000)
    )
    rows = list(csv.reader(io.StringIO(shell(server, "-d", db, "--format", "csv", "-c", query).stdout)))
    assert rows[0] == ["id", "name", "tags"] and rows[2][:2] == ["1", "n,1"] and len(rows) == 3001


EVERY_TYPE = """
    select true b, 1::int2 i2, -2::int4 i4, 3::int8 i8, 1.5::float4 f4, 'nan'::float8 f8, 'é' s, 'a\\xff'::blob y,
        date '1969-12-31' d, time '10:11:12.123456' t, timestamp '1969-12-31 23:59:59.5' ts,
        timestamptz '2026-11-21 10:00:00.000001+00' tz, -0.05::decimal(10,2) n,
        -12345678901234567890123456789.123456789::decimal(38,9) m, [1, null] li, ['a,b', null, 'NULL', '"'] ls, {'x': 1} j
    union all select {nulls}
""".replace("{nulls}", ", ".join(["null"] * 17))


def arrow(server, query):
    done = subprocess.run(
        command(server, "--format", "arrow", "-c", query), capture_output=True, timeout=PATIENCE_S, env=process.environment()
    )
    assert done.returncode == 0, done.stderr
    table = pa.ipc.open_stream(done.stdout).read_all()
    table.validate(full=True)
    return table


def test_arrow_is_read_by_pyarrow(server):
    table = arrow(server, EVERY_TYPE)
    assert [str(t) for t in table.schema.types] == [
        *"bool int16 int32 int64 float double string binary date32[day] time64[us] timestamp[us]".split(),
        "timestamp[us, tz=UTC]",
        "decimal128(10, 2)",
        "decimal128(38, 9)",
        "list<item: int32>",
        "list<item: string>",
        "string",
    ]
    row = table.slice(0, 1).to_pylist()[0]
    assert str(row.pop("f8")) == "nan"
    assert row == {
        "b": True,
        "i2": 1,
        "i4": -2,
        "i8": 3,
        "f4": 1.5,
        "s": "é",
        "y": b"a\xff",
        "d": datetime.date(1969, 12, 31),
        "t": datetime.time(10, 11, 12, 123456),
        "ts": datetime.datetime(1969, 12, 31, 23, 59, 59, 500000),
        "tz": datetime.datetime(2026, 11, 21, 10, 0, 0, 1, datetime.UTC),
        "n": decimal.Decimal("-0.05"),
        "m": decimal.Decimal("-12345678901234567890123456789.123456789"),
        "li": [1, None],
        "ls": ["a,b", None, "NULL", '"'],
        "j": '{"x":1}',
    }
    assert set(table.slice(1, 1).to_pylist()[0].values()) == {None}
    table = arrow(server, "select i, 'n' || i as s from range(200000) r(i)")
    assert table["i"].to_pylist() == list(range(200000)) and table["s"][199999].as_py() == "n199999"
    assert arrow(server, "select 1 as a where false").num_rows == 0
    assert "cast it to text" in shell(server, "--format", "arrow", "-c", "select date '0044-03-15 (BC)'", code=2).stderr


def test_statements_come_from_arguments_files_and_standard_input(server, tmp_path):
    assert shell(server, "--format", "csv", "--bare", "-c", "select 1; select 2", "-c", "select 3").stdout == "1\n2\n3\n"
    script = tmp_path / "script.sql"
    script.write_text("-- two\nselect\n 1 as a;\n\\echo between\nselect ';' as b")
    assert shell(server, "--format", "csv", "-f", script).stdout == "a\n1\nbetween\nb\n;\n"
    assert shell(server, "--format", "csv", text=script.read_text()).stdout == "a\n1\nbetween\nb\n;\n"
    out = tmp_path / "out"
    shell(server, "--format", "csv", text=f"\\o {out}\nselect 1 as a;\n\\o\n")
    assert out.read_text() == "a\n1\n"


async def test_relations_are_listed(server, db, table):
    assert db in shell(server, "-c", "\\dn").stdout
    assert f"{db},t\n" in shell(server, "--format", "csv", "-c", "\\dt").stdout
    assert f"{db},t$changelog\n" in shell(server, "--format", "csv", "-c", f"\\dt {db}.t*").stdout
    assert [line.split(",")[:2] for line in shell(server, "--format=csv", "-c", f"\\d {db}.t").stdout.splitlines()[1:]] == [
        ["id", "BIGINT"],
        ["name", "VARCHAR"],
        ["tags", "VARCHAR[]"],
    ]


def test_exit_codes(server):
    failed = shell(server, "-c", "selec 1", "-c", "select 1", code=1)
    assert "42601" in failed.stderr and failed.stdout == ""
    stopped = shell(server, "--format", "csv", text="select 1;\nselec 2;\nselect 3;\n", code=3)
    assert stopped.stdout == "1\n1\n"
    assert "Connection refused" in process.run("sql", "--server", "127.0.0.1:1", "-c", "select 1").stderr
    for words in (["--server", "127.0.0.1:1", "-c", "select 1"], ["--format", "xml"], ["--what"]):
        assert process.run("sql", *words).returncode == 2
    assert "usage: eider sql" in process.run("sql", "--help").stdout


def test_a_box_is_a_table(server):
    out = shell(server, "-c", "select 1 as n, 'x' as t, null as e").stdout
    assert out.splitlines()[1:5] == ["│ n │ t │    e │", "├───┼───┼──────┤", "│ 1 │ x │ NULL │", "└───┴───┴──────┘"]


def test_an_interrupt_ends_the_statement(server):
    child = subprocess.Popen(
        command(server, "-c", "select 1", "-c", LONG),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process.environment(),
    )
    child.stdout.read(1)  # from here on an interrupt does not end the program
    for _ in range(60):
        child.send_signal(signal.SIGINT)  # one between two statements is meant for neither
        try:
            child.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            pass
    _, errors = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 1 and b"57014" in errors


def test_a_reader_that_leaves_ends_it(server):
    child = subprocess.Popen(
        command(server, "--format", "csv", "-c", "select * from range(100000000)"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process.environment(),
    )
    child.stdout.read(10)
    child.stdout.close()
    assert child.wait(timeout=PATIENCE_S) == 2 and child.stderr.read() == b""


def test_copy_reads_standard_input_and_scripts(server, tmp_path):
    shell(server, "-c", "create table c (id bigint, name varchar)")
    shell(server, "-c", "copy c from stdin (format csv, header)", text='id,name\n1,"a;b"\n2,\n')
    shell(server, text="copy c from stdin;\n3\tx\n\\.\nselect 1;\n")
    script = tmp_path / "copy.sql"
    script.write_text("copy c from stdin;\n4\ty\n\\.\nselect 1;\n")
    shell(server, "-f", script)
    assert shell(server, "-c", "copy (select * from c order by id) to stdout (format csv)").stdout.startswith(
        "1,a;b\n2,\n3,x\n4,y\n"
    )
    failed = shell(server, "-c", "copy c from stdin (format csv)", text="x,y\n", code=1)
    assert "22P02" in failed.stderr


# ---- without a server ----


def inside(data_dir, *words, code=0):
    done = process.run("sql", "--data-dir", data_dir, "--format", "csv", *words)
    assert done.returncode == code, done.stderr
    return done


async def test_a_data_directory_is_read_without_a_server(server, db, table, tmp_path):
    names = ["-d", db, "-c", "select count(*) as c, max(name) as m from t"]
    assert "locked" in inside(server.data_dir, "-c", "select 1", code=2).stderr
    server.terminate()
    assert inside(server.data_dir, *names).stdout == "c,m\n3000,\"n,998\"\n"
    for write in ("create schema x", f"insert into {db}.t values (1, 'x', null)", f"drop table {db}.t"):
        assert "25006" in inside(server.data_dir, "-c", write, code=1).stderr
    server.start()  # as after any stop
    assert shell(server, "--format", "csv", *names).stdout == "c,m\n3000,\"n,998\"\n"
    server.kill()
    assert inside(server.data_dir, *names).stdout == "c,m\n3000,\"n,998\"\n"
    assert "no server" in inside(tmp_path / "nothing", "-c", "select 1", code=2).stderr


# ---- a person ----


class Person:
    """The shell on a terminal of its own."""

    def __init__(self, server, columns, tmp_path):
        self.seen = b""
        environment = {**process.environment(), "EIDER_HISTORY": str(tmp_path / "history"), "TERM": "xterm"}
        self.leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.child = subprocess.Popen(
            command(server), stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(follower)

    def type(self, text):
        self.seen = b""
        os.write(self.leader, text.encode())

    def listens(self):
        """Until libedit takes keys one by one, Ctrl-D is the end of a line, and what Ctrl-C interrupts is not the line."""
        end = time.monotonic() + PATIENCE_S
        while termios.tcgetattr(self.leader)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.05)

    def sees(self, *texts, seconds=PATIENCE_S):
        """Waits for the texts, one behind the other; all that came since something was typed."""
        end = time.monotonic() + seconds
        wanted = re.compile(".*".join(map(re.escape, texts)).encode(), re.DOTALL)
        while not wanted.search(self.seen) and time.monotonic() < end:
            if select.select([self.leader], [], [], 0.2)[0]:
                self.seen += os.read(self.leader, 65536)
        assert wanted.search(self.seen), self.seen.decode(errors="replace")
        return self.seen.decode(errors="replace")

    def ends(self):
        code = self.child.wait(timeout=PATIENCE_S)
        os.close(self.leader)
        return code


async def test_a_person_types(server, db, table, tmp_path):
    p = Person(server, 60, tmp_path)
    p.sees("fluss=> ")
    p.type("select 40 + 2 as answer,\n")
    p.sees("fluss-> ")
    p.type("repeat('x', 100) as wide;\n")
    assert "│     42 │ xxx" in p.sees("(1 row)") and "x… │" in p.seen.decode()
    p.sees("fluss=> ")
    p.type(f"\\c {db}\n")
    p.sees(f"{db}=> ")
    p.type("selec\tcount(*) as c from t;\n")  # the word is completed
    p.sees("3000", "(1 row)", f"{db}=> ")
    p.listens()
    p.type("give this up\x03")
    p.sees("^C", f"{db}=> ")
    p.type(LONG + ";\n")
    p.sees("[")  # the progress line
    p.sees(" s")
    p.type("\x03")
    p.sees("57014")
    p.sees(f"{db}=> ")
    p.type("\\q\n")
    assert p.ends() == 0
    assert "count(*)" in (tmp_path / "history").read_text()


def test_the_end_of_input_ends_the_shell(server, tmp_path):
    p = Person(server, 80, tmp_path)
    p.sees("fluss=> ")
    p.listens()
    p.type("\x04")
    assert p.ends() == 0
