"""From bytes to text: byte order marks, what a page declares, what the register hints at. Not here: what the text says."""

from __future__ import annotations

import codecs

from returns.errors import UnreadableTextError

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MARK = "\ufeff"
# Offices write "gb2312" and mean the code page of their Windows; GB18030 holds both, and GBK.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030", "hz": "gb18030"}


def decode_text(content: bytes, hint: str | None = None) -> str:
    """The text of ``content``: a byte order mark decides, then UTF-8 if it is that, then ``hint``, then GB18030.

    UTF-8 goes before any hint, since GB18030 decodes almost any bytes while its text is hardly ever valid UTF-8; a hint of
    a charset that nobody knows counts for nothing. Raises :class:`returns.errors.UnreadableTextError`.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            tried = [encoding]
            break
    else:
        tried = ["utf-8", *_known(hint), "gb18030"]
    for encoding in dict.fromkeys(tried):
        try:
            return content.decode(encoding).lstrip(_MARK)
        except UnicodeDecodeError as error:
            if encoding == "utf-8" and _is_cut_off(content, error):
                raise UnreadableTextError("the text is UTF-8 and is cut off within its last character") from error
    names = " nor ".join(name.upper() for name in dict.fromkeys(tried))
    raise UnreadableTextError(f"the text is {'neither ' if len(tried) > 1 else 'not '}{names}")


def _is_cut_off(content: bytes, error: UnicodeDecodeError) -> bool:
    """Whether all but a last half character is UTF-8: read as GB18030 it would be another text, and nobody would know why."""
    is_at_end = error.reason == "unexpected end of data" and error.end == len(content)
    return is_at_end and not content[: error.start].isascii()


def _known(hint: str | None) -> list[str]:
    """The codec of a hint, none where there is no such text codec."""
    if not hint:
        return []
    name = _WIDER.get(hint.strip().lower(), hint.strip())
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return []
    return [info.name] if info._is_text_encoding and not info.name.startswith(("utf-7", "punycode", "idna")) else []
