"""``junheng whatif``: a raised standard, before it is set: who falls under it, how far, what it costs, who is at risk.

Here: the command and its words. Not here: the answer (:mod:`warehouse.whatif`). Nothing is written. Exit codes: 0 done, 1
there are no such figures, 2 the call was wrong.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.connecting import warehouse_connection
from pipelines.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.catalogue import Catalogue, Indicator
    from warehouse.whatif import Answer, Question, Standing

_SHOWN = 20


@click.command()
@click.option("--indicator", "code", required=True, metavar="CODE", help="e.g. EDU_PRIMARY_PUBLIC_FUNDS.")
@click.option("--floor", required=True, type=float, help="The standard to try, in the indicator's unit.")
@click.option("--period", metavar="CODE", help="e.g. 2024, SY2023; else the newest year there are figures of.")
@click.option(
    "--area-type",
    type=click.Choice(["total", "urban", "rural"]),
    default="total",
    show_default=True,
    help="Which figures.",
)
@click.option(
    "--scope",
    "level",
    type=click.Choice(["province", "county"]),
    default="province",
    show_default=True,
    help="Which places.",
)
@click.option(
    "--all", "every", is_flag=True, help=f"Every place under the floor, not only the {_SHOWN} furthest below."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every place.")
def whatif(code: str, floor: float, period: str | None, area_type: str, level: str, every: bool, as_json: bool) -> None:
    """Try a standard before it is set: places and people under it, cost, risk, beside the floor in force.

    \b
    junheng whatif --indicator EDU_PRIMARY_PUBLIC_FUNDS --floor 800 --area-type rural
    junheng whatif --indicator EDU_JUNIOR_PUPILS_PER_TEACHER --floor 12 --scope county

    Nothing is written. It asks what would be so if places stayed as they are in that period.
    """
    from warehouse.catalogue import load_catalogue
    from warehouse.periods import parse_period
    from warehouse.whatif import Question, ask

    catalogue = load_catalogue(local_standards=Settings.load().local_standards)
    question: Any = Question(code, floor, area_type, level, period)  # type: ignore[arg-type]  # click chose among them
    _check(question, catalogue)
    if period is not None:
        parse_period(period)
    with warehouse_connection() as connection:
        answer = ask(connection, catalogue, question)
    if as_json:
        click.echo(json.dumps(_as_data(answer), ensure_ascii=False, indent=2))
    else:
        for line in _lines(answer, None if every else _SHOWN):
            click.echo(line)


def _check(question: Question, catalogue: Catalogue) -> None:
    """Refuse what cannot be asked of the indicator, before a database is needed."""
    indicator = catalogue.indicators.get(question.indicator_code)
    if indicator is None:
        raise click.BadParameter(f"{question.indicator_code!r} is no indicator", param_hint="--indicator")
    if indicator.direction == "neutral":
        raise click.BadParameter(f"neither more nor less of {indicator.code} is better", param_hint="--indicator")
    if not indicator.is_comparable:
        reason = f"{indicator.code} is a count, which says nothing over several places; ask for a rate"
        raise click.BadParameter(reason, param_hint="--indicator")
    if not question.floor > 0 or question.floor == float("inf"):
        raise click.BadParameter("a standard is above 0: gaps are shares of it", param_hint="--floor")
    if question.area_type not in indicator.area_types:
        known = ", ".join(indicator.area_types)
        raise click.BadParameter(f"{indicator.code} has figures of {known}", param_hint="--area-type")
    if question.level == "county" and indicator.finest_level == "province":
        raise click.BadParameter(f"{indicator.code} has figures of provinces only", param_hint="--scope")


def _as_data(answer: Answer) -> dict[str, Any]:
    places = answer.places.astype(object).where(answer.places.notna(), None).to_dict("records")
    return {
        "indicator_code": answer.indicator.code,
        "indicator_name": answer.indicator.name_zh,
        "unit": answer.indicator.unit,
        "period_code": answer.period_code,
        "area_type": answer.question.area_type,
        "scope": f"nation:{answer.question.level}",
        "release_id": answer.release_id,
        "in_force": None if answer.in_force is None else dataclasses.asdict(answer.in_force),
        "asked": dataclasses.asdict(answer.asked),
        "places": places,
    }


def _lines(answer: Answer, shown: int | None) -> list[str]:
    import pandas as pd

    from pipelines.formats import render

    question, indicator = answer.question, answer.indicator
    head = (
        f"{indicator.code} {indicator.name_zh}, {answer.period_code}, {question.area_type}, nation:{question.level},"
        f" release {answer.release_id}: what if {'<=' if indicator.direction == 'lower' else '>='} {question.floor:g}"
        f" {indicator.unit} were the floor"
    )
    now = _column(answer.in_force)
    then = _column(answer.asked)
    rows = [(name, now.get(name, "none" if name == "floor" else ""), text) for name, text in then.items()]
    lines = [head, "", render(pd.DataFrame(rows, columns=["", "floor in force", "floor asked about"]), "table"), ""]
    places = answer.places
    if places.empty:
        return [*lines, "No place would be under it."]
    lines.append(f"{len(places)} places would be under it, {int(places['is_new'].sum())} of them newly:")
    lines.append(render(_shown(places.head(shown or len(places)), indicator), "table"))
    if shown is not None and len(places) > shown:
        lines.append(f"(the {shown} furthest below; --all shows every one)")
    return lines


def _column(standing: Standing | None) -> dict[str, str]:
    """What a standing says, by the name of its line."""
    if standing is None:
        return {}
    told = {
        "floor": "several" if standing.floor_value is None else f"{standing.floor_value:g}",
        "places judged": f"{standing.units} ({standing.units_missing} missing, {standing.units_estimated} estimated)",
        "grade, status": f"{standing.grade}, {standing.status}",
        "places under it": _text(standing.units_below, ",.0f"),
        "people who belong to them": _text(standing.people_below, ",.0f"),
        "P0, P1, P2 by places": _three(standing.p0, standing.p1, standing.p2),
        "P0, P1, P2 by people": _three(standing.people_p0, standing.people_p1, standing.people_p2),
    }
    if standing.cost is not None:
        told["cost, CNY a year"] = f"{standing.cost:,.0f} ({standing.cost_places} places)"
        told["of the nation's revenue"] = _text(standing.share_of_revenue, ".4%")
    told["risk next time"] = ", ".join(f"{band} {count}" for band, count in standing.bands.items())
    return told


def _shown(places: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """The places as a person reads them: columns that say nothing are left out."""
    texts = {
        "place": places["region_code"] + " " + places["region_name"],
        "new": places["is_new"].map({True: "new", False: ""}),
        "value": [_text(value, ".6g") for value in places["value"]],
        "status": places["obs_status"],
        "gap": [_text(value, ".1%") for value in places["gap"]],
        "people": [_text(value, ",.0f") for value in places["people"]],
        "cost": [_text(value, ",.0f") for value in places["cost"]],
        "of revenue": [_text(value, ".3%") for value in places["share_of_revenue"]],
        "risk": [band if isinstance(band, str) else "" for band in places["band"]],
    }
    import pandas as pd

    frame = pd.DataFrame(texts)
    return frame[[name for name in frame if frame[name].astype(bool).any()]]


def _three(*numbers: float | None) -> str:
    return ", ".join(_text(number, ".1%") for number in numbers) if numbers[0] is not None else ""


def _text(number: float | None, how: str) -> str:
    return "" if number is None or number != number else format(number, how)
