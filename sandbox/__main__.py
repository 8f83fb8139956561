"""`python -m sandbox`: the stand-in platforms as a process.

What is here: the command line, the listening socket, the port file, and the ways to end. What is not here: HTTP
endpoints (`server`).
"""

import argparse
import asyncio
import datetime as dt
import ipaddress
import logging
import os
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn

from sandbox.annual import HORIZON
from sandbox.platforms import Clock, Platforms
from sandbox.presets import put_faults, summarise
from sandbox.server import PlatformServer
from sandbox.tables import TableMaker

PARENT_POLL_SECONDS = 0.5
GRACE_SECONDS = 1


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="93 stand-in platforms (31 provinces × employment, education, health) over HTTP, with published "
        "figures, estimates by plain rules, switchable faults and known truth.",
        epilog="Try: curl http://127.0.0.1:PORT/510000/health/returns",
    )
    parser.add_argument("--port", type=int, default=8931, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is made (default: %(default)s)")
    parser.add_argument(
        "--today", type=dt.date.fromisoformat, metavar="YYYY-MM-DD",
        help="the platforms stay at the end of this day (default: the real clock, Asia/Shanghai)",
    )  # fmt: skip
    parser.add_argument(
        "--faults", default="none", metavar="none|nasty|NAME:rate,…",
        help="faults from the start, placed by the seed (default: %(default)s; GET /control/faults says what there is)",
    )  # fmt: skip
    parser.add_argument(
        "--captures", action="store_true",
        help="annual figures as captured by that day (2025-09-21, 2026-01-14, 2026-03-19, 2026-04-12): revised figures",
    )  # fmt: skip
    parser.add_argument("--port-file", type=Path, help="write the bound port here as soon as it answers")
    parser.add_argument("--with-parent", type=int, metavar="PID", help="end when this process ends")
    parser.add_argument("--verbose", action="store_true", help="one line a request")
    return parser.parse_args(arguments)


def write_port_file(path: Path, port: int) -> None:
    """Write the port so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(f"{port}\n")
    Path(name).replace(path)


def is_running(process_id: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class SandboxServer(uvicorn.Server):
    """A uvicorn server that tells its port when it answers, and ends with its parent."""

    def __init__(self, config: uvicorn.Config, options: argparse.Namespace, port: int) -> None:
        super().__init__(config)
        self._options = options
        self._port = port
        self._watch: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then write the port file."""
        await super().startup(sockets)
        if self._options.port_file:
            write_port_file(self._options.port_file, self._port)
        if self._options.with_parent:
            self._watch = asyncio.create_task(self._end_with_parent(self._options.with_parent))
        print(f"sandbox: 93 platforms at http://{self._options.host}:{self._port}", flush=True)

    async def _end_with_parent(self, parent: int) -> None:
        is_child = os.getppid() == parent  # a dead parent may linger as a zombie; a child is then re-parented
        while is_running(parent) and (not is_child or os.getppid() == parent):
            await asyncio.sleep(PARENT_POLL_SECONDS)
        self.should_exit = True


def check_exposure(host: str) -> None:
    """Refuse to show the demo secret to a network; raises `SystemExit` with what to do."""
    is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    if not is_loopback and not os.environ.get("JUNHENG_SANDBOX_CLIENT_SECRET"):
        raise SystemExit(f"sandbox: to listen on {host}, set JUNHENG_SANDBOX_CLIENT_ID and …_CLIENT_SECRET")


def _is_no_cut_answer(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is news: an answer that a fault cuts is none."""
    return "without completing response" not in record.getMessage()


def main(arguments: list[str] | None = None) -> int:
    """Serve until ended; 1 where the port is taken."""
    options = parse_arguments(arguments)
    check_exposure(options.host)
    if options.port_file:
        options.port_file.unlink(missing_ok=True)  # of a sandbox that was killed: nobody must read it
    listener = socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        where = f"{options.host}:{options.port}"
        print(f"sandbox: cannot listen on {where}: {error.strerror}; try --port 0", file=sys.stderr)
        return 1
    clock = Clock(options.today)
    if clock.now().year > HORIZON:
        print(f"sandbox: figures are made up to {HORIZON}; raise HORIZON in sandbox/annual.py", file=sys.stderr)
        return 1
    platforms = Platforms(TableMaker(options.seed), clock, with_captures=options.captures)
    try:
        put_faults(platforms, options.faults, options.seed)
    except ValueError as error:
        print(f"sandbox: --faults: {error}", file=sys.stderr)
        return 1
    print(f"sandbox: faults: {summarise(platforms)}", flush=True)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut_answer)
    config = uvicorn.Config(
        PlatformServer(platforms).application(),
        lifespan="off",
        log_level="info" if options.verbose else "warning",
        access_log=options.verbose,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    SandboxServer(config, options, listener.getsockname()[1]).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
