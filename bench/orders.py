"""Rows of the SQL benchmark: events of the orders of a shop, as many different ones as are asked for.

  id BIGINT           grows
  event_time TIMESTAMP(3)  grows by 0 to 2 ms
  customer BIGINT     of a million, some order far more often than others: of a million rows 460,000 are different
  status STRING       of six, not equally frequent
  quantity INT        mostly 1
  price DOUBLE        of 50,000 products, the popular ones more often, up to 20 % off: in cents, log-normal
  amount DECIMAL(18,2)  quantity * price
  url STRING          60 bytes: the product's page, for half of them with a campaign, and a number of the visit
"""
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CUSTOMERS, PRODUCTS = 1_000_000, 50_000
STATUSES = ["created", "paid", "packed", "shipped", "delivered", "returned"]
STATUS_SHARES = [0.22, 0.20, 0.19, 0.18, 0.17, 0.04]
COLOURS = ("amber arctic autumn basic bright canvas classic cobalt copper coral cotton crystal desert dusty ember forest "
           "frozen garden golden granite harbor indigo ivory jade linen lunar maple marble midnight misty ocean olive").split()
THINGS = ("backpack bag belt blanket boots bottle bowl cap chair clock coat cup desk dress gloves hat headphones hoodie "
          "jacket jeans kettle keyboard knife lamp mat mirror monitor mug notebook pan pants pen phone pillow plate poster "
          "radio rug sandals scarf shelf shirt shoes skirt sneakers socks sofa speaker stool suit sweater table").split()
CAMPAIGNS = ["", "", "", "", "?utm_source=search", "?utm_source=mail", "?utm_source=social", "?ref=home"]
BEGIN_MS = 1_760_000_000_000


def pick(values, index):
    return pa.array(values).take(pa.array(index))


def text(numbers):
    return pc.cast(pa.array(numbers), pa.string())


def decimals(cents):
    halves = np.zeros((len(cents), 2), np.int64)
    halves[:, 0] = cents
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(halves)])


def orders(first, count):
    """Rows first to first + count - 1; the same ones for the same arguments."""
    random = np.random.default_rng(first)
    customer = (CUSTOMERS * random.power(0.3, count)).astype(np.int64)
    product = (PRODUCTS * random.power(0.5, count)).astype(np.int64)
    listed = np.exp(3 + (product * 2654435761 % 1000) / 400)
    price = np.round(listed * random.uniform(0.8, 1.0, count), 2)
    quantity = random.geometric(0.6, count).astype(np.int32)
    url = pc.binary_join_element_wise(
        "https://shop.example.com/", pick(COLOURS, product % len(COLOURS)), "-",
        pick(THINGS, product // len(COLOURS) % len(THINGS)), "/p", text(product),
        pick(CAMPAIGNS, random.integers(0, len(CAMPAIGNS), count)), "#", text(random.integers(10**8, 10**9, count)), "")
    return pa.table({
        "id": pa.array(np.arange(first, first + count)),
        "event_time": pa.array(BEGIN_MS + first + np.cumsum(random.integers(0, 3, count)), pa.timestamp("ms")),
        "customer": pa.array(customer * 7_368_787 % 1_000_003),  # who orders often is not the first
        "status": pick(STATUSES, random.choice(len(STATUSES), count, p=STATUS_SHARES)),
        "quantity": pa.array(quantity),
        "price": pa.array(price),
        "amount": decimals(np.round(price * 100).astype(np.int64) * quantity),
        "url": url,
    })
