"""SQL while stock clients write: every batch keeps an invariant, no query may see it broken, or go back in
time, or miss what has been acknowledged. A small share runs in `make test`, a thousand queries of each
kind in `make soak`."""

import asyncio
import os
import random
import threading

import fluss
import pyarrow as pa
import pytest
from harness import sql, streams

pytestmark = pytest.mark.sql_server
PAIRS = pa.schema([("batch", pa.int64()), ("part", pa.int32()), ("amount", pa.int64()), ("text", pa.string())])
ACCOUNTS = pa.schema([("id", pa.int32()), ("amount", pa.int64()), ("round", pa.int64())])
ROWS = 64
ACCOUNT_COUNT = 100
FEW = 60
SOAK = int(os.environ.get("SQL_QUERIES", 1000))
QUERIES = [pytest.param(FEW, id="few"), pytest.param(SOAK, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]


class Asking:
    """A thread that asks until so many answers are there, and keeps the first thing that is wrong."""

    def __init__(self, server, db, count, ask):
        self.answers, self.wrong = 0, None
        self.thread = threading.Thread(target=self.run, args=(server, db, count, ask))
        self.thread.start()

    def run(self, server, db, count, ask):
        try:
            with sql.connect(server, db) as c:
                while self.answers < count:
                    ask(c)
                    self.answers += 1
        except BaseException as e:
            self.wrong = e

    @property
    def running(self):
        return self.thread.is_alive()

    def end(self):
        self.thread.join()
        if self.wrong is not None:
            raise self.wrong


def batch(number):
    """Rows of which each is there with its negative; part counts them."""
    amounts = [number + i for i in range(ROWS // 2)]
    columns = [[number] * ROWS, range(ROWS), amounts + [-a for a in amounts], [f"text {number}"] * ROWS]
    return pa.table(columns, schema=PAIRS)


LOG = [
    "select count(*), coalesce(sum(amount), 0), coalesce(max(batch), -1) from t",
    "select count(*), coalesce(sum(a), 0), coalesce(max(b), -1) from"
    " (select amount a, batch b from t where text like 'text %')",
    "select coalesce(sum(n), 0), coalesce(sum(s), 0), coalesce(max(batch), -1) from"
    f" (select batch, count(*) n, sum(amount) s from t group by batch having count(*) = {ROWS} and sum(amount) = 0)",
    "select (select count(*) from t), (select coalesce(sum(amount), 0) from t), (select coalesce(max(batch), -1) from t)",
]


@pytest.mark.parametrize("count", QUERIES)
async def test_appends(server, client, db, count):
    """One writer and one bucket: the answer is a prefix of what was written, and grows."""
    table = await streams.make(client, db, PAIRS)
    acknowledged = [-1]
    last = [-1]

    def ask(c):
        least = acknowledged[0]
        rows, total, newest = sql.rows(c, random.choice(LOG))[0]
        assert total == 0 and rows == ROWS * (newest + 1), (rows, total, newest)
        assert newest >= least, "an acknowledged batch is not seen"
        assert newest >= last[0], "back in time"
        last[0] = newest

    asking = Asking(server, db, count, ask)
    number = 0
    while asking.running or number == 0:
        await streams.append_table(table, batch(number))
        acknowledged[0] = number
        number += 1
    asking.end()
    assert number > 0


@pytest.mark.parametrize("count", QUERIES)
async def test_upserts(server, client, db, count):
    """One bucket, and each flush moves money between accounts of one batch: the sum stays."""
    patient = {"bootstrap.servers": server.address, "writer.batch-timeout-ms": "60000"}  # no batch before its flush
    writing = await fluss.FlussConnection.create(fluss.Config(patient))
    await streams.make_keyed(client, db, ACCOUNTS, ["id"], bucket_count=1)
    table = await writing.get_table(fluss.TablePath(db, "t"))
    writer = table.new_upsert().create_writer()
    amounts = [1000] * ACCOUNT_COUNT
    acknowledged, last = [0], [0]

    async def write(number):
        one, other = random.sample(range(ACCOUNT_COUNT), 2)
        amounts[one], amounts[other] = amounts[one] - 7, amounts[other] + 7
        rows = [(i, amounts[i]) for i in range(ACCOUNT_COUNT)]
        for i, amount in rows:
            writer.upsert({"id": i, "amount": amount, "round": number})
        await writer.flush()
        acknowledged[0] = number

    def ask(c):
        least = acknowledged[0]
        rows, total, oldest, newest = sql.rows(c, 'select count(*), sum(amount), min("round"), max("round") from t')[0]
        assert (rows, total) == (ACCOUNT_COUNT, 1000 * ACCOUNT_COUNT), (rows, total)
        assert oldest == newest, "half a batch"
        assert newest >= least, "an acknowledged batch is not seen"
        assert newest >= last[0], "back in time"
        last[0] = newest

    await write(0)
    asking = Asking(server, db, count, ask)
    number = 0
    while asking.running or number == 0:
        number += 1
        await write(number)
    asking.end()
    await writing.close()
    assert number > 0


@pytest.mark.parametrize("count", [pytest.param(30, id="few"), pytest.param(SOAK, id="many", marks=pytest.mark.slow)])
async def test_what_is_acknowledged_is_seen_at_once(server, client, db, count):
    """By the next query of another connection, always: append, upsert, lookup."""
    log = await streams.make(client, db, PAIRS, name="log", bucket_count=3)
    keyed = await streams.make_keyed(client, db, ACCOUNTS, ["id"], name="keyed", bucket_count=3)
    writer = keyed.new_upsert().create_writer()
    loop = asyncio.get_running_loop()
    with sql.connect(server, db) as c:

        def ask(query, *parameters):
            return loop.run_in_executor(None, sql.rows, c, query, parameters)

        for number in range(count):
            await streams.append_table(log, batch(number))
            assert await ask("select count(*) from log where batch = %s", number) == [(ROWS,)]
            writer.upsert({"id": number % 17, "amount": number, "round": number})
            await writer.flush()
            assert await ask("select amount from keyed where id = %s", number % 17) == [(number,)]
            assert await ask("select max(amount) from keyed") == [(number,)]
