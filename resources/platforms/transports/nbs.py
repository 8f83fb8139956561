"""Transports ``nbs_esdata`` (since 2026) and ``nbs_easyquery`` (before): the public portal of the statistics office.

A return is all that the register's catalogues of one frequency (``options``, ``nbs_options``) say of one period: province
``000000``, sector ``portal``, form ``portal_annual``, ``portal_quarterly`` or ``portal_monthly``. Its bytes are the portal's
answers in order, one a line. Offered is what the portal has any figure of. Not here: what a figure means, and the pace
and user agent without which the portal answers 403 (the register has them).
"""

from __future__ import annotations

import hashlib
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, NoReturn

from pydantic import ValidationError

from resources.errors import DeliveryInvalid, PlatformRefused, PlatformUnavailable
from resources.platforms.asking import SHANGHAI, Asking
from resources.platforms.http import Answer
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.recognising import invalid, parse_json
from resources.platforms.register import Platform
from resources.platforms.transports.nbs_options import (
    CUBES,
    FREQUENCIES,
    TREES,
    Catalogue,
    CatalogueKind,
    CubeCatalogue,
    Frequency,
    PortalOptions,
    SeriesCatalogue,
    cube_period,
    periods_of,
    series_period,
)
from warehouse.periods import Period, parse_period

ALL_GOOD, CUBE_ALL_GOOD = "20000", "200"
CUBE_CODES = {"501": "does not know this indicator, region or period", "403": "refuses access"}
# A tree of the portal has three to four levels; one that goes deeper is not searched for what has moved.
TREE_DEPTH, TREE_REQUESTS = 4, 60


