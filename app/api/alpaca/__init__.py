"""What Alpaca's clients know: their routes, words and stream, over our own orders."""
