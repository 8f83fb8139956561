"""The twenty questions of docs/bi-questions.md, asked as ``bi_reader`` after three nights of a small world."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.assets.nights import Nights
from tests.docs.reading import ROOT, read

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

SECTIONS = re.compile(r"^## (\d+\. .+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```sql\n(.+?)^```", re.MULTILINE | re.DOTALL)
QUESTIONS = {title: FENCE.findall(body) for title, body in SECTIONS.findall(read(ROOT / "docs" / "bi-questions.md"))}

NOTHING_TO_SEE = {"9"}
"""Questions that have no answer there: nothing was withdrawn in these nights."""


@pytest.fixture(scope="module")
def reader(nights: Nights) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(nights.world.place.warehouse.bi_url(), autocommit=True) as connection:
        yield connection


def test_there_are_twenty_questions_with_a_statement_each() -> None:
    assert [title.split(".")[0] for title in QUESTIONS] == [str(number) for number in range(1, 21)]
    assert {title: len(statements) for title, statements in QUESTIONS.items() if len(statements) != 1} == {}


@pytest.mark.parametrize("title", QUESTIONS)
def test_a_question_runs_and_has_an_answer(reader: psycopg.Connection[Any], title: str) -> None:
    rows = reader.execute(QUESTIONS[title][0]).fetchall()
    assert bool(rows) == (title.split(".")[0] not in NOTHING_TO_SEE)


def test_a_session_set_to_a_moment_shows_the_release_of_then(reader: psycopg.Connection[Any], nights: Nights) -> None:
    shown = "select release_id from mart.release_in_force"
    now = reader.execute(shown).fetchone()
    reader.execute("set junheng.as_of = '2026-04-30 12:00+08'")
    then = reader.execute(shown).fetchone()
    reader.execute("reset junheng.as_of")
    assert (then, now) == ((1,), (nights.third.release["release_id"],))
    assert reader.execute(shown).fetchone() == now
