"""Cards for tests."""

from __future__ import annotations

ADA = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-ada\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\n"
    b"item1.EMAIL;TYPE=INTERNET,pref:ada@example.org\r\nitem1.X-ABLabel:analytical\r\n"
    b"EMAIL;TYPE=HOME:home@example.org\r\nTEL;TYPE=WORK,VOICE:+44 20 1234\r\n"
    b'X-CUSTOM;X-P="a;b:c":keep\r\n  this fold\r\nEND:VCARD\r\n'
)


def card(number: int, *lines: str, uid: str | None = None) -> bytes:
    """A small card of version 3.0."""
    own = [f"UID:{uid or f'u{number}'}", f"FN:P {number}", f"N:P;{number};;;", *lines]
    text = "".join(f"{line}\r\n" for line in ["BEGIN:VCARD", "VERSION:3.0", *own, "END:VCARD"])
    return text.encode()
