"""The same execution on the same tape, here and in other people's engines."""
