"""Connections to the PostgreSQL listener of a server, and psql."""

import os
import shutil
import subprocess

import psycopg

OPTIONS = {"postgres.listeners": "127.0.0.1:0"}


def place(server):
    host, port = server.info["postgres"].rsplit(":", 1)
    return {"host": host, "port": int(port), "user": "test"}


def connect(server, database="fluss", **options):
    return psycopg.connect(**place(server), dbname=database, autocommit=True, **options)


def rows(connection, query, parameters=None, binary=False):
    with connection.cursor(binary=binary) as cursor:
        return cursor.execute(query, parameters).fetchall()


def one(connection, query, parameters=None):
    return rows(connection, query, parameters)[0][0]


def psql(server, *commands, database="fluss", flags=()):
    """Output of psql as text; fails with what it says on stderr."""
    at = place(server)
    command = [shutil.which("psql"), "-X", "-h", at["host"], "-p", str(at["port"]), "-U", "test"]
    words = [word for c in commands for word in ("-c", c)]
    done = subprocess.run(
        [*command, *flags, *words, database],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PAGER": "", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
