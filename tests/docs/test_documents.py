"""Documents say what is so: links resolve, commands parse, variables and columns exist, generated files are current."""

import re
import tomllib

import click
import pytest

from docs.generate import COMMAND, stale_documents
from pipelines.cli import main
from pipelines.settings import PREFIX, Settings
from tests.docs.reading import PROSE, ROOT, SETUP, commands_in, name_of, read
from warehouse.describing import NoMeaningError, read_views

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
VARIABLE = re.compile(r"JUNHENG_[A-Z_]*[A-Z]")
SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
# Where a server keeps its own; any other absolute path is one of the machine that a document was written on.
OWN_PLACES = ("/opt/junheng", "/etc/junheng", "/etc/systemd", "/var/lib/junheng", "/proc")
ABSOLUTE_PATH = re.compile(r"(?<![\w./:}>*…-])/[a-z]+/[\w./-]*|(?<![\w./:}>*…-])/proc\b")

COMMANDS = [(name_of(path), arguments) for path in PROSE for arguments in commands_in(read(path))]


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_generated_documents_are_current():
    assert not list(stale_documents()), f"run: {COMMAND}"


@pytest.mark.parametrize("path", PROSE, ids=name_of)
def test_every_relative_link_leads_somewhere(path):
    for found in LINK.finditer(read(path)):
        target, _, anchor = found["target"].partition("#")
        if "://" in target:
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{name_of(path)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", read(file), re.MULTILINE)
            assert anchor in map(slug, headings), f"{name_of(path)} links to {found['target']}"


def test_commands_are_found():
    assert ["refresh", "--dry-run"] in [arguments for _, arguments in COMMANDS]
    assert ["db", "url"] in [arguments for _, arguments in COMMANDS]


@pytest.mark.parametrize(
    ("document", "arguments"), COMMANDS, ids=lambda value: value if isinstance(value, str) else " ".join(value)[:60]
)
def test_every_command_shown_is_one(document, arguments):
    command: click.Command = main
    rest = list(arguments)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"{document}: there is no junheng {' '.join(arguments)}"
        command = command.commands[rest.pop(0)]
    if rest and "--help" not in rest:  # without arguments it is the command's name
        assert not isinstance(command, click.Group), f"{document}: junheng {' '.join(arguments)} is not complete"
        try:
            command.make_context("junheng", rest)
        except click.UsageError as error:
            pytest.fail(f"{document}: junheng {' '.join(arguments)}: {error.format_message()}")


@pytest.mark.parametrize("path", [*PROSE, *SETUP], ids=name_of)
def test_every_variable_named_is_a_setting(path):
    assert set(VARIABLE.findall(read(path))) <= SETTINGS


def test_every_setting_is_documented():
    rows = re.findall(r"^\| `(JUNHENG_\w+)` \|", read(ROOT / "docs" / "operations.md"), re.MULTILINE)
    assert sorted(rows) == sorted(SETTINGS)


@pytest.mark.parametrize("path", [*PROSE, *SETUP], ids=name_of)
def test_no_path_of_a_machine_is_named(path):
    found = [place for place in ABSOLUTE_PATH.findall(read(path)) if not place.startswith(OWN_PLACES)]
    assert not found


def test_every_direct_dependency_has_its_row():
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    rows = re.findall(r"^\| `([\w-]+)` \|", read(ROOT / "docs" / "dependencies.md"), re.MULTILINE)
    assert sorted(rows) == sorted(re.match(r"[\w-]+", requirement)[0] for requirement in wanted)


def test_every_decision_stands_in_the_index():
    folder = ROOT / "docs" / "decisions"
    listed = {found["target"] for found in LINK.finditer(read(folder / "README.md"))}
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_the_readme_fits_on_a_screen():
    assert len(read(ROOT / "README.md").splitlines()) <= 70


def test_a_mart_column_without_meaning_is_refused(tmp_path):
    (tmp_path / "0001.sql").write_text("CREATE VIEW mart.odd AS SELECT r.release_id + 1 AS oddity FROM ops.release r;")
    with pytest.raises(NoMeaningError, match=r"mart\.odd, column 'oddity'"):
        read_views(tmp_path)


def test_a_later_migration_replaces_and_drops_views(tmp_path):
    (tmp_path / "0001.sql").write_text(
        "CREATE VIEW mart.one AS SELECT r.release_id FROM ops.release r;\n"
        "CREATE VIEW mart.two AS SELECT release_id FROM ops.release;"
    )
    (tmp_path / "0002.sql").write_text(
        "DROP VIEW mart.two;\nCREATE OR REPLACE VIEW mart.one AS SELECT r.release_id, r.refresh_id FROM ops.release r;"
    )
    assert {name: [column.name for column in view.columns] for name, view in read_views(tmp_path).items()} == {
        "one": ["release_id", "refresh_id"]
    }
