"""What an answer with status 200 really is: JSON, a file, a login page, an error in disguise. Pure; no asking here."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from resources.errors import DeliveryInvalid, PlatformRefused, PlatformUnavailable, TroubleKind
from resources.platforms.bodies import BodyCut
from resources.platforms.http import Answer
from resources.platforms.register import Platform

TRANSIENT_CODES = frozenset({408, 429, 500, 502, 503, 504})
LOGIN = re.compile(rb"type=[\"']?password|\xe7\x99\xbb\xe5\xbd\x95|log ?in|sign ?in", re.IGNORECASE)  # 登录
# A JSON text whose fault stands so near its end is one that was cut, not one that is wrong.
CUT_WITHIN = 8
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
HEAD_BYTES = 65_536


def error_code(content: bytes) -> int | None:
    """The code at the head of a small JSON envelope; looked for in the first bytes, since most answers are large."""
    found = re.match(rb'\s*\{\s*"code"\s*:\s*"?(-?\d{1,9})\b', content[:64])
    return int(found[1]) if found else None


def is_unauthorized(answer: Answer) -> bool:
    """HTTP 401, or an envelope that says 401."""
    return answer.status == 401 or (answer.status == 200 and error_code(answer.content) == 401)


def require_no_transient_code(platform: Platform, answer: Answer) -> None:
    """An envelope that says "try later" is a transient failure, as the HTTP status of that number would be."""
    code = error_code(answer.content)
    if code in TRANSIENT_CODES:
        kind: TroubleKind = "too_many_requests" if code == 429 else "unavailable"
        raise PlatformUnavailable(platform.name, answer.url, f"answers with code {code}", answer.status, kind=kind)


def parse_json(platform: Platform, answer: Answer) -> Any:
    """The JSON of an answer; DeliveryInvalid names a web page or other text, BodyCut a text that was cut."""
    content = answer.content
    if looks_like_markup(content):
        if LOGIN.search(content[:HEAD_BYTES]):
            invalid(platform, answer, "answers with a login page instead of JSON", "login_page")
        invalid(platform, answer, "answers with a web page instead of JSON", "wrong_content_type")
    try:
        return json.loads(content)
    except RecursionError:
        invalid(platform, answer, "answers with no JSON (nested too deeply)")
    except ValueError as error:
        if _is_cut(content, error):
            raise BodyCut(platform.name, answer.url, "its JSON was cut off", answer.status) from error
        invalid(platform, answer, f"answers with no JSON ({answer.media_type or 'no content type'})")


class ParsedEnvelope:
    """A check for :meth:`Asking.ask` that parses: a JSON that was cut off is asked for again, and parsed only once."""

    def __init__(self) -> None:
        self._parsed: Any = None

    def __call__(self, platform: Platform, answer: Answer) -> None:
        """Parse ``answer``."""
        self._parsed = parse_json(platform, answer)

    def data(self, platform: Platform, answer: Answer) -> dict[str, Any]:
        """As :func:`parse_envelope`, of what was parsed last."""
        return _data_of(platform, answer, self._parsed)


def parse_envelope(platform: Platform, answer: Answer) -> dict[str, Any]:
    """``data`` of a JSON envelope whose code is 0; PlatformRefused tells another code with its message."""
    return _data_of(platform, answer, parse_json(platform, answer))


def _data_of(platform: Platform, answer: Answer, envelope: Any) -> dict[str, Any]:
    if not isinstance(envelope, dict) or "code" not in envelope:
        invalid(platform, answer, "answers with JSON that has no code")
    if envelope["code"] not in (0, "0"):
        message = str(envelope.get("msg", ""))[:200]
        reason = f"answers with code {str(envelope['code'])[:20]}: {message}"
        raise PlatformRefused(platform.name, answer.url, reason, answer.status)
    data = envelope.get("data")
    if not isinstance(data, dict):
        invalid(platform, answer, "answers with JSON that has no data")
    return data


def require_file(platform: Platform, answer: Answer, offered_type: str) -> None:
    """See that ``answer`` can be the file of an offer.

    A login page, a web page without any table, and JSON in the place of another file are named. HTML with a table goes
    on: offices name it .xls. A file that is only called HTML or JSON goes on (:func:`is_mislabelled`), and so does what
    only its bytes betray, to be quarantined by those who read it.
    """
    is_html_offered = offered_type.startswith(tuple(HTML_TYPES))
    is_markup = answer.media_type in HTML_TYPES and not is_html_offered and not is_mislabelled(answer)
    if is_markup and LOGIN.search(answer.content[:HEAD_BYTES]):
        invalid(platform, answer, "answers with a login page instead of the file", "login_page")
    if is_markup and b"<table" not in answer.content.lower():
        invalid(platform, answer, "answers with a web page instead of the file", "wrong_content_type")
    is_json = answer.media_type == "application/json" and not is_mislabelled(answer)
    if is_json and "json" not in offered_type:
        parse_envelope(platform, answer)
        invalid(platform, answer, f"answers with JSON instead of {offered_type}", "wrong_content_type")
    if not answer.content:
        invalid(platform, answer, "answers with no bytes")


def is_mislabelled(answer: Answer) -> bool:
    """Whether the bytes cannot be what ``Content-Type`` says: called HTML or JSON, and beginning as neither does."""
    if not answer.content:
        return False
    if answer.media_type in HTML_TYPES:
        return not looks_like_markup(answer.content)
    return answer.media_type == "application/json" and not _begins(answer.content, (b"{", b"["))


def looks_like_markup(content: bytes) -> bool:
    """Whether the first sign is ``<``."""
    return _begins(content, (b"<",))


def _begins(content: bytes, signs: tuple[bytes, ...]) -> bool:
    """Whether the first sign after a byte order mark and blanks is one of ``signs``."""
    return content[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(signs)


def invalid(platform: Platform, answer: Answer, reason: str, kind: TroubleKind = "broken_answer") -> NoReturn:
    """Raise DeliveryInvalid."""
    raise DeliveryInvalid(platform.name, answer.url, reason, answer.status, kind=kind)


def _is_cut(content: bytes, error: ValueError) -> bool:
    if not _begins(content, (b"{", b"[")):
        return False
    if isinstance(error, UnicodeDecodeError):
        return len(content) - error.start <= CUT_WITHIN
    if isinstance(error, json.JSONDecodeError):
        return error.msg.startswith("Unterminated string") or len(error.doc) - error.pos <= CUT_WITHIN
    return False
