"""Raw texts to numbers, status and precision, vectorised with Arrow. Not here: units, columns, places.

Short numbers (``8364.0``, ``-3``, ``1234.5678e``) are nearly all: numpy tells them by their bytes, in a third of the time
that patterns take. Longer ones go a fast way too. What is left is brought to that form, each distinct text once: full-width
digits, thousands separators (comma or any space), 千 to 万亿, percent, parentheses or − for minus, footnote signs (①, ¹,
a), [1]), status marks, scientific notation, the apostrophe of a number kept as text. A text that then is no number keeps a
fault; nothing is guessed: no ``>5``, no ``约5``, no ``‰`` (no unit of the catalogue is per mille, and a tenth of a percent
is not silently made of it), no ``无`` or ``N/A`` (a layout's word on dashes must not make them 0), and no unit glued to
the figure (``12.3万人``, ``123张``: it may not be the column's).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

STATUSES = ("A", "P", "E", "M", "L", "B", "N", "F")
"""SDMX OBS_STATUS by code: normal (and revised), provisional, estimated, missing, below detection (``…``), break in
series, not significant, forecast."""
NORMAL, PROVISIONAL, ESTIMATED, MISSING, BELOW_DETECTION, BREAK, NOT_SIGNIFICANT, FORECAST = range(8)

NO_FAULT, NOT_A_NUMBER, FORMULA, DASH = range(4)
"""What a text is instead of a figure; a formula is one without a result, or a spreadsheet's error value."""

SIGNIFICANT_DIGITS = 12
"""Float noise ends here: the pinned precision of values."""

_SHORT_DIGITS = SIGNIFICANT_DIGITS
"""So many digits have no float noise to be looked for."""
_SHORT_BYTES = _SHORT_DIGITS + 3  # sign, point, mark
_POINT_SHIFT, _DIGITS = np.uint32(8), np.uint32(0xFF)
_COUNTED = np.zeros(256, np.uint32)
_COUNTED[ord("0") : ord("9") + 1] = 1
_COUNTED[ord(".")] = 1 << _POINT_SHIFT
_PLAIN = r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?[eprbnf*]?$"
_NUMBER = r"^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_INVISIBLE = "[\u200b-\u200f\u2060\ufeff]"
_APOSTROPHE = r"^\s*['’＇](\s*[-+−.0-9０-９(（])"
_FOOTNOTES = (
    r"((?:[①-⒇Ⓐ-⓿❶-➓㉑-㉟㊱-㊿]|[⁰¹²³⁴-⁹]{1,2}|⁽[⁰¹²³⁴-⁹]{1,2}⁾|[\[［〔][0-9０-９]{1,2}[\]］〕]|[a-z][)）])\s*)+"
    r"([%％]?\s*[eprbnf*]?\s*)$"
)
# 10² is a power, not a ten with a footnote; NFKC would turn ² into 2, ⒈ into 1. and ½ into 1⁄2.
_POWER = "(?:^|[^0-9.,０-９．，])[1１][0０][⁰¹²³⁴-⁹⁻]"
_OTHER_DIGITS = r"[^\P{N}0-9０-９]"
_GROUPED = r"^-?[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?: [0-9]{3})+)(?:\.[0-9]+)?$"
_MARKED = r"^(.*[0-9.%千万亿)])\s*[eprbnf*]$"
_FORMULAS = r"^(?:=|#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|ERROR)$)"
_DASHES = r"^(?:[-—–―‐‑‒−]+|/|N)$"
_SCALES = (
    ("万亿", 1e12),
    ("千亿", 1e11),
    ("百亿", 1e10),
    ("亿", 1e8),
    ("千万", 1e7),
    ("百万", 1e6),
    ("万", 1e4),
    ("千", 1e3),
)
_MARKS = (
    ("p", PROVISIONAL),
    ("*", PROVISIONAL),
    ("e", ESTIMATED),
    ("r", NORMAL),
    ("b", BREAK),
    ("n", NOT_SIGNIFICANT),
    ("f", FORECAST),
)


