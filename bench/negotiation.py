"""How long do two connectors and a platform need from a first request to a filed contract?

Each negotiation is driven as two people's programs would: request, counter, accept, sign, sign;
it ends when both connectors hold the contract with three signatures, in force. Baseline: as many
durable POSTs over loopback HTTP, and as many of them signed both ways, on a bare server.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench.echo import Caller
from bench.flights import COLUMNS, SAMPLE
from bench.lines import Line
from bench.options import Options
from bench.space import Child, Space, free_port, running, until_200
from bench.timing import median, quantile
from bench.trade import PERFORMING, Market, Wish, terms
from huiqi.trust.service import suite
from huiqi.trust.types import NATIONAL_SUITE

# By docs/design: create, three rounds, two signatures, filing, notice of filing.
SIGNED_POSTS = 8
# What the two programs send: request, counter, accept, sign, sign.
PLAIN_POSTS = 5
# As long as a round of negotiation with its terms.
BODY = b"x" * 2_000
PARALLEL = 8


class Trade:
    """Three people with connections of their own, who negotiate over a product, repeatedly."""

    def __init__(self, market: Market, product: str) -> None:
        self._market, self._product = market, product

    def seconds(self) -> float:
        """How long one negotiation takes."""
        market, wish = self._market, Wish(columns=COLUMNS, uses=400)
        began = time.perf_counter()
        asked = {"product": self._product, "terms": terms(wish)}
        contract = str(market.consumer.post("/contracts", asked)["id"])
        market.wait_rounds(market.provider, contract, 1)
        countered = {"terms": terms(Wish(columns=COLUMNS, uses=100)), "note": "fewer uses"}
        market.provider.post(f"/contracts/{contract}/counter", countered)
        market.wait_rounds(market.consumer, contract, 2)
        market.consumer.post(f"/contracts/{contract}/accept")
        market.wait_rounds(market.provider, contract, 3)
        market.provider.post(f"/contracts/{contract}/sign")
        market.consumer.post(f"/contracts/{contract}/sign")
        for party in (market.consumer, market.provider):
            market.wait_status(party, contract, PERFORMING)
        return time.perf_counter() - began


class Bare:
    """The same number of messages on the bare server."""

    def __init__(self, base: str, pair: tuple[bytes, str]) -> None:
        self._caller = Caller(base, *pair)

    def seconds(self) -> float:
        """How long they take, one after the other."""
        began = time.perf_counter()
        for _ in range(PLAIN_POSTS):
            self._caller.plain(BODY)
        for _ in range(SIGNED_POSTS):
            self._caller.signed(BODY)
        return time.perf_counter() - began

    def close(self) -> None:
        """End the connection."""
        self._caller.close()


def measure(options: Options) -> Sequence[Line]:
    """One after the other, then eight at once."""
    with ExitStack() as stack:
        base, pair = _echo(options.folder, stack)
        space = stack.enter_context(running(options.folder / "data"))
        markets = [_market(space, stack) for _ in range(PARALLEL)]
        resource = markets[0].register("flights", SAMPLE)
        product = markets[0].publish(resource, "flights", Wish(columns=COLUMNS, uses=500))
        trades = [Trade(market, product) for market in markets]
        bares = [_bare(base, pair, stack) for _ in range(PARALLEL)]
        options.say("      one after the other")
        lines = _sequential(trades[0], bares[0], options)
        options.say(f"      {PARALLEL} at once")
        return [*lines, _parallel(trades, bares, options)]


def _sequential(trade: Trade, bare: Bare, options: Options) -> list[Line]:
    trade.seconds()
    bare.seconds()
    ours: list[float] = []
    theirs: list[float] = []
    count = options.pick(60, 15)
    for _ in range(count):
        ours.append(trade.seconds())
        theirs.append(bare.seconds())
    rate = 1 / median(ours)
    return [
        Line(
            measure="negotiate, sign and file",
            value=median(ours) * 1000,
            unit="ms",
            baseline=median(theirs) * 1000,
            note=f"median of {count}; {rate:.1f} a second, one after the other; three signatures, "
            f"three logs; baseline: {PLAIN_POSTS} durable and {SIGNED_POSTS} signed durable POSTs",
        ),
        Line(
            measure="  p99",
            value=quantile(ours, 0.99) * 1000,
            unit="ms",
            baseline=quantile(theirs, 0.99) * 1000,
            note="the slowest, when there are fewer than a hundred",
        ),
    ]


def _parallel(trades: Sequence[Trade], bares: Sequence[Bare], options: Options) -> Line:
    each = options.pick(5, 2)
    rounds = options.pick(3, 2)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(_rate([trade.seconds for trade in trades], each))
        theirs.append(_rate([bare.seconds for bare in bares], each))
    return Line(
        measure=f"  {PARALLEL} at once",
        value=median(ours),
        unit="/s",
        baseline=median(theirs),
        note="contracts filed per second; the programs that wait poll the API, on the same cores",
    )


def _rate(acts: Sequence[Callable[[], float]], each: int) -> float:
    def several(act: Callable[[], float]) -> None:
        for _ in range(each):
            act()

    with ThreadPoolExecutor(len(acts)) as pool:
        began = time.perf_counter()
        list(pool.map(several, acts))
        return len(acts) * each / (time.perf_counter() - began)


def _market(space: Space, stack: ExitStack) -> Market:
    market = Market(space)
    stack.callback(market.close)
    return market


def _bare(base: str, pair: tuple[bytes, str], stack: ExitStack) -> Bare:
    bare = Bare(base, pair)
    stack.callback(bare.close)
    return bare


def _echo(folder: Path, stack: ExitStack) -> tuple[str, tuple[bytes, str]]:
    private, public = suite(NATIONAL_SUITE).generate()
    keys = folder / "echo.json"
    keys.write_text(json.dumps({"private": private.hex(), "public": public}), encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "bench.echo", str(port), str(folder / "echo.db"), str(keys)]
    child = Child(command, output=folder / "echo.log")
    stack.callback(child.end)
    base = f"http://127.0.0.1:{port}"
    until_200(child, base + "/", time.perf_counter())
    return base, (private, public)
