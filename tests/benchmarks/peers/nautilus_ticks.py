"""NautilusTrader on ticks of SPY. Runs in an environment of its own and imports nothing of ours.

The strategy is ours, by its rule: integers, five prices, one basis point. Making the ticks is not
in the time, as it is not in ours.
Run: python nautilus_ticks.py TICKS.npz
"""

import json
import sys
import time
from decimal import Decimal

import nautilus_trader
import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

WINDOW, THRESHOLD_BPS, QUANTITY, RUNS = 5, 1, 100, 5
VENUE = Venue("SIM")
SPY = Equity(
    instrument_id=InstrumentId(Symbol("SPY"), VENUE),
    raw_symbol=Symbol("SPY"),
    currency=USD,
    price_precision=4,
    price_increment=Price.from_str("0.0001"),
    lot_size=Quantity.from_int(1),
    ts_event=0,
    ts_init=0,
)


class Average(Strategy):
    """Buys above the average of the last prices, and sells below."""

    def __init__(self) -> None:
        super().__init__()
        self.prices: list[int] = []
        self.total = 0
        self.side = None
        self.ticks = self.orders = 0

    def on_start(self) -> None:
        self.subscribe_trade_ticks(SPY.id)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.ticks += 1
        price = tick.price.raw
        prices = self.prices
        prices.append(price)
        self.total += price - (prices.pop(0) if len(prices) > WINDOW else 0)
        if len(prices) < WINDOW:
            return
        distance, threshold = (WINDOW * price - self.total) * 10_000, THRESHOLD_BPS * self.total
        if -threshold < distance < threshold:
            return
        side = OrderSide.BUY if distance > 0 else OrderSide.SELL
        if side != self.side:
            self.side = side
            self.orders += 1
            quantity = Quantity.from_int(QUANTITY)
            self.submit_order(self.order_factory.market(SPY.id, side, quantity))


def main() -> None:
    arrays = np.load(sys.argv[1])
    ticks = [
        TradeTick(
            SPY.id,
            Price(price / 10_000, 4),
            Quantity.from_int(max(size, 1)),
            AggressorSide.NO_AGGRESSOR,
            TradeId(str(n)),
            at_ns,
            at_ns,
        )
        for n, (price, size, at_ns) in enumerate(
            zip(*(arrays[name].tolist() for name in ("price", "size", "at_ns")), strict=True)
        )
    ]
    wall = cpu = 0.0
    for _ in range(RUNS):
        engine, strategy = _engine(ticks)
        began = time.perf_counter(), time.process_time()
        engine.run()
        wall = max(wall, len(ticks) / (time.perf_counter() - began[0]))
        cpu = max(cpu, len(ticks) / (time.process_time() - began[1]))
        assert strategy.ticks == len(ticks)
        orders = strategy.orders
        engine.dispose()
    found = {"version": nautilus_trader.__version__, "ticks": len(ticks), "orders": orders}
    print(json.dumps(found | {"ticks_per_s": round(wall), "ticks_per_cpu_s": round(cpu)}))


def _engine(ticks):  # type: ignore[no-untyped-def]
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=quiet, run_analysis=False))
    engine.add_venue(
        VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USD,
        starting_balances=[Money(1_000_000, USD)],
        default_leverage=Decimal(1),
    )
    engine.add_instrument(SPY)
    engine.add_data(ticks)
    strategy = Average()
    engine.add_strategy(strategy)
    return engine, strategy


main()