_LAST_DIGITS = np.array([float(f"1e-{decimals}") for decimals in range(_SHORT_DIGITS + 1)])
"""One unit of the last digit, by the number of decimals."""


_STATUS_OF_MARK = np.full(256, -1, np.int8)
for _mark, _code in _MARKS:
    _STATUS_OF_MARK[ord(_mark)] = _code
_POWERS = 10.0 ** np.arange(301)


@dataclass(frozen=True, slots=True)
class Figures:
    """Arrays of one length: the printed number (NaN where there is none), before any unit.

    ``last_digit`` is one unit of the last printed digit; ``scale`` is the figure's own 千, 万 or 亿 (else 1), not
    yet applied; ``is_percent`` whether it was printed with %; ``fault`` is one of the codes above,
    ``status`` indexes :data:`STATUSES`.
    """

    value: Floats
    last_digit: Floats
    status: Codes
    fault: Codes
    scale: Floats
    is_percent: Flags
    is_short: Flags
    """A plain number of at most twelve digits."""


def read_figures(texts: pa.StringArray) -> Figures:
    """Read raw texts as figures; blank is a missing figure, ``…`` one below detection."""
    size = len(texts)
    length, short = _find_short(texts)
    figures = Figures(
        value=_to_float(short.numbers),
        last_digit=np.where(short.is_short, _LAST_DIGITS[short.decimals], np.nan),
        status=np.where(short.is_short, short.status, np.int8(MISSING)),
        fault=np.zeros(size, np.int8),
        scale=np.ones(size),
        is_percent=np.zeros(size, np.bool_),
        is_short=short.is_short,
    )
    _read_long(figures, texts, np.flatnonzero(~short.is_short & (length > 0)))
    return figures


@dataclass(frozen=True, slots=True)
class _Short:
    """Which texts are a number of few digits, with or without sign, decimals and mark; then its decimals and status, and the
    number without its mark (null of the others)."""

    is_short: Flags
    decimals: Index
    status: Codes
    numbers: pa.StringArray


def _find_short(texts: pa.StringArray) -> tuple[Index, _Short]:
    """(the length of each text in bytes, which are short numbers)."""
    size = len(texts)
    offsets, content = _bytes_of(texts)
    start, stop = offsets[:-1], offsets[1:]
    length = stop - start
    decimals, status = np.zeros(size, np.int32), np.full(size, NORMAL, np.int8)
    if not len(content):
        return length, _Short(np.zeros(size, np.bool_), decimals, status, pa.nulls(size, pa.string()))
    # Digits and points of each text are counted in one sum; it may run over, its differences do not in so few bytes.
    total = np.zeros(len(content) + 1, np.uint32)
    np.cumsum(_COUNTED[content], out=total[1:])
    counts = total[stop] - total[start]
    digits, points = counts & _DIGITS, counts >> _POINT_SHIFT
    is_negative = content[np.minimum(start, len(content) - 1)] == ord("-")
    marks = _STATUS_OF_MARK[content[stop - 1]]  # of a blank text that of another, which does not matter
    is_marked = marks >= 0
    is_short = (digits > 0) & (digits <= _SHORT_DIGITS) & (points <= 1) & (length <= _SHORT_BYTES)
    is_short &= digits + points + is_negative + is_marked == length
    is_marked &= is_short
    with_point = np.flatnonzero(is_short & (points == 1))
    is_point = content == ord(".")
    places = np.flatnonzero(is_point)
    if len(places) != len(with_point):  # other texts have points too
        before = np.concatenate([[0], np.cumsum(is_point)])
        places = places[np.repeat(is_short, before[stop] - before[start])]
    decimals[with_point] = (stop - is_marked)[with_point] - places - 1
    # Digits on both sides of the point.
    is_bare = (decimals[with_point] == 0) | (places == (start + is_negative)[with_point])
    is_short[with_point[is_bare]] = False
    is_marked &= is_short
    status[is_marked] = marks[is_marked]
    numbers = _without_last(offsets, content, is_marked) if is_marked.any() else texts
    return length, _Short(
        is_short, decimals, status, numbers if is_short.all() else pc.if_else(pa.array(is_short), numbers, None)
    )


