"""What a person reads after a refresh. Here: wording and layout. Not here: the queries (warehouse.reporting)."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.settings import SHANGHAI
from warehouse.reporting import RefreshReport

SHOWN_TROUBLES = 20


def summary_lines(report: RefreshReport, seconds: float | None, bi_url: str) -> Iterator[str]:
    """The summary, line by line."""
    refresh, release = report.refresh, report.release
    yield ""
    took = "" if seconds is None else f" · {seconds:.0f} s"
    yield f"Refresh {refresh['refresh_id']} · {refresh['status']}{took}"
    yield ""
    yield from _returns(report)
    cells = {name: f"{count:,}" for name, count in report.cells.items()}
    yield (
        f"Cells    {cells['read']} read = {cells['loaded']} loaded + {cells['unchanged']} unchanged"
        f" + {cells['quarantined']} quarantined"
    )
    checks = report.checks
    yield f"Checks   {checks['passed']} passed, {checks['warned']} warned, {checks['failed']} failed"
    yield f"Release  {_release(report)}"
    for trouble in report.troubles[:SHOWN_TROUBLES]:
        yield f"WARNING  {trouble}"
    if len(report.troubles) > SHOWN_TROUBLES:
        yield f"WARNING  and {len(report.troubles) - SHOWN_TROUBLES} more: junheng status --troubles lists every one"
    if report.findings:
        yield ""
        yield "Findings (observed figures of the newest period; estimates left out)"
        for number, finding in enumerate(report.findings, start=1):
            yield f"  {number}. {finding}"
    if release is not None:
        yield ""
        yield "Next"
        yield "  make ui                     the runs, assets, partitions and checks in Dagster, http://127.0.0.1:3000"
        yield f"  psql '{bi_url}'"
        yield "                              the marts, in psql or any BI tool (junheng db bi-url prints this line)"
        yield "  .venv/bin/junheng --help    every command"


def _returns(report: RefreshReport) -> Iterator[str]:
    columns = ["due", "arrived", "new", "late", "failed", "quarantined"]
    yield f"{'Returns':<12}" + "".join(f"{column:>13}" for column in columns)
    frame = report.returns
    for row in frame.to_dict("records"):
        yield f"  {row['sector']:<10}" + "".join(f"{row[column]:>13,}" for column in columns)
    yield f"  {'all':<10}" + "".join(f"{int(frame[column].sum()):>13,}" for column in columns)
    yield ""


def _release(report: RefreshReport) -> str:
    release, prepared = report.release, report.prepared
    if prepared is not None:
        number, release_id = prepared["release_id"], release["release_id"] if release else None
        if prepared["status"] == "held":
            waits = (
                f"held: {prepared['held_because']} (junheng release show {number}, junheng release approve {number})"
            )
        else:
            waits = f"under embargo until {prepared['published_at'].astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        return f"{number} is prepared, {waits}; in force {f'stays {release_id}' if release else 'is none'}"
    if release is None:
        return "none: nothing could be published"
    told = f"{release['release_id']}, {release['observations']:,} observations, sha256 {release['marts_sha256'][:12]}"
    match report.refresh["status"]:
        case "published":
            return f"{told}, {release['revisions']:,} figures revised"
        case "unchanged":
            return f"nothing new: no figure changed, no release made; in force stays {told}"
        case _:
            return f"none made; in force stays {told}"
