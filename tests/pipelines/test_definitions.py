"""The code location: what is scheduled, what the UI may see, that the workspace finds it."""

import importlib
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._serdes import serialize_value

from pipelines.definitions import NIGHTLY, build_assets, build_definitions
from pipelines.settings import Settings
from tests.assets.world import ROOT

WORKSPACE = ROOT / "workspace.yaml"


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(settings_in(tmp_path_factory.mktemp("home")))


def settings_in(home: Path) -> Settings:
    return Settings.model_validate(
        {
            "home": home,
            "warehouse_url": "postgresql://owner:first-secret@db.example/junheng",
            "dagster_url": "postgresql://owner:second-secret@db.example/dagster",
            "platform_url": "https://{province}.example/{sector}",
            "client_id": "centre",
            "client_secret": "third-secret",
        }
    )


def test_the_night_is_at_two_in_shanghai_and_on_from_the_start(definitions: dg.Definitions) -> None:
    [schedule] = definitions.schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "Asia/Shanghai")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == NIGHTLY


def test_the_nightly_job_holds_every_asset_whatever_its_partitions(definitions: dg.Definitions) -> None:
    keys = definitions.resolve_job_def(NIGHTLY).asset_layer.executable_asset_keys
    assert keys == {spec.key for asset in build_assets(with_portal=False) for spec in asset.specs}
    assert len({spec.partitions_def for asset in build_assets() for spec in asset.specs}) > 4


@pytest.mark.parametrize("address", [None, "https://portal.example/external"])
def test_the_portal_has_assets_only_where_it_has_an_address(tmp_path: Path, address: str | None) -> None:
    made = build_definitions(Settings(home=tmp_path, portal_url=address))
    keys = {key.to_user_string() for key in made.resolve_job_def(NIGHTLY).asset_layer.executable_asset_keys}
    assert ("portal_annual_returns" in keys) == (address is not None)


def test_the_ui_sees_the_name_of_a_secret_and_never_the_secret(definitions: dg.Definitions) -> None:
    seen = serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))
    assert "JUNHENG_CLIENT_SECRET" in seen
    assert "JUNHENG_WAREHOUSE_URL" in seen
    assert [word for word in ("first-secret", "second-secret", "third-secret") if word in seen] == []


def test_definitions_are_loadable(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_workspace_names_a_module_with_definitions() -> None:
    [origin] = location_origins_from_yaml_paths([str(WORKSPACE)])
    assert origin.location_name == "junheng"
    module = importlib.import_module(str(origin.loadable_target_origin.module_name))
    assert isinstance(module.defs, dg.Definitions)
    assert module.defs.has_resolved_repository_def() or NIGHTLY in [job.name for job in module.defs.jobs or []]


def test_runs_stay_in_one_process(definitions: dg.Definitions) -> None:
    assert definitions.resolve_job_def(NIGHTLY).executor_def.name == "in_process"