def _bytes_of(texts: pa.StringArray) -> tuple[Index, Bytes]:
    """(where each text begins and the last one ends, the bytes of all)."""
    if not len(texts):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, ends, content = texts.buffers()
    offsets = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    every = np.zeros(0, np.uint8) if content is None else np.frombuffer(content, np.uint8)
    return offsets - offsets[0], every[offsets[0] : offsets[-1]]


def _without_last(offsets: Index, content: Bytes, is_longer: Flags) -> pa.StringArray:
    """The texts, some of them without their last byte."""
    is_kept = np.ones(len(content), np.bool_)
    is_kept[offsets[1:][is_longer] - 1] = False
    offsets = offsets.copy()
    offsets[1:] -= np.cumsum(is_longer, dtype=np.int32)
    return pa.StringArray.from_buffers(len(is_longer), pa.py_buffer(offsets), pa.py_buffer(content[is_kept]))


def _read_long(figures: Figures, texts: pa.StringArray, where: npt.NDArray[np.intp]) -> None:
    """Read the texts at ``where``, none of them blank, into ``figures``: plain numbers of many digits or with a mark, and all
    that is no plain number."""
    if not len(where):
        return
    texts = texts.take(pa.array(where))
    is_plain = _matches(texts, _PLAIN)
    plain, odd = where[is_plain], where[~is_plain]
    numbers, status = _split_mark(texts.filter(pa.array(is_plain)))
    figures.value[plain], figures.last_digit[plain] = _parse(numbers)
    figures.status[plain] = status
    if len(odd):
        encoded = texts.filter(pa.array(~is_plain)).dictionary_encode()
        read, index = _read_odd(encoded.dictionary), encoded.indices.to_numpy()
        for name in ("value", "last_digit", "status", "fault", "scale", "is_percent"):
            getattr(figures, name)[odd] = getattr(read, name)[index]


