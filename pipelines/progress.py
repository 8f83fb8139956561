"""Progress of a command: stage lines on the terminal, every line in the log file. Not here: what is logged.

The logger ``junheng.stage`` has one line a stage; the rooms' own loggers have one a return and whatever went wrong.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

STAGE = "junheng.stage"
LOGGED = ("junheng", "assets", "resources", "returns", "expectations", "warehouse")
LOG_BYTES, LOG_FILES = 10_000_000, 5


class _StatusLine(logging.Handler):
    """On a terminal one line that is overwritten, warnings kept; elsewhere plain lines."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not sys.stderr.isatty():
            print(text, file=sys.stderr, flush=True)
        elif record.levelno >= logging.WARNING:
            print(f"\r\x1b[K{text}", file=sys.stderr, flush=True)
        else:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextmanager
def showing_progress(home: Path, level: str) -> Iterator[None]:
    """Show stages on stderr and write all lines to ``<home>/log/junheng.log`` for the time of the block."""
    folder = home / "log"
    folder.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(folder / "junheng.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    line = _StatusLine(level=logging.INFO)
    stage = logging.getLogger(STAGE)
    rooms = [logging.getLogger(name) for name in LOGGED]
    for room in rooms:
        room.setLevel(level)
        room.propagate = False
        room.addHandler(file)
    stage.addHandler(line)
    try:
        yield
    finally:
        stage.removeHandler(line)
        for room in rooms:
            room.removeHandler(file)
        file.close()
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
