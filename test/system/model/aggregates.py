"""What each aggregate function makes of the value so far and a new one."""

from decimal import ROUND_HALF_UP, Context, Decimal

from harness.rows import EXACT, is_short, kind, unscaled

from .values import BITS, single, wrap

NUMBERS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"]
ORDERED = [*NUMBERS, "CHAR", "STRING", "DATE", "TIME_WITHOUT_TIME_ZONE", "TIMESTAMP"]
LAST, DEFAULT = "last_value", "last_value_ignore_nulls"
FOR_ALL = [LAST, DEFAULT, "first_value", "first_value_ignore_nulls"]
FUNCTIONS = {  # name: kinds of columns it is for
    "sum": NUMBERS, "product": NUMBERS, "max": ORDERED, "min": ORDERED, "listagg": ["STRING"],
    "string_agg": ["STRING"], "bool_and": ["BOOLEAN"], "bool_or": ["BOOLEAN"], "rbm32": ["BYTES"],
}  # fmt: skip
WIDE = Context(prec=120, rounding=ROUND_HALF_UP)


def choose(chance, data_type):
    """A function for a column, as its descriptor says it; None for the default."""
    own = [name for name, kinds in FUNCTIONS.items() if kind(data_type) in kinds]
    name = chance.choice([None, *FOR_ALL, *own, *own])
    if name in ("listagg", "string_agg") and chance.random() < 0.5:
        return {"type": name, "parameters": {"delimiter": chance.choice([";", "--"])}}
    return name and {"type": name, "parameters": {}}


def aggregate(function, data_type, old, new):
    name = function["type"] if function else DEFAULT
    if name == LAST:
        return new
    if old is None or new is None:
        return new if old is None else old
    if name in FOR_ALL:
        return old if name.startswith("first") else new
    if name in ("listagg", "string_agg"):
        return old + function["parameters"].get("delimiter", ",") + new
    return SIMPLE[name](data_type, old, new)


def _sum(data_type, old, new):
    if kind(data_type) != "DECIMAL":
        return _number(data_type, old + new)
    total = EXACT.add(old, new)
    if is_short(data_type):
        number = wrap(unscaled(total, data_type), 64)  # not checked against the precision
        return Decimal(number).scaleb(-data_type["scale"], EXACT)
    return _in_precision(data_type, total)


def _product(data_type, old, new):
    if kind(data_type) != "DECIMAL":
        return _number(data_type, old * new)
    exact = WIDE.multiply(old, new)
    return _in_precision(data_type, exact.quantize(Decimal(1).scaleb(-data_type["scale"]), context=WIDE))


def _number(data_type, number):
    root = kind(data_type)
    if root in BITS:
        return wrap(number, BITS[root])
    return single(number) if root == "FLOAT" else number


def _in_precision(data_type, number):
    return number if abs(unscaled(number, data_type)) < 10 ** data_type["precision"] else None


SIMPLE = {
    "sum": _sum,
    "product": _product,
    "max": lambda _, old, new: max(old, new),
    "min": lambda _, old, new: min(old, new),
    "bool_and": lambda _, old, new: old and new,
    "bool_or": lambda _, old, new: old or new,
    "rbm32": lambda _, old, new: old | new,
}
