"""NautilusTrader's own TWAP example over a saved tape; runs in `.venv/peers`, prints JSON.

Timed is `engine.run()` alone: reading the columns and making ticks of them is told apart.
"""

import json
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

import nautilus_trader
import numpy as np
import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.examples.algorithms.twap import TWAPExecAlgorithm
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import ExecAlgorithmId, InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import QuoteTickDataWrangler
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
XYZ = InstrumentId(Symbol("XYZ"), VENUE)


class OneParent(Strategy):
    """Buys once, at a given moment, by TWAP."""

    def __init__(self, at: int, qty: int, seconds: float, interval: float) -> None:
        super().__init__()
        self.at, self.qty = at, qty
        self.params = {"horizon_secs": seconds, "interval_secs": interval}
        self.fills: list[tuple[int, str, str]] = []

    def on_start(self) -> None:
        moment = pd.Timestamp(self.at, unit="us", tz="UTC")
        self.clock.set_time_alert("begin", moment, self.begin)

    def begin(self, event: object) -> None:
        order = self.order_factory.market(
            instrument_id=XYZ,
            order_side=OrderSide.BUY,
            quantity=Quantity.from_int(self.qty),
            exec_algorithm_id=ExecAlgorithmId("TWAP"),
            exec_algorithm_params=self.params,
        )
        self.submit_order(order)

    def on_order_filled(self, event: object) -> None:
        self.fills.append((event.ts_event // 1_000, str(event.last_px), str(event.last_qty)))


def main() -> None:
    path, at, qty, seconds, slices = sys.argv[1:6]
    columns = np.load(path)
    equity = Equity(
        instrument_id=XYZ,
        raw_symbol=Symbol("XYZ"),
        currency=USD,
        price_precision=2,
        price_increment=Price.from_str("0.01"),
        lot_size=Quantity.from_int(1),
        ts_event=0,
        ts_init=0,
    )
    began = time.perf_counter()
    frame = pd.DataFrame(
        {
            "bid_price": columns["bid"] / 100,
            "ask_price": columns["ask"] / 100,
            "bid_size": columns["bid_size"].astype(float),
            "ask_size": columns["ask_size"].astype(float),
        },
        index=pd.to_datetime(columns["at"], unit="us", utc=True),
    )
    ticks = QuoteTickDataWrangler(equity).process(frame)
    logging = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=logging, run_analysis=False))
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=USD,
        starting_balances=[Money(1_000_000_000, USD)],
        default_leverage=Decimal(1),
    )
    engine.add_instrument(equity)
    engine.add_data(ticks)
    engine.add_exec_algorithm(TWAPExecAlgorithm())
    strategy = OneParent(int(at), int(qty), float(seconds), float(seconds) / int(slices))
    engine.add_strategy(strategy)
    prepared = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    engine.run()
    took, used = time.perf_counter() - began, time.process_time() - used
    result = {
        "version": nautilus_trader.__version__,
        "python": sys.version.split()[0],
        "at": datetime.now(UTC).isoformat(),
        "prepared": prepared,
        "seconds": took,
        "cpu": used,
        "fills": strategy.fills,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
