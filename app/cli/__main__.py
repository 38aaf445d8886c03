"""`python -m app.cli` is `slipstream`."""

from app.cli import main

main()
