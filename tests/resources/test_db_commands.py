"""``junheng db`` as a person uses it: exit codes, and what stands in the last line."""

import os
import subprocess
import sys

import psycopg
import pytest

from resources.database import Warehouse


def junheng_db(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JUNHENG_")}
    code = "from pipelines.commands.db import db; db(prog_name='junheng db')"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=clean | environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def home(warehouse: Warehouse) -> str:
    return str(warehouse.home)


@pytest.mark.parametrize(("command", "role"), [("url", "junheng"), ("bi-url", "bi_reader")])
def test_the_last_line_is_a_url_that_connects(home: str, command: str, role: str):
    done = junheng_db(command, JUNHENG_HOME=home)
    assert done.returncode == 0
    with psycopg.connect(done.stdout.splitlines()[-1]) as connection:
        assert connection.execute("select current_user").fetchone() == (role,)


def test_psql_opens_the_warehouse(home: str):
    done = junheng_db("psql", "-XAtc", "select current_user || '@' || current_database()", JUNHENG_HOME=home)
    assert (done.returncode, done.stdout) == (0, "junheng@junheng\n")


def test_psql_as_reader_is_read_only(home: str):
    done = junheng_db("psql", "--reader", "-XAtc", "show default_transaction_read_only", JUNHENG_HOME=home)
    assert (done.returncode, done.stdout) == (0, "on\n")


def test_status_of_a_running_server_names_its_address(home: str, warehouse: Warehouse):
    done = junheng_db("status", JUNHENG_HOME=home)
    assert done.returncode == 0
    assert f"127.0.0.1:{warehouse.embedded.status().port}" in done.stdout


def test_status_where_nothing_runs_is_3(tmp_path):
    done = junheng_db("status", JUNHENG_HOME=str(tmp_path))
    assert done.returncode == 3
    assert "junheng db start" in done.stdout


def test_starting_and_stopping_what_is_not_ours_says_so(warehouse: Warehouse, tmp_path):
    elsewhere = {"JUNHENG_WAREHOUSE_URL": warehouse.url(), "JUNHENG_HOME": str(tmp_path)}
    started, stopped = junheng_db("start", **elsewhere), junheng_db("stop", **elsewhere)
    assert "nothing to start" in started.stdout
    assert "nothing to stop" in stopped.stdout
    assert (started.returncode, stopped.returncode) == (0, 0)
    warehouse.rotate_bi_password()  # that other home gave the reader a password of its own


def test_what_failed_is_1_with_one_message_and_no_password():
    done = junheng_db("url", JUNHENG_WAREHOUSE_URL="postgresql://u:hidden@127.0.0.1:1/d", JUNHENG_HOME="/tmp")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: no connection to the warehouse postgresql://u:***@127.0.0.1:1/d")
    assert "JUNHENG_WAREHOUSE_URL" in done.stderr
    assert "hidden" not in done.stderr
