"""The roster of schools in an education return: ten pilot counties a province, every figure made and marked as estimated.

What is here: which schools there are, their pupils and seven amounts, and the sheet that shows them. What is not here: the
bytes (`carriers`, `workbooks`), what a fault does to a roster (`spoiling`).

A third of the counties is even (its schools have about the same), a third middling, a third so uneven that its coefficients
of variation are over the limit; some schools have no pupils, since they were merged and are still on the list.
"""

import dataclasses
import functools

import numpy as np

from sandbox.periods import ReturnPeriod
from sandbox.reference import CATALOGUE, Province, Reference, read_rows
from sandbox.seeds import Floats, Integers, draw_normals, draw_uniforms, hash_key

SHEET_NAME = "学校名册"
ESTIMATED_MARK = "e"
PILOT_COUNTIES = 10
FEWEST_SCHOOLS, MOST_SCHOOLS = 5, 12
STAGES = (("primary", "小学", "小学", 900.0), ("junior_secondary", "初中", "初级中学", 700.0))
"""(stage as the lines name it, its label, what its schools are called, pupils of a usual school)."""
NINE_YEARS = "九年一贯制学校"
WITHOUT_PUPILS = 0.04
"""Share of schools that have none."""
SMALLEST_SCHOOL, LARGEST_SCHOOL = 180, 2400
KINDS = ((1.45, 0.05), (1.30, 0.18), (1.15, 0.75))
"""(how far above its lines a county's usual school is, how far its schools differ), in logarithms: even to uneven."""
YEARLY_GROWTH = 0.015
FIRST_YEAR = 2024
STUB = ("学校代码", "学校名称", "区划代码", "县（市、区）", "学段")
PUPILS_HEADER = "在校生数（人）"
UNITS = {"person": "人", "m2": "平方米", "CNY": "元", "room": "间"}


@dataclasses.dataclass(frozen=True)
class Resource:
    """One of the seven amounts, as far as a roster needs to know it."""

    code: str
    name_zh: str
    unit: str
    pupils_per: float
    lines: dict[str, float]

    @property
    def header(self) -> str:
        """`教学及辅助用房面积（平方米）`."""
        return f"{self.name_zh}（{self.unit}）"


@dataclasses.dataclass(frozen=True)
class School:
    """A row of the roster. `figures` are texts: pupils, then the seven amounts."""

    code: str
    name: str
    region_code: str
    region_name: str
    stage: str
    figures: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        return (self.code, self.name, self.region_code, self.region_name, self.stage, *self.figures)


@dataclasses.dataclass(frozen=True)
class Roster:
    """The second sheet of an education return."""

    title: str
    schools: tuple[School, ...]
    footnotes: tuple[str, ...]
    held: tuple[School, ...] | None = None
    """What a right reader holds of them, a figure that nobody may believe blank; None: all that is printed."""

    def rows(self) -> list[list[str]]:
        """The sheet: title, header, schools, notes."""
        header = [*STUB, PUPILS_HEADER, *(each.header for each in load_resources())]
        return [
            [self.title],
            header,
            *(list(each.cells) for each in self.schools),
            *([note] for note in self.footnotes),
        ]


FIGURES_START = 2
"""The row of a roster's first school."""


@functools.cache
def load_resources() -> tuple[Resource, ...]:
    """The seven resources, from the catalogue."""
    return tuple(
        Resource(
            row["resource_code"], row["amount_zh"], UNITS[row["amount_unit"]], float(row["pupils_per"]),
            {stage: float(row[f"{stage}_line"]) for stage, _, _, _ in STAGES},
        )
        for row in read_rows(CATALOGUE / "school_balance_lines.csv")
    )  # fmt: skip


def read_rightly(roster: Roster, period_code: str) -> tuple[dict[str, object], ...]:
    """The schools that a right reader holds: figures by item (null where blank, or not to be believed)."""
    stages = {label: stage for stage, label, _, _ in STAGES}
    items = ("PUPILS", *(each.code for each in load_resources()))
    return tuple(
        {
            "school_code": school.code,
            "school_name": school.name,
            "region_code": school.region_code,
            "period_code": period_code,
            "stage": stages[school.stage],
            "figures": {
                item: float(text.removesuffix(ESTIMATED_MARK)) if text else None
                for item, text in zip(items, school.figures, strict=True)
            },
        }
        for school in (roster.schools if roster.held is None else roster.held)
    )


