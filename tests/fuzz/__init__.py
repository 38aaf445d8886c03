"""Requests made up from the OpenAPI document against the real server: `make fuzz REQUESTS=n`."""
