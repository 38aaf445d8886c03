"""Pages made of figures: pure functions from records to HTML that needs nothing from elsewhere.

`page`, `table`, `facts` and `chart` are the building blocks; each report is one file.
"""

from app.reports.backtest import backtest_page
from app.reports.chart import chart
from app.reports.daily import daily_page
from app.reports.order import order_page
from app.reports.page import Html, Section, facts, page, paragraph, table
from app.reports.summary import summary_page

__all__ = [
    "Html",
    "Section",
    "backtest_page",
    "chart",
    "daily_page",
    "facts",
    "order_page",
    "page",
    "paragraph",
    "summary_page",
    "table",
]
