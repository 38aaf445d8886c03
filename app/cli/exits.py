"""What the exit codes mean: the one place that says so."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    UNFILLED = 4
    REFUSED = 5
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "done",
    Exit.FAILED: "it failed, or the audit found something",
    Exit.USAGE: "wrong usage",
    Exit.UNREACHABLE: "the server (or its database) cannot be reached",
    Exit.UNFILLED: "the order ended without being filled",
    Exit.REFUSED: "the server refused",
    Exit.INTERRUPTED: "interrupted",
}


class Failure(Exception):
    """The command ends here, with one line on stderr."""

    def __init__(self, exit: Exit, message: str) -> None:
        super().__init__(message)
        self.exit = exit
