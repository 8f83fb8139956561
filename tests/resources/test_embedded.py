"""The embedded PostgreSQL, for real: started, killed, locked out, moved to another port."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from resources.embedded import EmbeddedPostgres
from resources.errors import EmbeddedPostgresError, FolderNotTraversableError
from resources.hosting import answers
from tests.conftest import open_folder

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of its own under a path with a blank and Chinese characters, since it is killed here."""
    with open_folder() as folder:
        embedded = EmbeddedPostgres(folder / "均衡 data")
        embedded.start()
        yield embedded
        embedded.stop()


def scalar(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchone()[0]


def test_it_runs_with_checksums_in_the_time_zone_of_shanghai(server: EmbeddedPostgres):
    url = server.url("postgres")
    assert scalar(url, "select current_setting('data_checksums')") == "on"
    assert scalar(url, "select current_setting('TimeZone')") == "Asia/Shanghai"
    assert scalar(url, "select current_setting('listen_addresses')") == "127.0.0.1"


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_what_is_committed_is_on_the_disk(server: EmbeddedPostgres, setting: str):
    """The servers of other tests are careless (``tests/conftest.py``); this one is as a person has it."""
    assert scalar(server.url("postgres"), f"select current_setting('{setting}')") == "on"


def test_starting_again_leaves_the_same_process(server: EmbeddedPostgres):
    assert server.start().pid == server.start().pid


def test_a_wrong_password_is_refused_on_loopback_and_on_the_socket(server: EmbeddedPostgres):
    status = server.start()
    for host in ("127.0.0.1", str(status.socket_folder)):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=host, port=status.port, user="junheng", password="wrong", dbname="postgres")


def test_the_right_password_is_taken_on_the_socket_too(server: EmbeddedPostgres):
    status = server.start()
    password = server.password_file.read_text().strip()
    psycopg.connect(
        host=str(status.socket_folder), port=status.port, user="junheng", password=password, dbname="postgres"
    ).close()


def test_the_password_file_is_for_its_owner_only(server: EmbeddedPostgres):
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600


def test_committed_rows_survive_a_kill_and_an_immediate_start(server: EmbeddedPostgres):
    url = server.url("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept as select 42 as answer")
    before = server.status()
    os.kill(before.pid, signal.SIGKILL)
    after = server.start()  # at once: the dead server's lock file still stands, its children still live
    assert after.pid != before.pid
    assert after.port == before.port
    assert scalar(server.url("postgres"), "select answer from kept") == 42


def test_a_lock_file_with_the_number_of_another_living_process_does_not_stop_it(server: EmbeddedPostgres):
    server.stop()
    pid_file = server.cluster / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.cluster}\n1\n5432\n\n127.0.0.1\n\nready\n")
    owner = server.cluster.stat()
    os.chown(pid_file, owner.st_uid, owner.st_gid)
    assert server.status().state == "stopped"
    assert server.start().is_running


def test_a_taken_port_is_left_for_another_which_is_remembered(server: EmbeddedPostgres):
    first = server.start().port
    server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first))
        other.listen()
        second = server.start().port
    server.stop()
    assert second != first
    assert server.start().port == second


def test_stopping_twice_says_that_nothing_ran(server: EmbeddedPostgres):
    server.start()
    assert server.stop() is True
    assert server.status().state == "stopped"
    assert server.stop() is False


def test_the_url_of_a_stopped_server_says_how_to_start_it(server: EmbeddedPostgres):
    server.stop()
    with pytest.raises(EmbeddedPostgresError, match="junheng db start"):
        server.url()


def test_when_it_cannot_start_the_error_shows_the_log_and_names_the_way_out(server: EmbeddedPostgres):
    server.stop()
    settings = server.cluster / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "\nmax_connections = lots\n")
    try:
        with pytest.raises(EmbeddedPostgresError) as caught:
            server.start()
    finally:
        settings.write_text(good)
    assert "max_connections" in str(caught.value)
    assert "JUNHENG_WAREHOUSE_URL" in str(caught.value)


def test_two_commands_at_once_make_one_server(folder):
    code = "import sys, pathlib; from resources.embedded import EmbeddedPostgres as E; "
    code += "print(E(pathlib.Path(sys.argv[1])).start().pid)"
    commands = [
        subprocess.Popen([sys.executable, "-c", code, str(folder / "home")], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        pids = {command.communicate(timeout=60)[0].strip() for command in commands}
        assert len(pids) == 1
        assert pids != {""}
    finally:
        EmbeddedPostgres(folder / "home").stop()


def test_a_path_too_long_for_a_socket_gets_a_short_one(folder):
    embedded = EmbeddedPostgres(folder / ("long-" * 20))
    try:
        assert str(embedded.start().socket_folder).startswith("/tmp/junheng-")
    finally:
        embedded.stop()


@needs_root
def test_a_closed_folder_above_the_cluster_is_named_and_not_opened(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(FolderNotTraversableError) as caught:
        EmbeddedPostgres(closed / "home").start()
    assert f"chmod o+x '{closed}'" in str(caught.value)
    assert "JUNHENG_HOME" in str(caught.value)
    assert "JUNHENG_WAREHOUSE_URL" in str(caught.value)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@needs_root
def test_software_in_a_closed_virtual_environment_is_copied_into_the_data_folder(folder, monkeypatch):
    import resources.hosting as hosting

    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    real = hosting.installed_software()
    (closed / "site-packages" / hosting.WHEEL).mkdir(parents=True)
    link = closed / "site-packages" / hosting.WHEEL / hosting.INSTALLATION
    link.symlink_to(real)
    (closed / "site-packages" / f"{hosting.WHEEL}.libs").symlink_to(real.parent.parent / f"{hosting.WHEEL}.libs")
    monkeypatch.setattr(hosting, "installed_software", lambda: link)
    embedded = EmbeddedPostgres(folder / "home")
    try:
        assert embedded.start().is_running
        assert list((folder / "home").glob("postgres-software-*"))
    finally:
        embedded.stop()


def test_a_folder_that_holds_something_else_is_not_touched(folder):
    (folder / "home" / "postgres").mkdir(parents=True)
    (folder / "home" / "postgres" / "letter.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="holds no cluster"):
        EmbeddedPostgres(folder / "home").start()
    assert (folder / "home" / "postgres" / "letter.txt").read_text() == "mine"


def test_a_cluster_of_another_version_is_refused_by_name(folder):
    (folder / "home" / "postgres").mkdir(parents=True)
    (folder / "home" / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match="of PostgreSQL 12, the installed one is 18"):
        EmbeddedPostgres(folder / "home").start()


def test_a_port_where_nobody_speaks_postgresql_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert answers(silent.getsockname()[1], timeout_seconds=0.1) is False
