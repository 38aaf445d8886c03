"""The command line. Nothing heavy is imported until a command needs it."""


def main() -> None:
    """`slipstream`: parse, run, and end with the exit code that `exits` documents."""
    from app.cli.program import run

    raise SystemExit(run())
