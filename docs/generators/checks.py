"""``docs/checks.md``: every check with its meaning and what to do. Importing it does not import Great Expectations."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generators.tables import HEAD, code, table
from expectations import CHECKS, SUITES, Check

SEVERITIES = {
    "blocking": "of a return: it goes to quarantine whole, the others go on; of a mart: the release is not made",
    "warning": "the figures are loaded, the warning is recorded",
    "info": "for the record",
}


def render() -> str:
    """The document."""
    return "\n".join(
        [
            HEAD,
            "# Checks",
            "",
            "Great Expectations runs them; each result is a row of `ops.check_result`, each subject an asset check in the UI.",
            "A rule that several suites share stands once, with all its ids. *Source* names",
            "where the rule is decided: a document, or the module of `warehouse/` whose docstrings define it.",
            "",
            *table(("severity", "what it does"), [(code(name), text) for name, text in SEVERITIES.items()]),
            *table(("suite", "title", "checks"), [(code(s.name), s.title_zh, len(s.checks)) for s in SUITES.values()]),
            *_section("Returns", [check for check in CHECKS.values() if not check.suite.startswith("marts.")]),
            *_section("Marts", [check for check in CHECKS.values() if check.suite.startswith("marts.")]),
        ]
    )


def _section(title: str, checks: list[Check]) -> Iterator[str]:
    yield from (f"## {title}", "")
    for subject in dict.fromkeys(check.subject for check in checks):
        yield from (f"### {title}: {subject}", "")
        rows = [_row(same) for same in _alike([check for check in checks if check.subject == subject])]
        yield from table(("check", "severity", "what must hold", "what to do", "source"), rows)


def _alike(checks: list[Check]) -> list[list[Check]]:
    """Checks that say the same, together."""
    alike: dict[tuple[str, ...], list[Check]] = {}
    for check in checks:
        said = (
            check.severity,
            check.explanation_zh,
            check.explanation_en,
            check.action_zh,
            check.action_en,
            check.source,
        )
        alike.setdefault((check.check_id.removeprefix(f"{check.suite}."), *said), []).append(check)
    return list(alike.values())


def _row(same: list[Check]) -> tuple[str, ...]:
    first = same[0]
    return (
        "<br>".join(code(check.check_id) for check in same),
        first.severity,
        f"{first.explanation_zh}<br>{first.explanation_en}",
        f"{first.action_zh}<br>{first.action_en}",
        first.source,
    )
