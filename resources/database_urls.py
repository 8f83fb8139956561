"""Database URLs: read in the forms people write, given in the form each reader wants, shown without the password."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from resources.errors import WarehouseUrlError

ACCEPTED = ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2")


def read_url(text: str, variable: str) -> URL:
    """``text`` as a URL with the plain driver name ``postgresql``; WarehouseUrlError (without the text) if it is none.

    ``variable`` names where the text came from.
    """
    example = "write postgresql://user:password@host:5432/database, special characters percent-encoded"
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # `from None`: the cause's text may hold a part of the password.
        raise WarehouseUrlError(f"{variable} is no database URL: {example}") from None
    if url.drivername not in ACCEPTED:
        raise WarehouseUrlError(f"{variable} names no PostgreSQL but {url.drivername!r}: {example}")
    if not url.database or not url.username:
        lacking = "database" if not url.database else "user"
        raise WarehouseUrlError(f"{variable} names no {lacking}: {example}")
    return url.set(drivername="postgresql")


def plain_text(url: URL) -> str:
    """``postgresql://…`` with the password: for psql, psycopg and BI tools."""
    address, mark, query = url.set(drivername="postgresql").render_as_string(hide_password=False).partition("?")
    return address + mark + query.replace("+", "%20")  # libpq takes a + for a +, not for the blank SQLAlchemy means


def shown(url: URL) -> str:
    """``url`` for messages: no password, no query."""
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def without_password(text: object, url: URL) -> str:
    """``text`` (of a driver's error, say) with the password of ``url`` blotted out, in each form it may stand in."""
    result = str(text).strip()
    password = url.password
    if password:
        quoted = URL.create("x", username="u", password=str(password)).render_as_string(hide_password=False)
        for secret in (str(password), quoted.split(":", 2)[-1].rstrip("@")):
            result = result.replace(secret, "***")
    return result
