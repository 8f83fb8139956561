"""What a platform truly needs code for: one small class in one file of this folder, named by ``hooks`` in its register.

Write ``hooks/<name>.py`` with a class ``PlatformHooks(Hooks)`` and override what differs; a quirk stays in one place. Not
here: anything that a key of the register or a layout can say.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resources.platforms.http import Answer, Request
    from resources.platforms.register import Platform


class Hooks:
    """Does nothing: what a platform without hooks has."""

    def request(self, platform: Platform, request: Request) -> Request:
        """The request as it shall be sent, before credentials are put in."""
        return request

    def response(self, platform: Platform, answer: Answer) -> Answer:
        """The answer as it shall be understood."""
        return answer

    def listing(self, platform: Platform, data: dict[str, Any]) -> dict[str, Any]:
        """The ``data`` of a listing as ``{"total": …, "rows": [{"id", "form", "period", "file_name", …}]}``."""
        return data


@lru_cache
def load_hooks(name: str | None) -> Hooks:
    """The hooks of a register's ``hooks`` key; LookupError where there is no such file or class."""
    if name is None:
        return Hooks()
    module_name = f"{__name__}.{name}"
    try:
        found = getattr(importlib.import_module(module_name), "PlatformHooks", None)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        raise LookupError(f"there is no file resources/platforms/hooks/{name}.py") from error
    if not (isinstance(found, type) and issubclass(found, Hooks)):
        raise LookupError(f"resources/platforms/hooks/{name}.py has no class PlatformHooks(Hooks)")
    return found()
