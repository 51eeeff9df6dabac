"""RETURNING with psycopg, asyncpg and SQLAlchemy: rows as they are written, of DELETE as they were."""

from decimal import Decimal

import asyncpg
import psycopg
import pytest
import sqlalchemy as sa
from harness import sql
from sqlalchemy import orm

pytestmark = pytest.mark.sql_server


def test_rows_that_are_written(session):
    session.execute("create table t (id int primary key, name text, v decimal(9, 2)); create table l (a int, b text, c bytea)")
    for statement, parameters, expected in (
        ("insert into t values (1, 'one', 1.005), (2, 'two', null) returning *", None, [(1, "one", "1.01"), (2, "two", None)]),
        ("insert into t (v, name, id) values (%s, %s, %s) returning id, upper(name) as name", ["3", "three", 3], [(3, "THREE")]),
        ("insert into t select id + 10, name, v from t where id < 3 returning t.id", None, [(11,), (12,)]),
        ("update t as u set v = coalesce(v, 0) + 1 where id <= 2 returning u.id, v, %s || name", ["x"], [(1, "2.01", "xone"), (2, "1.00", "xtwo")]),
        ("update t set name = 'no' where id = 99 returning *", None, []),
        ("delete from t where id in (1, 11) returning name, id", None, [("one", 1), ("one", 11)]),
        ("delete from t where id = 99 returning 1", None, []),
        ("insert into l (b) values ('x') returning *, a is distinct from 1", None, [(None, "x", None, True)]),
        ("insert into l values (7, 'y', '\\x00ff') returning c, a -- done", None, [(b"\x00\xff", 7)]),
    ):  # fmt: skip
        with session.cursor() as cursor:
            rows = cursor.execute(statement, parameters).fetchall()
            plain = [tuple(str(v) if isinstance(v, Decimal) else v for v in row) for row in rows]
            assert sorted(plain) == sorted(expected), statement
            assert cursor.statusmessage.endswith(f" {len(expected)}") and cursor.rowcount == len(expected)
    assert sql.rows(session, "select id, name, v::text from t order by id") == [(2, "two", "1.00"), (3, "three", "3.00"), (12, "two", None)]


def test_many_rows(session):
    session.execute("create table t (id int primary key, name text)")
    rows = sql.rows(session, "insert into t select i, 'row ' || i from range(100000) r(i) returning id, name")
    assert sorted(rows) == [(n, f"row {n}") for n in range(100000)]
    assert sum(row[0] for row in sql.rows(session, "delete from t returning id", binary=True)) == 100000 * 99999 // 2
    with pytest.raises(psycopg.Error) as caught:
        session.execute("insert into t select i, repeat('x', 100000) from range(2000) r(i) returning name")
    assert caught.value.sqlstate == "54000"
    assert sql.one(session, "select 1") == 1


async def test_asyncpg_takes_one_row_of_many(server, db):
    at = sql.place(server)
    connection = await asyncpg.connect(host=at["host"], port=at["port"], user="test", database=db)
    try:
        await connection.execute("create table t (id bigint primary key, v bigint)")
        row = await connection.fetchrow("insert into t values ($1, $2), (5, 6), (7, 8) returning id, v * 2 as twice", 3, 4)
        assert dict(row) == {"id": 3, "twice": 8}
        assert await connection.fetchval("select count(*) from t") == 3
        assert [tuple(r) for r in await connection.fetch("delete from t where id = any($1::bigint[]) returning id", [3, 7])] in ([(3,), (7,)], [(7,), (3,)])
        assert await connection.fetchval("update t set v = $1 returning v", 9) == 9
    finally:
        await connection.close()


def test_sqlalchemy(server, db):
    at = sql.place(server)
    engine = sa.create_engine(f"postgresql+psycopg://test@{at['host']}:{at['port']}/{db}", isolation_level="AUTOCOMMIT")

    class Base(orm.DeclarativeBase):
        pass

    class Thing(Base):
        __tablename__ = "thing"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
        name: orm.Mapped[str]

    with engine.connect() as c:
        c.exec_driver_sql("create table thing (id int primary key, name text not null)")
        thing = Thing.__table__
        found = c.execute(sa.insert(thing).returning(thing.c.id, thing.c.name), [{"id": n, "name": f"n{n}"} for n in range(3)])
        assert sorted(map(tuple, found)) == [(0, "n0"), (1, "n1"), (2, "n2")]
        found = c.execute(sa.update(thing).where(thing.c.id == 1).values(name=thing.c.name + "!").returning(thing)).one()
        assert tuple(found) == (1, "n1!")
    with orm.Session(engine) as s:
        made = s.scalars(sa.insert(Thing).returning(Thing), [{"id": 9, "name": "nine"}]).one()
        assert (made.id, made.name) == (9, "nine")
        gone = s.scalars(sa.delete(Thing).where(Thing.id > 1).returning(Thing.name)).all()
        assert sorted(gone) == ["n2", "nine"]
    engine.dispose()


REFUSED = [
    ("insert into t (id) values (1) returning id", "0A000"),
    ("insert into m values (1, 2) returning *", "0A000"),
    ("insert into t values (1, 'y') returning", "42601"),
    ("insert into t values (1, 'y') returning missing", "42703"),
    ("insert into t values (1, 'y') returning id from t", "42601"),
    ("insert into t values (1, 'y') returning id union select 1, 'x', 2", "42601"),
    ("insert into t values (1, 'y') returning id)", "42601"),
    ("insert into t values (1, 'y') returning (id", "42601"),
    ("insert into t values (1, 'y') returning id; select 1", None),
    ("update t set name = 'x' returning old.name", "42000"),
    ("delete from t returning count(*)", None),
    ("copy (insert into t values (1, 'y') returning id) to stdout", None),
]


@pytest.mark.parametrize("statement, state", REFUSED)
def test_what_is_refused(session, statement, state):
    session.execute(
        "create table t (id int primary key, name text);"
        "create table m (id int primary key, v bigint) with ('table.merge-engine' = 'first_row')"
    )
    with pytest.raises(psycopg.Error) as caught:
        session.execute(statement, prepare=True)
    assert state is None or caught.value.sqlstate == state, caught.value
    assert sql.one(session, "select count(*) from t") == 0
