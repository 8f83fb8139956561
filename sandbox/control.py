"""The sandbox's own endpoints: faults, and what it knows about what it serves.

What is here: `/control/faults`, `/control/truth`, `/control/served`, `/control/verdicts`, `/control/expected`. What is not
here: the platforms' endpoints (`server`), the knowledge itself (`truth`).
"""

import dataclasses
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.carriers import encode_json, envelope
from sandbox.faults import FAULTS, KINDS
from sandbox.kinds import FaultKind
from sandbox.periods import ReturnPeriod
from sandbox.platforms import Platforms
from sandbox.presets import Placing
from sandbox.reference import Form, Series
from sandbox.truth import Deliveries, Truth, identify

PERIOD = re.compile(r"(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-M01-M(?P<last>0[2-9]|1[0-2])|-(?P<month>0[1-9]|1[0-2]))?")
FAULT_HELP = (
    'expected {"platform": "510000/health", "fault": "down", "return_id": null} or '
    '{"fault": "truncated", "rate": 0.02, "seed": 1} or {"preset": "nasty", "seed": 1}'
)


def refuse(status: int, message: str) -> Response:
    """An error in the envelope of the platforms."""
    return Response(envelope(None, status, message), status, media_type="application/json")


class Control:
    """The endpoints; `deliveries` is what the platforms' server writes to."""

    def __init__(self, platforms: Platforms, deliveries: Deliveries) -> None:
        self.platforms = platforms
        self._deliveries = deliveries
        self._truth = Truth(platforms)

    def routes(self) -> list[Route]:
        """The routes of all of them."""
        return [
            Route("/control/faults", self.control_faults, methods=["GET", "POST", "DELETE"]),
            Route("/control/truth", self.truth),
            Route("/control/served", self.served),
            Route("/control/verdicts", self.verdicts),
            Route("/control/expected", self.expected),
        ]

    async def control_faults(self, request: Request) -> Response:
        """GET: the faults that are on, and all there are; DELETE: all off; POST: switch one on.

        POST takes `{platform, fault, return_id?, strength?}`, or `{fault, rate, seed?, platforms?, strength?}`, or
        `{preset, seed?}`.
        """
        book = self.platforms.faults
        if request.method == "DELETE":
            book.clear()
        elif request.method == "POST":
            try:
                asked = await request.json()
                self._switch_on(asked)
            except LookupError as error:
                return refuse(404, str(error.args[0]))
            except ValueError as error:
                return refuse(400, str(error))
        kinds = [dataclasses.asdict(kind) for kind in KINDS.values()]
        content = {"faults": book.listed(), "known": sorted(FAULTS), "kinds": kinds}
        return Response(encode_json(content), media_type="application/json")

    def _switch_on(self, asked: object) -> None:
        """Switch on what was asked for; raises `LookupError` for what there is not, `ValueError` for what is no fault."""
        if not isinstance(asked, dict):
            raise ValueError(FAULT_HELP)
        seed, strength = asked.get("seed", self.platforms.maker.seed), asked.get("strength")
        if not isinstance(seed, int):
            raise ValueError(f"seed is a whole number, not {seed!r}")
        if strength is not None and not isinstance(strength, int | float):
            raise ValueError(f"strength is a number, not {strength!r}")
        placing = Placing(self.platforms, seed)
        match asked:
            case {"preset": str(preset)}:
                placing.put_preset(preset)
            case {"fault": str(fault), "rate": int(rate) | float(rate)}:
                codes = asked.get("platforms") or []
                if not isinstance(codes, list):
                    raise ValueError(FAULT_HELP)
                placing.put_at_rate(fault, rate, codes, strength)
            case {"platform": str(code), "fault": str(fault)}:
                return_id = asked.get("return_id")
                if return_id is not None and not isinstance(return_id, str):
                    raise ValueError(FAULT_HELP)
                self._switch_on_one(code, fault, return_id, strength)
            case _:
                raise ValueError(FAULT_HELP)

    def _switch_on_one(self, code: str, fault: str, return_id: str | None, strength: float | None) -> None:
        platform = self.platforms.by_code.get(code)
        if return_id is not None or platform is None:
            platform, form, period = identify(self.platforms, code, return_id or "")
            if self.platforms.is_published(form, period) is (fault == "early"):
                day = "has come already" if fault == "early" else "has not come yet (only the fault early takes it)"
                raise LookupError(f"the day of {return_id} {day}")
        kind: FaultKind | None = KINDS.get(fault)
        if kind is not None and not kind.applies(platform.carrier, platform.sector):
            where = " ".join((*kind.carriers, *kind.sectors))
            raise ValueError(f"{fault} is a fault of {where}; {code} answers with {platform.carrier}")
        self.platforms.faults.set(code, fault, return_id, strength)

    async def served(self, request: Request) -> Response:
        """Deliveries that went out whole, after the one numbered `since`; `last` is the newest number."""
        text = request.query_params.get("since", "0")
        if not text.isdecimal():
            return refuse(400, f"since is the number of a delivery, not {text!r}")
        rows = list(self._deliveries.since(int(text)))
        return JSONResponse({"rows": rows, "last": rows[-1]["number"] if rows else int(text)})

    async def verdicts(self, request: Request) -> Response:
        """What is wrong now, one row a return, and what a right reader makes of it."""
        rows = list(self._truth.verdicts())
        return Response(encode_json({"total": len(rows), "rows": rows}), media_type="application/json")

    async def expected(self, request: Request) -> Response:
        """Every figure and school that a right reader holds of one return as served now, and the keys it must set aside."""
        asked = request.query_params
        try:
            place = identify(self.platforms, asked.get("platform", ""), asked.get("return_id", ""))
        except LookupError as error:
            return refuse(404, str(error.args[0]))
        expected = self._truth.expected(*place)
        content = {"figures": expected.figures, "quarantined": expected.quarantined, "schools": expected.schools}
        return Response(encode_json(content), media_type="application/json")

    async def truth(self, request: Request) -> Response:
        """Value, status and origin of one figure as served without faults; 404 where no return carries it."""
        asked = {
            name: request.query_params.get(name, "")
            for name in ("indicator_code", "region_code", "period_code", "area_type")
        }
        reference = self.platforms.maker.reference
        series = reference.by_label.get(f"{asked['indicator_code']}@{asked['area_type']}")
        province = reference.province_by_code.get(asked["region_code"][:2] + "0000")
        if series is None or province is None:
            return refuse(404, f"unknown indicator, area type or region: {asked}")
        for form, period in carrying_returns(series, asked["period_code"], reference.forms):
            try:
                found = self.platforms.maker.truth(form, province, period, series, asked["region_code"])
            except LookupError:
                continue
            content = encode_json({**asked, **found, "return_id": f"{form.code}-{period.code}"})
            return Response(content, media_type="application/json")
        return refuse(404, f"no return carries {asked}")


def carrying_returns(series: Series, period_code: str, forms: dict[str, Form]) -> list[tuple[Form, ReturnPeriod]]:
    """The returns whose figures of the series have this period code."""
    found = PERIOD.fullmatch(period_code.removeprefix("SY"))
    if found is None:
        return []
    year = int(found["year"])
    month, kinds = 12, "S" if period_code.startswith("SY") else "A"
    if found["quarter"]:
        month, kinds = 3 * int(found["quarter"]), "Q"
    elif found["last"] or found["month"]:
        month = int(found["last"] or found["month"])
        kinds = "MQ" if found["last"] and month % 3 == 0 else "M"
    is_cumulated = kinds[0] in "MQ" and series.indicator.is_cumulative
    if kinds[0] in "MQ" and is_cumulated != bool(found["last"]):
        return []  # a flow is cumulated, a stock is not
    return [
        (forms[code], ReturnPeriod(year, month, forms[code].frequency))
        for code in series.indicator.forms
        if forms[code].frequency in kinds
    ]
