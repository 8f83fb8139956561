"""Generated documents: made from the catalogue, the schema, the checks, the measures and the asset graph, never by hand.

``python -m docs.generate`` writes what changed; ``--check`` writes nothing and exits 1 where a file is stale. Needs no
database, no network and no environment. Not here: what stands in a document (``docs/generators/``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
COMMAND = "python -m docs.generate"


def _dictionary() -> str:
    from docs.generators.dictionary import render

    return render()


def _checks() -> str:
    from docs.generators.checks import render

    return render()


def _methods() -> str:
    from docs.generators.methods import render

    return render()


def _assets() -> str:
    from docs.generators.graph import render

    return render()


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "dictionary.md": _dictionary,
    "checks.md": _checks,
    "methods.md": _methods,
    "assets.svg": _assets,
}
"""File in ``docs/`` → its contents."""


def stale_documents(folder: Path = FOLDER) -> dict[str, str]:
    """Files of ``folder`` that are not as they would be generated now, each with the text it should have."""
    made = {name: render() for name, render in DOCUMENTS.items()}
    return {name: text for name, text in made.items() if _read(folder / name) != text}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str] | None = None) -> int:
    """Write what is stale, or with ``--check`` say what is: then 1 where anything is."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Generate the documents that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    options = parser.parse_args(arguments)
    stale = stale_documents()
    for name, text in stale.items():
        if options.check:
            print(f"docs/{name} is stale", file=sys.stderr)
        else:
            (FOLDER / name).write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    if stale and options.check:
        print(f"run: {COMMAND}", file=sys.stderr)
    return int(bool(stale) and options.check)


if __name__ == "__main__":
    sys.exit(main())
