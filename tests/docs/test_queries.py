"""The SQL that documents show names only tables, marts and columns that exist; nothing is run.

The questions of docs/bi-questions.md are left out: tests/assets/test_bi_questions.py runs them.
"""

import re

import pytest

from tests.docs.reading import PROSE, code_in, commands_in, name_of, read
from warehouse.describing import read_views
from warehouse.schema import metadata

MARTS = {name: {column.name for column in view.columns} for name, view in read_views().items()}
SOURCES = {f"mart.{name}": columns for name, columns in MARTS.items()} | {
    name: set(table.columns.keys()) for name, table in metadata.tables.items()
}
WORDS = set(
    re.findall(
        r"\w+",
        "select from where and or not as join left on using in is null like order by desc asc group limit filter case when "
        "then else end between distinct count sum min max round numeric",
    )
)
SOURCE = re.compile(r"\b(?:from|join)\s+(?P<name>[a-z_]+(?:\.[a-z_]+)?)(?:\s+(?!where|join|on|using|group|order|limit)"
                    r"(?P<alias>[a-z]\w*))?")  # fmt: skip


def statements_in(text: str) -> list[str]:
    """SQL of fences, and selects given to a command; examples with an ellipsis are none."""
    given = [argument for arguments in commands_in(text) for argument in arguments if argument.startswith("select ")]
    return [statement for statement in [*code_in(text, "sql"), *given] if "…" not in statement]


RUN_ELSEWHERE = ("docs/bi-questions.md",)
STATEMENTS = [
    (name_of(path), statement)
    for path in PROSE
    if name_of(path) not in RUN_ELSEWHERE
    for statement in statements_in(read(path))
]


def unknown_names(statement: str) -> set[str]:
    """Words of a statement that are no column of its sources, no alias and no keyword."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", " ", statement.lower())
    bare = re.sub(r"_as_of\((?:[^()]|\([^()]*\))*\)", "", bare)  # a mart as of a moment has the mart's columns
    sources: dict[str, set[str]] = {}
    for found in SOURCE.finditer(bare):
        name = found["name"] if "." in found["name"] else f"mart.{found['name']}"
        if name not in SOURCES:
            return {name}
        sources[found["alias"] or name.split(".")[1]] = SOURCES[name]
        bare = bare.replace(found["name"], found["name"].rpartition(".")[2])
    unknown = {
        f"{alias}.{column}"
        for alias, column in re.findall(r"\b([a-z]\w*)\.([a-z]\w*)", bare)
        if column not in sources.get(alias, set())
    }
    aliases = set(re.findall(r"\bas\s+([a-z]\w*)", bare)) | set(sources) | {name.split(".")[1] for name in SOURCES}
    known = WORDS.union(aliases, *sources.values())
    return unknown | {word for word in re.findall(r"\b[a-z_]\w*", bare) if word not in known}


def test_queries_are_found():
    assert sum(document == "docs/querying.md" for document, _ in STATEMENTS) >= 6
    assert "README.md" in [document for document, _ in STATEMENTS]


@pytest.mark.parametrize(("document", "statement"), STATEMENTS, ids=lambda text: text.split("\n")[0][:50])
def test_a_query_names_what_exists(document, statement):
    assert not unknown_names(statement), document


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("select gini from nowhere", "mart.nowhere"),
        ("select ginny from mart.inequality", "ginny"),
        ("select r.gini from mart.inequality i join mart.region r on r.region_code = i.scope", "r.gini"),
    ],
)
def test_a_wrong_name_is_found(statement, name):
    assert name in unknown_names(statement)
