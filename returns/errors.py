"""Errors of the returns room. A wrong *return* is data (a :class:`CarrierError` value), a wrong *layout* is a fault.

Not here: reasons of single cells (:mod:`returns.reasons`).
"""

from __future__ import annotations

from typing import ClassVar

from returns.conform.texts import shorten
from returns.reasons import ReturnReason
from warehouse.errors import JunhengError


class CarrierError(JunhengError):
    """These bytes are not a return that can be read. The platform must send it again; ``reason`` is for quarantine."""

    reason: ClassVar[ReturnReason] = "unknown_carrier"

    def __init__(self, explanation: str) -> None:
        self.explanation = shorten(explanation)
        super().__init__(self.explanation)


class UnknownCarrierError(CarrierError):
    """The bytes are of a kind no reader knows."""


class NoTableError(UnknownCarrierError):
    """A letter, a scan or a picture, as offices attach them: a person may read figures in it, no program does."""


class NotAWorkbookError(CarrierError):
    """A web page, a truncated ZIP, or a ZIP that holds no workbook."""

    reason = "not_a_workbook"


class EncryptedFileError(CarrierError):
    """The file opens with a password only; nobody told us one, and returns are not secret."""

    reason = "encrypted_file"


class LoginPageError(CarrierError):
    """The platform sent its login page with status 200: the session ended, or the address is a person's."""

    reason = "login_page"


class HostileFileError(CarrierError):
    """The file is built to do harm (path traversal, lying sizes, XML entities); nobody opens such a file by chance."""

    reason = "hostile_file"


class TooLargeError(CarrierError):
    """The file, or what it expands to, is larger than any return."""

    reason = "too_large"


class UnreadableTextError(CarrierError):
    """The text is in no encoding that offices use, or its quoting is broken."""

    reason = "unreadable_text"


class BrokenPageError(CarrierError):
    """A page of an API answer is no JSON of the agreed shape, or is cut off."""

    reason = "broken_page"


class ErrorAnswerError(CarrierError):
    """The platform answered with an error inside an HTTP 200."""

    reason = "error_answer"


class IncompletePagesError(CarrierError):
    """The pages do not make up the total that they announce."""

    reason = "incomplete_pages"


class ConservationError(JunhengError):
    """Cells read are not observations + quarantined + repeats: a defect of this room, for its developers."""

    def __init__(self, arrival_id: int, lost: int, arrivals: int) -> None:
        super().__init__(
            f"arrival {arrival_id} lost {lost} cells on the way from cells to observations ({arrivals} arrivals in "
            "all); nothing was loaded, please report the return's SHA-256"
        )
        self.arrival_id = arrival_id
        self.lost = lost


class LayoutError(JunhengError):
    """A layout file is wrong: whoever edited it must mend it."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}, key {key}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason
