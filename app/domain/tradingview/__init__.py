"""What TradingView sends, in every shape that is in use, read into one message."""
