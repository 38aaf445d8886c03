"""The price that the collar is measured from."""

from decimal import Decimal

from app.domain.market import Market, Quote


def reference_price(market: Market, quote: Quote, collar: Decimal) -> Decimal | None:
    """The last trade; before the first one the middle of the quote, where its two sides agree as
    closely as the collar asks. None: a bid or an offer that nobody means is no reference."""
    if market.last is not None and market.last > 0:
        return market.last
    agree = quote.bid > 0 and abs(quote.ask - quote.bid) <= quote.mid * collar
    return quote.mid if agree else None
