"""What the sandbox's platforms print, read and loaded without HTTP and without Dagster. Not here: any expectation."""

import hashlib

from returns.reading import Arrival, read_returns
from sandbox.platforms import Platforms
from tests.warehouse.centre import CATALOGUE, Centre
from warehouse.calendar import due_on
from warehouse.loading import load_returns
from warehouse.periods import parse_period
from warehouse.receipts import Collected, Refresh, known_deliveries, pending_arrivals, record_arrivals


def follow(centre: Centre, form: str, platforms: Platforms, years: range, refresh: Refresh) -> None:
    """Load the returns of a form that the platforms list with another time of modification than before."""
    with centre.engine.begin() as connection:
        known = known_deliveries(connection, form)
        contents: dict[str, bytes] = {}
        collected = []
        for platform in platforms.by_code.values():
            for offer in platforms.available(platform, form):
                code = offer.period.code
                before = known.get((platform.code, form, code))
                if int(code) not in years or (before is not None and before.modified_at == offer.modified):
                    continue
                content = b"\n".join(platforms.deliver(platform, offer))
                sha256 = hashlib.sha256(content).hexdigest()
                contents[sha256] = content
                due = due_on(CATALOGUE.forms[form], parse_period(code))
                collected.append(
                    Collected(platform.code, platform.sector, form, platform.province.code, code, sha256, len(content),
                              offer.file_name, offer.media_type, offer.etag, offer.modified, centre.now(), due)
                )  # fmt: skip
        record_arrivals(connection, refresh, collected)
        arrivals = pending_arrivals(connection, form)
        if arrivals.empty:
            return
        names = (
            "arrival_id",
            "platform",
            "sector",
            "form",
            "region_code",
            "period_code",
            "sha256",
            "file_name",
            "media_type",
        )
        waiting = [Arrival(*(row[name] for name in names)) for row in arrivals.to_dict("records")]
        read = read_returns(waiting, contents.__getitem__, CATALOGUE)
        assert read.quarantined.empty
        load_returns(connection, refresh, arrivals, read.observations, read.quarantined, read.verdicts, CATALOGUE)
