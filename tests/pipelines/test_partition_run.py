"""A person launches a range of partitions in the UI: that is collected, and nothing else."""

import dagster as dg
import pytest

from pipelines.definitions import NIGHTLY, build_definitions
from pipelines.settings import Settings
from tests.assets.nights import NINGXIA, Nights
from tests.assets.world import one_checks_process, open_instance

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def launch(nights: Nights, first: str, last: str) -> None:
    """As the UI does for assets with one run a backfill."""
    place = nights.world.place.at(NOW="2026-05-17T12:00:00", PLATFORM_URL=nights.world.sandbox.url_template)
    selection = {dg.AssetKey("employment_monthly_returns"), dg.AssetKey("employment_monthly_ledger")}
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    with place.environment(), open_instance(place) as instance:
        job = build_definitions(Settings.load()).resolve_implicit_global_asset_job_def()
        subset = job.get_subset(asset_selection=selection)
        assert subset.execute_in_process(instance=instance, tags=tags, run_config=QUIET).success


def test_a_failed_run_records_its_refresh_as_failed_whoever_launched_it(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the fact cannot be computed tonight")

    monkeypatch.setattr("assets.observations.compute_observations", broken)
    place = nights.world.place.at(NOW="2026-05-16T12:00:00", PLATFORM_URL=nights.world.sandbox.url_template)
    scope = {"resources": {"scope": {"config": {"provinces": [NINGXIA], "sectors": ["health"]}}}}
    with place.environment(), one_checks_process(), open_instance(place) as instance:
        job = build_definitions(Settings.load()).resolve_job_def(NIGHTLY)
        result = job.execute_in_process(instance=instance, run_config=QUIET | scope, raise_on_error=False)
        assert not result.success
    refresh = place.rows("SELECT status, finished_at FROM ops.refresh ORDER BY refresh_id DESC LIMIT 1")[0]
    assert refresh["status"] == "failed"
    assert refresh["finished_at"] is not None


def test_a_range_of_partitions_collects_that_and_nothing_else(nights: Nights) -> None:
    for month in ("2026-01", "2026-02", "2026-03"):
        nights.world.sandbox.set_fault(f"{NINGXIA}/employment", "revised", f"employment_monthly-{month}")
    before = nights.world.place.rows("SELECT max(refresh_id) AS last FROM ops.refresh")[0]["last"]
    launch(nights, f"2026-02|{NINGXIA}", f"2026-03|{NINGXIA}")
    nights.world.sandbox.clear_faults()
    waiting = nights.world.place.rows(
        "SELECT platform, form, period_code FROM ops.arrival WHERE refresh_id > :before ORDER BY 1, 2, 3", before=before
    )
    assert waiting == [
        {"platform": f"{NINGXIA}/employment", "form": "employment_monthly", "period_code": "2026-02"},
        {"platform": f"{NINGXIA}/employment", "form": "employment_monthly", "period_code": "2026-03"},
    ]
