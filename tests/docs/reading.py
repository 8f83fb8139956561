"""Reading documents for the tests of this folder: files, code in them, the commands they show."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROSE = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for room in ("docs", "deploy", "sandbox", "bench") for path in (ROOT / room).rglob("*.md")),
    ]
)
SETUP = sorted([*(ROOT / "deploy").glob("*.service"), *(ROOT / "deploy").glob("*.example")])

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?P<code>[^`\n]+)`")
COMMAND = re.compile(r"(?:^|bin/|\$\()junheng +(?P<arguments>.+)", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_in(text: str, *languages: str) -> list[str]:
    """Fenced code of these languages."""
    return [found["code"] for found in FENCE.finditer(text) if found["language"] in languages]


def commands_in(text: str) -> list[list[str]]:
    """The arguments of every ``junheng …`` that a document shows, in fences and inline."""
    inline = [found["code"] for found in INLINE.finditer(FENCE.sub("", text))]
    return [arguments for code in [*code_in(text, "", "sh"), *inline] for arguments in _commands(code)]


def _commands(code: str) -> Iterator[list[str]]:
    code = re.sub(r"^\$ ", "", code, flags=re.MULTILINE)
    for found in COMMAND.finditer(code):
        rest = found["arguments"] + code[found.end() :]
        lines = rest.split(")")[0].splitlines() if found.group().startswith("$(") else rest.splitlines()
        for count in range(1, len(lines) + 1):  # a quoted argument may go over several lines
            try:
                yield shlex.split("\n".join(lines[:count]), comments=True)
            except ValueError:
                continue
            break
