"""What only this folder needs beside the shared warehouse: the superuser of its cluster."""

from collections.abc import Iterator

import psycopg
import pytest

from resources.database import Warehouse


@pytest.fixture
def superuser(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with psycopg.connect(warehouse.embedded.url("postgres"), autocommit=True) as connection:
        yield connection
