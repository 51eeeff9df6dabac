"""Connections to the PostgreSQL listener of a server, and psql."""

import contextlib
import os
import shutil
import subprocess
import threading

import psycopg
import pytest

from .patience import PATIENCE_S

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


@contextlib.contextmanager
def cancelled(connection):
    """Its query is cancelled, again and again: a cancel that comes before the query ends nothing."""
    ended = threading.Event()

    def cancel():
        while not ended.wait(0.5):
            connection.cancel_safe()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(psycopg.errors.QueryCanceled, match="user request"):
        try:
            yield
        finally:
            ended.set()
            thread.join()


def psql(server, *commands, database="fluss", flags=()):
    """Output of psql as text; fails with what it says on stderr."""
    at = place(server)
    command = [shutil.which("psql"), "-X", "-h", at["host"], "-p", str(at["port"]), "-U", "test"]
    words = [word for c in commands for word in ("-c", c)]
    done = subprocess.run(
        [*command, *flags, *words, database],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "PAGER": "", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
