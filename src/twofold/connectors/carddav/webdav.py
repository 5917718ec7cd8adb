"""The XML of WebDAV: requests as bytes, answers as plain values (RFC 4918, 6578, 6352).

Nothing that a server sends is trusted: no document type, no entity, no address of another host, no
path outside of the collection that was asked.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError, iterparse

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse as defused_iterparse
from msgspec import Struct

from twofold.kit.errors import Misunderstood

DAV = "{DAV:}"
CARD = "{urn:ietf:params:xml:ns:carddav}"

_PREFIXES = {DAV: "D", CARD: "C"}
_HEADER = '<?xml version="1.0" encoding="utf-8"?>'
_SPACES = " ".join(f'xmlns:{short}="{space[1:-1]}"' for space, short in _PREFIXES.items())
_PCHAR = "-._~!$&'()*+,;=:@"
"""What a path segment holds unescaped (RFC 3986 §3.3)."""
_HREF, _PROP, _PROPSTAT, _STATUS = (f"{DAV}{n}" for n in ("href", "prop", "propstat", "status"))
_STATUS_LINE = re.compile(r"HTTP/\S+\s+(\d{3})")
_BARE = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:<\?xml\ version=["']1\.0["'](?:\ encoding=["']utf-8["'])?\ ?\?>)?
    [\ \t\r\n]*<[a-z_]""",
    re.IGNORECASE | re.VERBOSE,
)
"""The beginning of a document of UTF-8 whose first markup is its root element."""
_ADDRESS_DATA = re.compile(
    rb"(<(?:[\w.-]+:)?address-data\b[^<>]*(?<!/)>)(.*?)(</(?:[\w.-]+:)?address-data\s*>)", re.DOTALL
)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_OTHER_ENCODING = re.compile(rb"""\s*<\?xml[^>]*encoding=["'](?!utf-?8)""", re.IGNORECASE)
_ETAG = re.compile(r"[\x20-\x7e\x80-\xff]+")
"""What a header can carry."""


class Malformed(Misunderstood):
    """Not XML: perhaps one card in it is not text."""


class Answer(Struct, frozen=True):
    """One ``response`` of a multistatus."""

    href: str
    status: int
    """Of the resource; 200 where only its properties have one."""
    props: dict[str, Element]
    """The properties found, by qualified name."""

    def text(self, name: str) -> str:
        """The text of a property; empty where it was not found."""
        found = self.props.get(name)
        return (found.text or "") if found is not None else ""

    @property
    def etag(self) -> str | None:
        """Exactly as given, for If-Match."""
        return clean_etag(self.text(f"{DAV}getetag"))


def clean_etag(text: str | None) -> str | None:
    """An etag as it was given, or None where it could not be sent back in a header."""
    text = (text or "").strip()
    return text if _ETAG.fullmatch(text) else None


# --- requests ----------------------------------------------------------------------------------


def _tags(names: Iterable[str]) -> str:
    return "".join(
        f"<{_PREFIXES[space + '}']}:{local}/>" for space, local in (n.split("}") for n in names)
    )


def propfind(names: Iterable[str]) -> bytes:
    """Ask for properties (RFC 4918 §9.1)."""
    text = f"<D:propfind {_SPACES}><D:prop>{_tags(names)}</D:prop></D:propfind>"
    return (_HEADER + text).encode()


def sync_collection(token: str, names: Iterable[str]) -> bytes:
    """Ask for what changed since a token; an empty one lists all (RFC 6578 §3.2).

    Never with a limit: a server was seen to cut the answer without saying so.
    """
    text = (
        f"<D:sync-collection {_SPACES}><D:sync-token>{html.escape(token)}</D:sync-token>"
        f"<D:sync-level>1</D:sync-level><D:prop>{_tags(names)}</D:prop></D:sync-collection>"
    )
    return (_HEADER + text).encode()


def multiget(paths: Sequence[str]) -> bytes:
    """Ask for whole cards (RFC 6352 §8.7)."""
    hrefs = "".join(f"<D:href>{html.escape(path)}</D:href>" for path in paths)
    names = _tags((f"{DAV}getetag", f"{CARD}address-data"))
    text = f"<D:prop>{names}</D:prop>{hrefs}"
    return f"{_HEADER}<C:addressbook-multiget {_SPACES}>{text}</C:addressbook-multiget>".encode()


