"""Running the sandbox platforms beside a command: start, find their address, end with us. Not here: the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import Settings
from warehouse.errors import JunhengError

START_TIMEOUT_SECONDS = 60.0
CLIENT_ID, CLIENT_SECRET = "junheng", "sandbox"
"""What the sandbox expects for its tokens; no secret, it serves made figures on loopback."""


class SandboxError(JunhengError):
    """The sandbox did not come up: read what it said."""


@dataclass
class Sandbox:
    """A sandbox that was started; :meth:`url_template` waits until it answers."""

    process: subprocess.Popen[bytes]
    port_file: Path
    log_file: Path

    def url_template(self) -> str:
        """``http://127.0.0.1:PORT/{province}/{sector}``."""
        return f"http://127.0.0.1:{self.port()}/{{province}}/{{sector}}"

    def port(self) -> int:
        """The port it listens on; waits for it, raises :class:`SandboxError` where it ended or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self.port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = self.log_file.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise SandboxError(f"the sandbox did not start; it said:\n{said or '(nothing)'}")
            time.sleep(0.02)
        return int(self.port_file.read_text(encoding="ascii"))


@contextmanager
def running_sandbox(settings: Settings) -> Iterator[Sandbox]:
    """A sandbox on a free port for the time of the block; it stands at ``JUNHENG_NOW`` where that is set."""
    with tempfile.TemporaryDirectory(prefix="junheng-sandbox-") as folder:
        port_file, log_file = Path(folder) / "port", Path(folder) / "log"
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--port-file", str(port_file)]
        command += ["--with-parent", str(os.getpid())]
        if settings.now:
            command += ["--today", settings.now.date().isoformat()]
        with log_file.open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield Sandbox(process, port_file, log_file)
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def use_sandbox(sandbox: Sandbox) -> None:
    """Point this process and its children at the sandbox."""
    os.environ["JUNHENG_PLATFORM_URL"] = sandbox.url_template()
    os.environ["JUNHENG_CLIENT_ID"], os.environ["JUNHENG_CLIENT_SECRET"] = CLIENT_ID, CLIENT_SECRET