class _PortalTransport(ABC, Generic[CatalogueKind]):
    """What both interfaces share: offers by period, and the answers joined to one delivery."""

    options_model: type[PortalOptions[CatalogueKind]]

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    @abstractmethod
    def published(
        self, platform: Platform, options: PortalOptions[CatalogueKind], catalogue: CatalogueKind
    ) -> set[str]:
        """Codes of the periods that the portal has any figure of; PlatformRefused names ids that are no longer there."""

    @abstractmethod
    def ask_period(
        self, platform: Platform, options: PortalOptions[CatalogueKind], catalogue: CatalogueKind, period: Period
    ) -> Iterator[tuple[Answer, bool]]:
        """The answers for one period, each with whether it holds any figure."""

    def list_returns(self, platform: Platform, etag: str | None, form: str | None) -> Listing:
        """One offer a frequency and period. The portal has no listing of its own, so no ETag stands for one."""
        options = self.read_options(platform)
        rows: list[Offer] = []
        for frequency in FREQUENCIES:
            own = [catalogue for catalogue in options.catalogues if catalogue.frequency == frequency]
            if own and form in (None, f"portal_{frequency}"):
                found = set[str]().union(*(self.published(platform, options, catalogue) for catalogue in own))
                rows += [_offer(platform, frequency, code) for code in sorted(found)]
        return Listing(platform.province, platform.sector, tuple(rows), None, False)

    def fetch(self, platform: Platform, offer: Offer, etag: str | None) -> Delivery | NotModified:
        """All answers for the period. Its tag is the hash of them, so an unchanged return is told from a revised one."""
        options = self.read_options(platform)
        period = parse_period(offer.period_code)
        own = [c for c in options.catalogues if f"portal_{c.frequency}" == offer.form and c.covers(period.year)]
        answers: list[Answer] = []
        has_figures = False
        for catalogue in own:
            for answer, is_filled in self.ask_period(platform, options, catalogue, period):
                answers.append(answer)
                has_figures |= is_filled
                _require_in_bounds(platform, answers)
        if not has_figures:
            url = self._asking.base_url(platform)
            raise DeliveryInvalid(platform.name, url, f"has no figures of {offer.form} {offer.period_code}")
        content = b"\n".join(_on_one_line(answer.content) for answer in answers)
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        if etag == tag:
            return NotModified(offer, self._asking.clock())
        stamps = [answer.modified_at.astimezone(SHANGHAI) for answer in answers if answer.modified_at]
        return Delivery(
            offer, content, max(stamps, default=None), tag, offer.media_type, offer.file_name, self._asking.clock()
        )

    def read_options(self, platform: Platform) -> PortalOptions[CatalogueKind]:
        """The register's ``options``; PlatformRefused (not_configured) names every wrong key."""
        try:
            return self.options_model.model_validate(platform.access.options)
        except ValidationError as error:
            problems = [f"options.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
            raise PlatformRefused(
                platform.name, "", f"{platform.file.name}: {'; '.join(problems)}", kind="not_configured"
            ) from None

    def candidates(self, catalogue: Catalogue) -> list[Period]:
        """Every period that the table can hold by now, oldest first."""
        today = self._asking.clock().date()
        last_year = min(today.year, catalogue.last_year or today.year)
        years = range(catalogue.first_year, last_year + 1)
        return [period for year in years for period in periods_of(catalogue.frequency, year) if period.start <= today]


class EsDataTransport(_PortalTransport[SeriesCatalogue]):
    """The interface since 2026: an index tree, indicators by table, series by POST."""

    options_model = PortalOptions[SeriesCatalogue]

    def __init__(self, asking: Asking) -> None:
        super().__init__(asking)
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._located: dict[tuple[str, SeriesCatalogue], SeriesCatalogue] = {}
        self._lock = threading.Lock()

    def index_tree(self, platform: Platform, frequency: Frequency, parent: str = "") -> list[dict[str, Any]]:
        """Nodes below ``parent`` (``""``: the root) of a frequency's tree: ``{"_id", "name", "isLeaf", …}``."""
        data = self._ask(platform, "new/queryIndexTreeAsync", {"pid": parent, "code": TREES[frequency]})
        return [node for node in _list(data) if isinstance(node, dict)]

    def indicators(self, platform: Platform, catalogue: SeriesCatalogue) -> list[dict[str, Any]]:
        """What a table holds: ``{"_id", "i_showname", "du_name", …}``."""
        last = catalogue.last_year or self._asking.clock().year
        asked = {"cid": catalogue.cid, "dt": f"{catalogue.first_year}-{last}", "name": ""}
        data = self._ask(platform, "new/queryIndicatorsByCid", asked)
        return [row for row in _list(data) if isinstance(row, dict)]

    def published(
        self, platform: Platform, options: PortalOptions[SeriesCatalogue], catalogue: SeriesCatalogue
    ) -> set[str]:
        """See the base class; asked of the first region over all years."""
        codes = {series_period(period): period.code for period in self.candidates(catalogue)}
        if not codes:
            return set()
        catalogue = self._locate(platform, catalogue)
        span = f"{next(iter(codes))}-{list(codes)[-1]}"
        first = dict(list(options.areas(12).items())[:1])
        found: set[str] = set()
        for ids in self._portions(platform, options, catalogue):
            answer = self._ask_series(platform, catalogue, ids, first, span)
            found |= {code for code, values in _series(platform, answer) if any(_is_filled(value) for value in values)}
        return {codes[code] for code in found & codes.keys()}

    def ask_period(
        self, platform: Platform, options: PortalOptions[SeriesCatalogue], catalogue: SeriesCatalogue, period: Period
    ) -> Iterator[tuple[Answer, bool]]:
        """See the base class; so many indicators a request as the register says."""
        code = series_period(period)
        catalogue = self._locate(platform, catalogue)
        for ids in self._portions(platform, options, catalogue):
            answer = self._ask_series(platform, catalogue, ids, options.areas(12), f"{code}-{code}")
            values = [value for _, values in _series(platform, answer) for value in values]
            yield answer, any(_is_filled(value) for value in values)

    def _locate(self, platform: Platform, catalogue: SeriesCatalogue) -> SeriesCatalogue:
        """``catalogue`` with the ids of table and tree; where the register has none, found by names, once."""
        if catalogue.cid and catalogue.root_id:
            return catalogue
        with self._lock:
            known = self._located.get((platform.name, catalogue))
        if known is None:
            roots = self.index_tree(platform, catalogue.frequency)
            if not roots:
                self._refuse(platform, f"an index tree of {catalogue.frequency} figures", "")
            root_id = catalogue.root_id or str(roots[0].get("_id", ""))
            cid = catalogue.cid or self._walk(platform, catalogue, root_id)
            known = catalogue.model_copy(update={"cid": cid, "root_id": root_id})
            with self._lock:
                self._located[platform.name, catalogue] = known
        return known

    def _walk(self, platform: Platform, catalogue: SeriesCatalogue, root_id: str) -> str:
        """The id of the table, down the names of its path."""
        parent = root_id
        for name in (*catalogue.path, catalogue.name):
            ids = {
                str(node.get("name", "")).strip(): str(node.get("_id", ""))
                for node in self.index_tree(platform, catalogue.frequency, parent)
            }
            if name not in ids:
                there = f"in the place of {name!r} there are {', '.join(ids) or 'none'}"[:300]
                self._refuse(platform, f"table {catalogue.label}", f"{there}; mend path in {platform.file.name}")
            parent = ids[name]
        return parent

    def _portions(
        self, platform: Platform, options: PortalOptions[SeriesCatalogue], catalogue: SeriesCatalogue
    ) -> list[Sequence[str]]:
        ids, size = self._checked_ids(platform, catalogue), options.indicators_per_request
        return [ids[start : start + size] for start in range(0, len(ids), size)]

    def _checked_ids(self, platform: Platform, catalogue: SeriesCatalogue) -> tuple[str, ...]:
        """Ids to ask for, once looked up in the portal: it answers an id that is gone with silence."""
        key = (platform.name, catalogue.cid)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = tuple(str(row.get("_id", "")) for row in self.indicators(platform, catalogue))
            if not known:
                self._refuse(platform, f"table {catalogue.label}", self._moved(platform, catalogue))
            with self._lock:
                self._known[key] = known
        gone = [indicator for indicator in catalogue.indicators if indicator not in known]
        if gone:
            self._refuse(platform, f"indicators {', '.join(gone)} of {catalogue.label}", "")
        return catalogue.indicators or known

    def _refuse(self, platform: Platform, what: str, moved: str) -> NoReturn:
        advice = moved or f"look up its new id and put it into {platform.file.name}"
        raise PlatformRefused(platform.name, self._asking.base_url(platform), f"no longer has {what}: {advice}")

    def _moved(self, platform: Platform, catalogue: SeriesCatalogue) -> str:
        """Where a table of that name stands now, as an advice; empty where none is found."""
        waiting, asked = [("", 0)], 0
        while waiting and asked < TREE_REQUESTS:
            parent, depth = waiting.pop(0)
            asked += 1
            for node in self.index_tree(platform, catalogue.frequency, parent):
                if node.get("name") == catalogue.name and node.get("_id") != catalogue.cid:
                    return f"a table of that name has the id {node['_id']} now, put it into {platform.file.name}"
                if not node.get("isLeaf") and depth < TREE_DEPTH:
                    waiting.append((str(node.get("_id", "")), depth + 1))
        return ""

    def _ask_series(
        self, platform: Platform, catalogue: SeriesCatalogue, ids: Sequence[str], areas: Mapping[str, str], span: str
    ) -> Answer:
        body = {
            "cid": catalogue.cid,
            "indicatorIds": list(ids),
            "daCatalogId": catalogue.area_catalogue_id,
            "das": [{"text": name, "value": code} for code, name in areas.items()],
            "showType": "1",
            "dts": [span],
            "rootId": catalogue.root_id,
        }
        url = f"{self._asking.base_url(platform)}/stream/esData"
        return self._asking.ask(platform, url, json=body, check=check_state)

    def _ask(self, platform: Platform, path: str, params: Mapping[str, str]) -> Any:
        url = f"{self._asking.base_url(platform)}/{path}"
        return parse_json(platform, self._asking.ask(platform, url, params=params, check=check_state)).get("data")


class EasyQueryTransport(_PortalTransport[CubeCatalogue]):
    """The interface before: one cube by GET for each indicator."""

    options_model = PortalOptions[CubeCatalogue]

    def published(
        self, platform: Platform, options: PortalOptions[CubeCatalogue], catalogue: CubeCatalogue
    ) -> set[str]:
        """See the base class; asked of each indicator over all years and regions, which also shows that it exists."""
        codes = {cube_period(period): period.code for period in self.candidates(catalogue)}
        if not codes:
            return set()
        span = f"{next(iter(codes))}-{list(codes)[-1]}"
        nodes = [
            node
            for indicator in catalogue.indicators
            for node in _cube(platform, self._ask_cube(platform, catalogue, indicator, span))
        ]
        return {codes[code] for node in nodes if _has_data(node) and (code := _dimension(node, "sj")) in codes}

    def ask_period(
        self, platform: Platform, options: PortalOptions[CubeCatalogue], catalogue: CubeCatalogue, period: Period
    ) -> Iterator[tuple[Answer, bool]]:
        """See the base class; one indicator a request, all regions."""
        for indicator in catalogue.indicators:
            answer = self._ask_cube(platform, catalogue, indicator, cube_period(period))
            yield answer, any(_has_data(node) for node in _cube(platform, answer))

    def _ask_cube(self, platform: Platform, catalogue: CubeCatalogue, indicator: str, time: str) -> Answer:
        params = {
            "m": "QueryData",
            "dbcode": CUBES[catalogue.frequency],
            "rowcode": "reg",
            "colcode": "sj",
            "wds": _compact([{"wdcode": "zb", "valuecode": indicator}]),
            "dfwds": _compact([{"wdcode": "sj", "valuecode": time}]),
            "k1": str(int(self._asking.clock().timestamp() * 1000)),
        }
        url = f"{self._asking.base_url(platform)}/easyquery.htm"
        check = partial(check_returncode, what=f"{catalogue.name}, indicator {indicator}")
        return self._asking.ask(platform, url, params=params, check=check)


def check_state(platform: Platform, answer: Answer) -> None:
    """An esData answer is good with ``state`` 20000 only; 5xxxx is the portal's own trouble and asked again."""
    document = parse_json(platform, answer)
    if not isinstance(document, dict) or "state" not in document:
        invalid(platform, answer, "answers with JSON that has no state")
    state = str(document["state"])[:20]
    if state != ALL_GOOD:
        message = str(document.get("message") or document.get("msg") or "")[:200]
        failure = PlatformUnavailable if state.startswith("5") else PlatformRefused
        raise failure(platform.name, answer.url, f"answers with state {state}: {message}", answer.status)


def check_returncode(platform: Platform, answer: Answer, what: str) -> None:
    """An easyquery answer is good with ``returncode`` 200 only; what others mean is said, and of ``what``."""
    document = parse_json(platform, answer)
    if not isinstance(document, dict) or "returncode" not in document:
        invalid(platform, answer, "answers with JSON that has no returncode")
    code = str(document["returncode"])[:20]
    if code != CUBE_ALL_GOOD:
        meaning = CUBE_CODES.get(code) or str(document.get("returndata") or "no reason given")[:200]
        failure = PlatformUnavailable if code in ("429", "500", "502", "503", "504") else PlatformRefused
        raise failure(platform.name, answer.url, f"answers with returncode {code}: {meaning} ({what})", answer.status)
    if not _cube(platform, answer):
        raise PlatformRefused(platform.name, answer.url, f"no longer has {what}: look up its new code", answer.status)


def _offer(platform: Platform, frequency: Frequency, code: str) -> Offer:
    form = f"portal_{frequency}"
    name = f"{form}-{code}"
    return Offer(platform.province, platform.sector, name, form, code, f"{name}.json", None, None, "application/json")


def _list(data: Any) -> list[Any]:
    """A list, also where it stands under ``list``: the portal does both."""
    found = data.get("list") if isinstance(data, dict) else data
    return found if isinstance(found, list) else []


def _series(platform: Platform, answer: Answer) -> list[tuple[str, list[dict[str, Any]]]]:
    """(period, values) of an esData answer."""
    data = parse_json(platform, answer).get("data")
    rows: list[Any] = data if isinstance(data, list) else [None]
    if not all(isinstance(row, dict) and isinstance(row.get("values"), list) for row in rows):
        invalid(platform, answer, "answers with data that are no list of periods with values")
    return [(str(row.get("code", "")), [v for v in row["values"] if isinstance(v, dict)]) for row in rows]


def _cube(platform: Platform, answer: Answer) -> list[dict[str, Any]]:
    """The datanodes of an easyquery answer."""
    data = parse_json(platform, answer).get("returndata")
    nodes = data.get("datanodes") if isinstance(data, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        invalid(platform, answer, "answers with returndata that have no datanodes")
    return nodes


def _is_filled(value: Mapping[str, Any]) -> bool:
    return str(value.get("value") or "").strip() != ""


def _has_data(node: Mapping[str, Any]) -> bool:
    data = node.get("data")
    return isinstance(data, dict) and data.get("hasdata") is True


def _dimension(node: Mapping[str, Any], name: str) -> str:
    places = node.get("wds") or []
    found = [place for place in places if isinstance(place, dict) and place.get("wdcode") == name]
    return str(found[0].get("valuecode")) if found else ""


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _on_one_line(content: bytes) -> bytes:
    """A line end within JSON stands between tokens only: a blank there changes nothing, and an answer is one line."""
    return content.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in content else content


def _require_in_bounds(platform: Platform, answers: Sequence[Answer]) -> None:
    limit = platform.access.limits.max_expanded_bytes
    if sum(len(answer.content) for answer in answers) > limit:
        reason = f"sends more than max_expanded_bytes {limit:,}"
        raise DeliveryInvalid(platform.name, answers[-1].url, reason, kind="too_large")