def round_noise(values: Floats) -> Floats:
    """Values at 12 significant digits: the nearest double of what was printed, without float noise."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        magnitude = np.floor(np.log10(np.abs(values)))
        places = np.where(np.isfinite(magnitude), SIGNIFICANT_DIGITS - 1 - magnitude, 0.0).astype(np.int16)
        # Powers of ten are exact up to 22: dividing by one gives the nearest double, multiplying by 0.1 would not.
        up, down = _POWERS[np.clip(places, 0, 300)], _POWERS[np.clip(-places, 0, 300)]
        rounded = np.round(values * up / down) / up * down
    return np.where(np.isfinite(rounded), rounded, values) + 0.0  # -0.0 becomes 0.0


def _read_odd(texts: pa.StringArray) -> Figures:
    """Distinct texts that are not plain numbers."""
    is_formula = _matches(texts, _FORMULAS)
    texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, _INVISIBLE, ""))
    clean = pc.replace_substring_regex(pc.replace_substring_regex(texts, _APOSTROPHE, r"\1"), _FOOTNOTES, r"\2")
    is_clear = ~_matches(clean, _OTHER_DIGITS) & ~_matches(texts, _POWER)
    clean = pc.utf8_trim_whitespace(pc.utf8_normalize(clean, form="NFKC"))  # full-width forms; … becomes three dots
    is_blank = _flags(pc.equal(texts, ""))
    is_below = _matches(clean, r"^(?:\.{3,}|⋯+)$")
    is_dash = _matches(clean, _DASHES)

    clean, status = _split_mark(clean)
    clean = pc.replace_substring_regex(clean, r"^\(([0-9.].*)\)$", r"-\1")
    clean = pc.replace_substring_regex(clean, "^[−–]", "-")
    clean = pc.replace_substring_regex(clean, r"^\+", "")
    is_percent = _flags(pc.ends_with(clean, "%"))
    clean = pc.utf8_trim_whitespace(pc.utf8_rtrim(clean, "%"))
    clean, scale = _split_scale(clean)
    is_grouped = _matches(clean, _GROUPED)
    clean = pc.if_else(pa.array(is_grouped), pc.replace_substring_regex(clean, "[, ]", ""), clean)

    # A mark, a sign or a scale twice leaves a rest that is no number.
    is_number = _matches(clean, _NUMBER) & is_clear & ~is_formula
    value, last_digit = _parse(pc.if_else(pa.array(is_number), clean, "nan"))
    is_number &= np.isfinite(value)
    fault = np.select(
        [is_number | is_below | is_blank, is_formula, is_dash], [NO_FAULT, FORMULA, DASH], NOT_A_NUMBER
    ).astype(np.int8)
    status = np.select([is_number, is_below], [status, BELOW_DETECTION], MISSING).astype(np.int8)
    return Figures(
        np.where(is_number, value, np.nan),
        np.where(is_number, last_digit, np.nan),
        status,
        fault,
        scale,
        is_percent,
        np.zeros(len(value), np.bool_),
    )


def _split_mark(texts: pa.StringArray) -> tuple[pa.StringArray, Codes]:
    """Texts without their status mark, and the status it stands for (the last character, after a figure)."""
    status = np.full(len(texts), NORMAL, np.int8)
    is_marked = _matches(texts, _MARKED)
    if not is_marked.any():
        return texts, status
    for mark, code in _MARKS:
        status[is_marked & _flags(pc.ends_with(texts, mark))] = code
    unmarked = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(texts, 0, -1))
    return pc.if_else(pa.array(is_marked), unmarked, texts), status


def _split_scale(texts: pa.StringArray) -> tuple[pa.StringArray, Floats]:
    scale = np.ones(len(texts))
    for suffix, factor in _SCALES:
        has_suffix = _flags(pc.ends_with(texts, suffix)) & (scale == 1.0)
        if has_suffix.any():
            scale[has_suffix] = factor
            shorter = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(texts, 0, -len(suffix)))
            texts = pc.if_else(pa.array(has_suffix), shorter, texts)
    return texts, scale


def _parse(numbers: pa.StringArray) -> tuple[Floats, Floats]:
    """(value, one unit of the last printed digit) of texts that are numbers or ``nan``; noise digits do not count."""
    value = _to_float(numbers)
    exponent = _last_exponent(numbers)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = np.floor(np.log10(np.abs(value)))
    is_noisy = np.isfinite(magnitude) & (magnitude - exponent >= SIGNIFICANT_DIGITS)
    if is_noisy.any():
        # 46.6000000000001 was 46.6: count the digits that are left at the pinned precision.
        short = np.char.mod(f"%.{SIGNIFICANT_DIGITS}g", value[is_noisy])
        exponent[is_noisy] = np.maximum(_last_exponent(pa.array(short.tolist(), pa.string())), exponent[is_noisy])
    with np.errstate(over="ignore"):
        return value, np.where(np.isnan(value), np.nan, 10.0**exponent)


def _to_float(numbers: pa.StringArray) -> Floats:
    values: Floats = pc.cast(numbers, pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _last_exponent(numbers: pa.StringArray) -> Floats:
    """The power of ten of the last digit: ``12.30`` → -2, ``12`` → 0, ``1.2e5`` → 4."""
    mantissa, scientific = numbers, np.zeros(len(numbers))
    is_scientific = _matches(numbers, "[0-9.][eE]")
    if is_scientific.any():
        chosen = pa.array(is_scientific)
        power = pc.replace_substring_regex(numbers.filter(chosen), r"^.*[eE]\+?", "")
        scientific[is_scientific] = pc.cast(power, pa.float64()).to_numpy(zero_copy_only=False)
        mantissa = pc.replace_substring_regex(numbers, "[eE].*$", "")
    point = pc.find_substring(mantissa, ".").to_numpy(zero_copy_only=False)
    length = pc.utf8_length(mantissa).to_numpy(zero_copy_only=False)
    return np.where(point < 0, 0, point + 1 - length).astype(np.float64) + scientific


def _matches(texts: pa.StringArray, pattern: str) -> Flags:
    return _flags(pc.match_substring_regex(texts, pattern))


def _flags(array: Any) -> Flags:
    flags: Flags = array.to_numpy(zero_copy_only=False)
    return flags
