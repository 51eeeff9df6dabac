"""The SQL part of the demonstration: three questions about the flights, asked by psql of the same server,
while it is what it was a moment ago: no import, no copy. The answers are compared with pandas."""
import csv
import io
import os
import subprocess
import time

import pandas as pd
from demo_support import read_csv

DATABASE = "nycflights13"

QUESTIONS = [
    ("Which airlines arrive late? (the log of flights)", """
select carrier, count(*) as flights, round(avg(arr_delay), 1) as minutes_late
from flights group by carrier having count(*) >= 1000 order by minutes_late desc limit 5"""),
    ("Whose planes flew farthest? (flights, and the current rows of planes by primary key)", """
select manufacturer, count(*) as flights, sum(distance) as miles
from flights join planes using (tailnum) group by manufacturer order by miles desc limit 5"""),
    ("Does wind hold planes back? (flights, and the current rows of weather)", """
select floor(wind_speed / 10)::int * 10 as wind_mph, count(*) as flights, round(avg(dep_delay), 1) as minutes_late
from flights join weather using (origin, time_hour) where wind_speed is not null
group by wind_mph order by wind_mph"""),
]


def psql(address, query, *flags):
    host, port = address.rsplit(":", 1)
    command = ["psql", "-X", "-h", host, "-p", port, "-U", "demo", *flags, "-c", query, DATABASE]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, "PAGER": ""})


def by_pandas(flights):
    """What the answers have to be: rows of texts and numbers."""
    carriers = flights.groupby("carrier").agg(flights=("carrier", "size"), late=("arr_delay", "mean"))
    carriers = carriers[carriers.flights >= 1000].sort_values("late", ascending=False).head(5)
    planes = read_csv("planes")[["tailnum", "manufacturer"]]
    flown = flights.merge(planes, on="tailnum").groupby("manufacturer").distance.agg(["size", "sum"])
    weather = read_csv("weather")
    weather["time_hour"] = pd.to_datetime(weather["time_hour"], utc=True)
    windy = flights.merge(weather[weather.wind_speed < 1000], on=["origin", "time_hour"])
    windy = windy.groupby((windy.wind_speed // 10).astype(int) * 10).dep_delay.agg(["size", "mean"])
    return [
        [[name, str(int(row.flights)), row.late] for name, row in carriers.iterrows()],
        [[name, str(int(row["size"])), row["sum"]] for name, row in flown.sort_values("sum", ascending=False).head(5).iterrows()],
        [[str(speed), str(int(row["size"])), row["mean"]] for speed, row in windy.iterrows()],
    ]


def equal(found, expected):
    """The last column is rounded to a tenth."""
    return len(found) == len(expected) and all(
        f[:2] == e[:2] and abs(float(f[2]) - e[2]) <= 0.0501 for f, e in zip(found, expected))


def ask(address, flights):
    """Asks and prints; the list of what is wrong."""
    wrong = []
    for (title, query), expected in zip(QUESTIONS, by_pandas(flights)):
        began = time.perf_counter()
        done = psql(address, query)
        if done.returncode != 0:
            return [f"psql: {done.stderr.strip()}"]
        print(f"\n{title}{query}\n\n{done.stdout.rstrip()}\n{(time.perf_counter() - began) * 1000:.0f} ms with psql")
        rows = list(csv.reader(io.StringIO(psql(address, query, "--csv", "-t").stdout)))
        if not equal(rows, expected):
            wrong.append(f"{title} pandas has {expected}")
    return wrong
