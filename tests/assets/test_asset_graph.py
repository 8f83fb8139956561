"""The asset graph is the one that was reviewed, and every asset says what it is."""

import dagster as dg
import pytest

from pipelines.definitions import build_assets
from tests.assets.graph import SNAPSHOT, describe_graph

SPECS = {spec.key.to_user_string(): spec for asset in build_assets() for spec in asset.specs}


def test_the_graph_is_the_reviewed_one() -> None:
    assert describe_graph() == SNAPSHOT.read_text(encoding="utf-8"), (
        "the asset graph changed; if that is meant: .venv/bin/python -m tests.assets.graph, and commit the file"
    )


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_an_asset_says_who_owns_it_and_what_it_is(spec: dg.AssetSpec) -> None:
    assert spec.group_name not in (None, "default")
    assert spec.owners
    assert spec.kinds
    assert spec.description
    assert len(spec.description) > 20


@pytest.mark.parametrize("name", [name for name in SPECS if name.endswith("_observations") or name.startswith("mart_")])
def test_a_table_shows_its_columns_with_comments(name: str) -> None:
    schema = SPECS[name].metadata["dagster/column_schema"]
    assert len(schema.columns) > 5
    assert all(column.description for column in schema.columns)
