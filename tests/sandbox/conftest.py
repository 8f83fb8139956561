"""One sandbox process a session on a free port, and the makers of figures in memory."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.reference import Reference, load_reference
from sandbox.tables import TableMaker

REPOSITORY = Path(__file__).resolve().parents[2]
TODAY = "2026-11-24"
START_SECONDS = 20.0


class Client:
    """A session against one sandbox: paths instead of URLs, a token for employment."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **options: object) -> requests.Response:
        return self.session.get(self.base + path, timeout=10, **options)  # type: ignore[arg-type]

    def token(self, platform: str, secret: str = "sandbox") -> requests.Response:
        form = {"client_id": "junheng", "client_secret": secret}
        return self.session.post(f"{self.base}/{platform}/token", data=form, timeout=10)

    def bearer(self, platform: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(platform).json()['data']['access_token']}"}

    def set_fault(self, platform: str, fault: str, return_id: str | None = None) -> requests.Response:
        body = {"platform": platform, "fault": fault, "return_id": return_id}
        return self.session.post(f"{self.base}/control/faults", json=body, timeout=10)

    def ask_faults(self, **asked: object) -> requests.Response:
        return self.session.post(f"{self.base}/control/faults", json=asked, timeout=10)

    def verdicts(self) -> list[dict[str, object]]:
        return list(self.get("/control/verdicts").json()["rows"])

    def clear_faults(self) -> None:
        self.session.delete(f"{self.base}/control/faults", timeout=10)

    def truth(self, **asked: str) -> dict[str, object]:
        return dict(self.get("/control/truth", params=asked).json())


def start_sandbox(port_file: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start `python -m sandbox` on a free port and wait until it answers."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JUNHENG_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--port-file", str(port_file), *arguments],
        cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not port_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"the sandbox did not start (exit code {process.wait()})")
        time.sleep(0.02)
    return process, f"http://127.0.0.1:{port_file.read_text().strip()}"


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, url = start_sandbox(tmp_path_factory.mktemp("sandbox") / "port", "--seed", "1", "--today", TODAY)
    yield url
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def client(sandbox_url: str) -> Iterator[Client]:
    """A client of a sandbox without faults; those a test sets are cleared after it."""
    each = Client(sandbox_url)
    yield each
    each.clear_faults()
    each.session.close()


@pytest.fixture(scope="session")
def maker() -> TableMaker:
    return TableMaker(seed=1)


@pytest.fixture(scope="session")
def reference() -> Reference:
    return load_reference()
