"""The main process's end of the checks process. Not here: any check, any Great Expectations (importing is cheap).

    with ChecksProcess() as checks:          # starts at once, imports Great Expectations meanwhile
        …collect, read…
        outcome = checks.validate("health", observations, reference=reference, arrivals=arrivals)

A process that died or hung raises :class:`ChecksUnavailable` with its last words; the next call starts a new one.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pandas as pd

from expectations.errors import CheckRunError, ChecksUnavailable, UnknownSuiteError
from expectations.model import SuiteOutcome
from expectations.registry import SUITES
from expectations.wire import encode, unpack, write_table

# Great Expectations takes 4 s to import, 8.5 s without compiled bytecode, several times that on a loaded machine.
START_TIMEOUT_SECONDS = 120.0
# 1.3 million rows take about 3 s.
VALIDATE_TIMEOUT_SECONDS = 300.0
# Long enough for a traceback of the engine, short enough for an alert.
STDERR_TAIL_CHARACTERS = 2_000
_CLOSE_TIMEOUT_SECONDS = 5.0


class ChecksProcess:
    """A checks process that is started once a refresh and asked once a table.

    Calls may come from several threads; they are answered one after the other.
    """

    def __init__(
        self,
        start_timeout_seconds: float = START_TIMEOUT_SECONDS,
        validate_timeout_seconds: float = VALIDATE_TIMEOUT_SECONDS,
    ) -> None:
        self.start_timeout_seconds = start_timeout_seconds
        self.validate_timeout_seconds = validate_timeout_seconds
        self._running: _Running | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def __enter__(self) -> ChecksProcess:
        self.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the worker, ``None`` where none runs."""
        return self._running.process.pid if self._running else None

    def start(self) -> None:
        """Start the worker and return at once; nothing happens where it runs already."""
        with self._lock:
            self._ensure()

    def close(self) -> None:
        """End the worker and remove its files. Safe to call twice."""
        with self._lock:
            running, self._running = self._running, None
        if running:
            running.end()

    def validate(
        self,
        suite: str,
        table: pd.DataFrame | Path,
        reference: pd.DataFrame | Path | None = None,
        arrivals: pd.DataFrame | Path | None = None,
        timeout_seconds: float | None = None,
    ) -> SuiteOutcome:
        """Run a suite on a table: a frame, or the path of a Feather file (its rows are then numbered from 0).

        ``reference`` and ``arrivals`` as for :func:`expectations.prepare.prepare`. The outcome's ``rows`` are labels of
        the frame's index. Raises :class:`UnknownSuiteError`, :class:`CheckRunError` where a check could not be
        evaluated, :class:`ChecksUnavailable` where the worker died or took longer than the timeout.
        """
        if suite not in SUITES:
            raise UnknownSuiteError(suite, list(SUITES))
        with self._lock:
            running = self._ensure()
            number = next(self._numbers)
            try:
                outcome = self._ask(running, number, suite, table, reference, arrivals, timeout_seconds)
            except (ChecksUnavailable, KeyboardInterrupt):
                self._running = None
                running.end(kill=True)
                raise
        if isinstance(table, pd.DataFrame):
            return _relabel(outcome, table.index)
        return outcome

    def _ensure(self) -> _Running:
        if self._running is None:
            self._running = _Running.start()
        return self._running

    def _ask(
        self,
        running: _Running,
        number: int,
        suite: str,
        table: pd.DataFrame | Path,
        reference: pd.DataFrame | Path | None,
        arrivals: pd.DataFrame | Path | None,
        timeout_seconds: float | None,
    ) -> SuiteOutcome:
        frames = {"table": table, "reference": reference, "arrivals": arrivals}
        paths = {name: running.hand_over(frame, f"{number}.{name}") for name, frame in frames.items()}
        rows = running.folder / f"{number}.rows.npy"
        running.wait_until_ready(self.start_timeout_seconds)
        running.send({"id": number, "suite": suite, "rows": str(rows), **{n: p and str(p) for n, p in paths.items()}})
        answer = running.receive(timeout_seconds or self.validate_timeout_seconds, f"the suite {suite}")
        if answer.get("id") != number:
            raise ChecksUnavailable(
                f"answered another question than was asked ({answer.get('id')})", running.last_words()
            )
        if "error" in answer:
            raise CheckRunError(f"{suite}.*", f"{answer['error_class']}: {answer['error']}")
        outcome = unpack(answer["outcome"], rows)
        for left in running.folder.glob(f"{number}.*"):
            left.unlink()
        return outcome


