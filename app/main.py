"""The doors to the street: the supervisor, and the API and worker processes it keeps alive."""

import gc

from app.unsearched import unsearched

with unsearched():
    import argparse
    import asyncio
    import logging
    import os
    import signal
    import sys
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import contextmanager
    from functools import partial

    import structlog
    import uvicorn

    from app.settings import Settings
    from app.spare import awaited_mark
    from app.store.planner import Planner
    from app.supervisor import Supervisor, admin_key, announce, prepare_database
    from app.wiring import alpaca_surface, open_house, open_housekeeping, open_service, open_worker

log = structlog.get_logger()

ROLES = ("all", "api", "worker")
_PARENT_LOOK_SECONDS = 1.0


class NoDatabase(ValueError):
    """A role of its own needs a database that outlives it."""


def serve(settings: Settings, *, role: str) -> int:
    """Run until SIGTERM or SIGINT; the exit code. `all` starts an API and a worker process.

    Raises NoDatabase for a single role without DATABASE_URL: the embedded PostgreSQL is started
    and stopped by `all`, and belongs to it.
    """
    configure_logging(settings)
    if role == "all":
        return Supervisor(settings).run()
    if settings.database_url is None:
        raise NoDatabase(f"--role {role} needs DATABASE_URL: the embedded database is for one host")
    with prepare_database(settings) as database:
        if role == "api":
            admin_key(settings, database.url)
            announce(settings, database.url)
        return run_role(settings, database.url, role)


def run_role(
    settings: Settings, url: str, role: str, *, child: bool = False, mark: str | None = None
) -> int:
    """One role in this process, on a database that is ready; `mark` as a Worker has it."""
    runner: Callable[[Settings, str, asyncio.Event], Awaitable[None]]
    runner = _api if role == "api" else partial(_worker, mark=mark)
    with asyncio.Runner(loop_factory=_loop_factory()) as loop:
        loop.run(_until_stopped(settings, url, runner, child=child))
    return 0


def configure_logging(settings: Settings) -> None:
    """Structured lines on stderr; secrets never get that far."""
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if not sys.stderr.isatty()
            else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


async def _until_stopped(
    settings: Settings,
    url: str,
    runner: Callable[[Settings, str, asyncio.Event], Awaitable[None]],
    *,
    child: bool,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # A supervisor that was killed must not leave processes behind that nobody watches.
    watch = asyncio.create_task(_follow_parent(stop)) if child else None
    try:
        await runner(settings, url, stop)
    finally:
        if watch is not None:
            watch.cancel()


async def _api(settings: Settings, url: str, stop: asyncio.Event) -> None:
    # Half a second of imports that neither the supervisor nor the worker should wait for.
    with unsearched():
        from app.api.app import create_api
        from app.api.listening import OPTIONS, listen
        from app.api.rates import RateRules
        from app.wiring.past import open_backtests

    # Before the house is opened: a port in use ends us at once.
    listening = listen(settings.host, settings.port)
    async with (
        open_house(settings, url) as house,
        open_service(house) as service,
        open_backtests(house) as backtests,
    ):
        app = create_api(
            service,
            alpaca=alpaca_surface(settings),
            backtests=backtests,
            proxies=settings.trusted_proxies,
            rates=RateRules(settings.rate_per_key, settings.rate_burst, settings.rate_failures),
        )
        config = uvicorn.Config(app, **OPTIONS)
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        stopping = asyncio.create_task(stop.wait())
        # What lives from the start lives for ever: collecting it again only makes pauses. And of
        # what a request makes next to nothing refers to itself: it goes by its last reference.
        gc.freeze()
        gc.set_threshold(10_000, 20, 100)
        loops = {service.hub.loop.task, service.intake.loop.task, house.doorbell.loop.task}
        await asyncio.wait({running, stopping, *loops}, return_when=asyncio.FIRST_COMPLETED)
        # Streams first: each is told to come back with its cursor, and none holds us up.
        app.state.streams.close()
        server.should_exit = True
        stopping.cancel()
        await running
        for loop in loops:
            # One that ended by itself ends the process, which is started anew.
            if loop.done():
                loop.result()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: this process has one place that stops it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _worker(settings: Settings, url: str, stop: asyncio.Event, *, mark: str | None) -> None:
    async with open_house(settings, url) as house:
        housekeeping = open_housekeeping(house)
        housekeeping.start()
        planner = Planner(house.database)
        planner.loop.start()
        # As in the API. A worker's objects live as long as its orders: searching the young ones
        # in small lots keeps each pause short, and searching all of ten thousand orders takes
        # 0.4 s, so it is done seldom.
        gc.freeze()
        gc.set_threshold(1_000, 3, 60_000)
        working = asyncio.create_task(open_worker(house, mark=mark).run(stop))
        # Not the planner's: orders can be worked without it.
        beside = (house.doorbell.loop.task, housekeeping.loop.task)
        await asyncio.wait({working, *beside}, return_when=asyncio.FIRST_COMPLETED)
        try:
            for loop in beside:
                # One that ended by itself ends the process, which is started anew.
                if loop.done():
                    working.cancel()
                    loop.result()
            await working
        finally:
            await planner.loop.close()
            await housekeeping.close()


async def _follow_parent(stop: asyncio.Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - a parent that dies rings no bell
        await asyncio.sleep(_PARENT_LOOK_SECONDS)
    log.warning("supervisor is gone, stopping")
    stop.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def _child() -> int:
    """What the supervisor starts: `python -m app.main api`, with everything in the environment."""
    parser = argparse.ArgumentParser(prog="python -m app.main")
    parser.add_argument("role", choices=ROLES[1:])
    parser.add_argument("--mark", help="the worker's leases are known by it")
    parser.add_argument("--wait", action="store_true", help="be a worker once stdin says its mark")
    given = parser.parse_args()
    role: str = given.role
    settings = Settings()
    configure_logging(settings)
    assert settings.database_url is not None, "the supervisor hands the database over"
    mark = awaited_mark(settings) if given.wait else given.mark
    if given.wait and mark is None:
        return 0
    return run_role(settings, settings.database_url, role, child=True, mark=mark)


if __name__ == "__main__":
    sys.exit(_child())
