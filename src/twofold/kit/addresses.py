"""Where requests may go: one host, whatever links and redirects an app answers with."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin

from yarl import URL

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

_PLAIN = r"/[\w\-.~!$&'()*+,;=:@%/]*+(?:\?[\w\-.~!$&'()*+,;=:@%/]++)?"
"""A path and perhaps a query, of characters that need no escape (RFC 3986, section 3.3)."""


def resolve(base: URL, reference: str) -> URL:
    """An absolute address from a link, byte for byte as the app wrote it.

    Characters that no address may hold (blanks, line breaks, letters beyond ASCII) are escaped;
    escapes that are there stay as they are, since some servers tell ``%40`` from ``@``. A user or
    password within the address is dropped.

    Raises:
        ValueError: it is no address of the web.
    """
    escaped = quote(reference.strip(), safe=_PRINTABLE)
    url = URL(urljoin(str(base), escaped), encoded=True)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("not an address that starts with http:// or https://")
    return URL.build(
        scheme=url.scheme,
        host=url.host_subcomponent or "",
        port=url.explicit_port,
        path=url.raw_path,
        query_string=url.raw_query_string,
        encoded=True,
    )


def base_address(text: str) -> URL:
    """The address that a person gave for an app; https where no scheme is given.

    Raises:
        ValueError: it is no address of the web.
    """
    typed = text.strip()
    if "://" not in typed:
        typed = f"https://{typed}"
    return resolve(URL(), typed)


def plain_addresses(base: URL) -> re.Pattern[str]:
    """What matches whole is an address on the base's host that `resolve` would leave as it is."""
    return re.compile(re.escape(str(base.origin())) + _PLAIN, re.ASCII)


def same_place(base: URL, other: URL) -> bool:
    """Whether credentials for one address may go to the other one.

    The same scheme, host and port; or the same host's step up from http to https.
    """
    if (base.host or "").casefold() != (other.host or "").casefold():
        return False
    if base.scheme == other.scheme:
        return base.port == other.port
    return (base.scheme, other.scheme, other.port) == ("http", "https", 443)