# --- answers -----------------------------------------------------------------------------------


def read_multistatus(app: str, content: bytes, take: Callable[[Answer], None]) -> str:
    """Hand over one response after the other, and return the sync token, if any.

    Raises:
        Misunderstood: this is no multistatus, or XML that could be an attack.
    """
    token, root = "", None
    for event, element in _events(app, content):
        if root is None:
            root = element
            if root.tag != f"{DAV}multistatus":
                raise Misunderstood(app, "no WebDAV multistatus")
        elif event == "end" and element.tag == f"{DAV}response":
            take(_answer(element))
            root.clear()
        elif event == "end" and element.tag == f"{DAV}sync-token":
            token = (element.text or "").strip()
    return token


def preconditions(content: bytes) -> frozenset[str]:
    """The names in a DAV:error body (RFC 4918 §16); none where it is something else."""
    try:
        tags = [element.tag for event, element in _events("", content) if event == "start"]
    except Misunderstood:
        return frozenset()
    return frozenset(tags[1:]) if tags[:1] == [f"{DAV}error"] else frozenset()


def _events(app: str, content: bytes) -> Iterator[tuple[str, Element]]:
    """The start and end of each element; of a document without a document type only.

    A document type can only stand before the root element. Where that comes first and the bytes are
    UTF-8, there is nothing that the slower reader would refuse.
    """
    source = io.BytesIO(content)
    try:
        if _BARE.match(content):
            yield from iterparse(source, ("start", "end"))  # noqa: S314
        else:
            yield from defused_iterparse(source, ("start", "end"), forbid_dtd=True)
    except DefusedXmlException:
        raise Misunderstood(app, "XML with a document type, which WebDAV never has") from None
    except (ParseError, ValueError, LookupError):
        raise Malformed(app, "not well-formed XML") from None


def _answer(response: Element) -> Answer:
    props: dict[str, Element] = {}
    href, status = "", 200
    for child in response:
        if child.tag == _PROPSTAT:
            _collect(child, props)
        elif child.tag == _HREF:
            href = href or (child.text or "").strip()
        elif child.tag == _STATUS:
            status = _status(child)
    return Answer(href, status, props)


def _collect(propstat: Element, props: dict[str, Element]) -> None:
    """Add the properties of a propstat, if they were found."""
    status, found = 200, []
    for child in propstat:
        if child.tag == _PROP:
            found.append(child)
        elif child.tag == _STATUS:
            status = _status(child)
    if status == 200:
        props.update((prop.tag, prop) for group in found for prop in group)


def _status(element: Element) -> int:
    found = _STATUS_LINE.match((element.text or "").strip())
    return int(found[1]) if found else 200


def with_line_breaks(content: bytes) -> bytes:
    r"""Protect the carriage returns of cards from the XML reader, which would drop them.

    XML turns CR LF into LF (XML 1.0 §2.11), and servers do not always write ``&#13;``. What we put
    back must have the line breaks that the card has.
    """
    return _ADDRESS_DATA.sub(_protected, content) if b"\r" in content else content


def _protected(found: re.Match[bytes]) -> bytes:
    text = found[2]
    mark = b"]]>&#13;<![CDATA[" if b"<![CDATA[" in text else b"&#13;"
    return found[1] + text.replace(b"\r", mark) + found[3]


def repaired(content: bytes) -> bytes:
    """What XML cannot carry replaced by U+FFFD: bytes that are not UTF-8, control characters."""
    if _OTHER_ENCODING.match(content):
        return content
    return _NOT_XML.sub("\ufffd", content.decode("utf-8", "replace")).encode()


# --- addresses ---------------------------------------------------------------------------------


def normal_path(path: str) -> str:
    """A path with exactly the percent-encoding that RFC 3986 requires."""
    return "/".join(quote(unquote_to_bytes(part), safe=_PCHAR) for part in path.split("/"))


def locate(base: str, href: str) -> tuple[str, str] | None:
    """Host name and normal path of an href, which may be relative or a whole URL.

    The scheme and port of a whole URL do not count: a server behind a proxy names its own.
    """
    try:
        found = urlsplit(urljoin(base, href))
        return (found.hostname or "").lower(), normal_path(found.path or "/")
    except ValueError:
        return None
