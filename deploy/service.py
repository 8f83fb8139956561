"""``python -m deploy.service PROGRAM ARGUMENT…``: one service of a server, as its systemd unit starts it.

Brings databases, roles, schema and Dagster's folder up to date as ``junheng ui`` does, then becomes PROGRAM of this
environment. So the URL with its password stands in one place, and units say plainly what runs. Not here: the sandbox.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines.commands.db import open_warehouse
from pipelines.instance import prepare_instance
from pipelines.settings import Settings
from warehouse.errors import JunhengError
from warehouse.migrating import migrate


def prepare() -> None:
    """Make what is missing; afterwards this process's environment is that of the instance."""
    warehouse = open_warehouse().ensure()
    engine = warehouse.engine()
    try:
        migrate(engine)
    finally:
        engine.dispose()
    prepare_instance(Settings.load(), warehouse)


def main(command: list[str]) -> None:
    """Prepare, then become ``command``; ends with a message where something must be mended first."""
    if not command:
        raise SystemExit("usage: python -m deploy.service PROGRAM ARGUMENT…")
    try:
        prepare()
    except JunhengError as error:
        raise SystemExit(str(error)) from error
    program = str(Path(sys.executable).parent / command[0])
    os.execv(program, [program, *command[1:]])


if __name__ == "__main__":
    main(sys.argv[1:])
