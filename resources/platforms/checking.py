"""Whether the register agrees with the world around it: variables, files, hooks, forms, layouts. Nothing is asked.

Here: what a person must do before a platform can be asked. Not here: whether a key is well formed (``register`` says that
when it is read), whether a platform answers (``probing``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from resources.errors import PlatformError
from resources.platforms.asking import Asking
from resources.platforms.hooks import load_hooks
from resources.platforms.register import Platform
from resources.platforms.transports import TRANSPORTS
from warehouse.catalogue import load_catalogue


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to do, and the platforms that wait for it."""

    what: str  # a sentence that says what to do
    file: str  # of the register, where the key stands
    key: str
    platforms: tuple[str, ...]


def check_register(
    platforms: Iterable[Platform], template: str | None, variables: Mapping[str, str], layouts: Collection[str] = ()
) -> list[Problem]:
    """What must be done before ``platforms`` can be asked; the same thing for many is one problem.

    Variables and files are looked for only where a platform has an address. ``layouts``: the names that exist; empty:
    they are not checked.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for platform in platforms:
        problems = [*_data_problems(platform, layouts)]
        if platform.address(template) is not None:
            problems += [*_option_problems(platform), *_environment_problems(platform, variables)]
        for key, what in problems:
            found.setdefault((what, platform.file.name, key), []).append(platform.name)
    return [Problem(what, file, key, tuple(names)) for (what, file, key), names in found.items()]


def _data_problems(platform: Platform, layouts: Collection[str]) -> list[tuple[str, str]]:
    """What is wrong in the register itself, given the rest of the project."""
    access = platform.access
    forms = load_catalogue().forms
    problems = [
        ("calendar", f"the sector has no form {code}: mend the name, or add the form to the catalogue")
        for code in access.calendar
        if code not in forms or forms[code].sector != platform.sector
    ]
    if layouts:
        unknown = [name for name in access.layouts if name not in layouts]
        problems += [("layouts", f"there is no layout {name}: mend the name, or write the layout") for name in unknown]
    try:
        load_hooks(access.hooks)
    except LookupError as error:
        problems.append(("hooks", f"{error}: mend the name, or write the class"))
    return problems


def _option_problems(platform: Platform) -> list[tuple[str, str]]:
    """What the platform's transport says of its ``options``; a transport that reads none has none."""
    transport = TRANSPORTS[platform.access.transport](Asking(variables={}))
    read_options = getattr(transport, "read_options", None)
    if read_options is None:
        return [("options", "its transport has no options: take them away")] if platform.access.options else []
    try:
        read_options(platform)
    except PlatformError as error:
        return [("options", error.reason.removeprefix(f"{platform.file.name}: "))]
    return []


def _environment_problems(platform: Platform, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that are not set, and files they name that cannot be read. No value of a variable is told."""
    access = platform.access
    files = {access.ca_file_from, access.auth.certificate_from, access.auth.key_from} - {None}
    problems = []
    for name in access.variables():
        key = "ca_file_from" if name == access.ca_file_from else "auth"
        value = variables.get(name)
        if not value:
            problems.append((key, f"set the environment variable {name}"))
        elif name in files and not (os.path.isfile(value) and os.access(value, os.R_OK)):
            problems.append((key, f"the file that {name} names cannot be read: mend the path or its rights"))
    return problems
