"""A statistics centre for this folder, emptied before each test: the catalogue stays."""

import pytest
from sqlalchemy import Engine

from tests.warehouse.centre import Centre


@pytest.fixture
def centre(centre_engine: Engine) -> Centre:
    made = Centre(centre_engine)
    made.empty()
    return made