def _relabel(outcome: SuiteOutcome, index: pd.Index[Any]) -> SuiteOutcome:
    """Positions as labels of the caller's index (the same where it counts from 0)."""
    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return outcome
    for check in outcome.checks:
        object.__setattr__(check, "rows", index.to_numpy()[check.rows])
    return outcome


class _Running:
    """One worker process with its pipes, its folder and the thread that reads its answers."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, stderr: IO[bytes]) -> None:
        self.process = process
        self.folder = folder
        self.stderr = stderr
        self.is_ready = False
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.reader = threading.Thread(target=self._read, name="checks-answers", daemon=True)
        self.reader.start()

    @classmethod
    def start(cls) -> _Running:
        folder = Path(tempfile.mkdtemp(prefix="junheng-checks-"))
        stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        root = str(Path(__file__).resolve().parents[1])
        environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "expectations.worker", str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
            )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            stderr.close()
            raise ChecksUnavailable(f"could not be started ({error})") from error
        return cls(process, folder, stderr)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(b"")

    def hand_over(self, frame: pd.DataFrame | Path | None, name: str) -> Path | None:
        """The path under which the worker finds ``frame``."""
        if not isinstance(frame, pd.DataFrame):
            return frame
        path = self.folder / f"{name}.arrow"
        try:
            write_table(frame, path)
        except FileNotFoundError as error:
            # the worker removes its folder when it ends
            raise ChecksUnavailable(self._how_it_ended(), self.last_words()) from error
        return path

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Until the worker has imported what it needs."""
        if not self.is_ready:
            self.receive(timeout_seconds, "its start")
            self.is_ready = True

    def send(self, message: dict[str, Any]) -> None:
        """Put a question."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(encode(message))
            self.process.stdin.flush()
        except OSError as error:
            raise ChecksUnavailable(self._how_it_ended(), self.last_words()) from error

    def receive(self, timeout_seconds: float, what: str) -> dict[str, Any]:
        """The next message."""
        started = time.monotonic()
        try:
            line = self.lines.get(timeout=timeout_seconds)
        except queue.Empty as error:
            waited = time.monotonic() - started
            raise ChecksUnavailable(f"did not finish {what} within {waited:.0f} s", self.last_words()) from error
        if not line:
            raise ChecksUnavailable(self._how_it_ended(), self.last_words())
        message: dict[str, Any] = json.loads(line)
        return message

    def _how_it_ended(self) -> str:
        try:
            code = self.process.wait(timeout=_CLOSE_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def last_words(self) -> str:
        """The end of what the worker wrote to stderr."""
        size = self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, size - 4 * STDERR_TAIL_CHARACTERS))
        return self.stderr.read().decode(errors="replace")[-STDERR_TAIL_CHARACTERS:].strip()

    def end(self, kill: bool = False) -> None:
        """Close stdin, which ends the worker; kill one that does not listen; remove its files."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if kill:
            self.process.kill()
        with contextlib.suppress(OSError):  # it died with a question unread in the pipe
            self.process.stdin.close()
        try:
            self.process.wait(timeout=_CLOSE_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            # busy with an import or a question nobody waits for any more
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=_CLOSE_TIMEOUT_SECONDS)
        self.process.stdout.close()
        self.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