def make_roster(
    seed: int, reference: Reference, province: Province, period: ReturnPeriod, title: str, notes: tuple[str, ...]
) -> Roster:
    """The roster of a province for a school year."""
    codes = reference.counties.codes[province.counties]
    names = reference.counties.names[province.counties]
    chosen = np.sort(np.argsort(draw_uniforms(hash_key(seed, "pilot county"), codes), kind="stable")[:PILOT_COUNTIES])
    counties = [(int(codes[place]), names[place]) for place in chosen.tolist()]
    primary, junior = (_schools(seed, counties, number, period.year) for number in range(len(STAGES)))
    schools = [school for county in range(len(counties)) for school in (*primary[county], *junior[county])]
    return Roster(f"{title}附表：{SHEET_NAME}", tuple(schools), notes)


def _schools(seed: int, counties: list[tuple[int, str]], number: int, year: int) -> list[list[School]]:
    """The schools of one stage, county by county; the last one of a county is a nine-year school, which is in both stages
    under one code."""
    column, label, called, usual = STAGES[number]
    most = MOST_SCHOOLS - FEWEST_SCHOOLS + 1
    counts = [FEWEST_SCHOOLS + hash_key(seed, "schools", column, county) % most for county, _ in counties]
    kinds = np.array([KINDS[hash_key(seed, "evenness", county) % len(KINDS)] for county, _ in counties])
    own = np.concatenate(
        [
            county * 1_000 + number * 100 + np.arange(count, dtype=np.int64)
            for (county, _), count in zip(counties, counts, strict=True)
        ]
    )
    pupils = _pupils(seed, column, own, usual, year)
    amounts = _amounts(seed, own, pupils, np.repeat(kinds, counts, axis=0), column, year)
    figures = [
        tuple(f"{each:.0f}{ESTIMATED_MARK}" for each in school) for school in np.vstack([pupils, amounts]).T.tolist()
    ]
    made, first = [], 0
    for (county, name), count in zip(counties, counts, strict=True):
        named = [(f"{number + 1}{place:03d}", f"{name}第{place}{called}") for place in range(1, count)]
        named.append(("9001", f"{name}{NINE_YEARS}"))
        made.append(
            [
                School(f"{county:06d}{code}", title, f"{county:06d}", name, label, texts)
                for (code, title), texts in zip(named, figures[first : first + count], strict=True)
            ]
        )
        first += count
    return made


def _pupils(seed: int, column: str, own: Integers, usual: float, year: int) -> Floats:
    """Whole numbers of pupils; a little fewer each year."""
    size = usual * np.exp(0.5 * draw_normals(hash_key(seed, "pupils", column), own) - 0.02 * (year - FIRST_YEAR))
    is_empty = draw_uniforms(hash_key(seed, "no pupils", column), own) < WITHOUT_PUPILS
    return np.where(is_empty, 0.0, np.rint(np.clip(size, SMALLEST_SCHOOL, LARGEST_SCHOOL)))


def _amounts(seed: int, own: Integers, pupils: Floats, kinds: Floats, column: str, year: int) -> Floats:
    """Whole amounts, resources × schools: what the lines ask for times how well the county and the school are off."""
    level, spread = kinds.T
    growth = level * np.exp(YEARLY_GROWTH * (year - FIRST_YEAR) - spread * spread / 2)
    shared = draw_normals(hash_key(seed, "school", column), own)
    found = []
    for resource in load_resources():
        noise = 0.8 * shared + 0.6 * draw_normals(hash_key(seed, "amount", column, resource.code), own)
        needed = resource.lines[column] * np.maximum(pupils, SMALLEST_SCHOOL) / resource.pupils_per
        found.append(np.ceil(needed * growth * np.exp(spread * noise)))
    return np.array(found)
