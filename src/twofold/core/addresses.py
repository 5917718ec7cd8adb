"""E-mail addresses and web domains as match keys: what must be equal, and what never counts (D8).

Stricter than `normalize`: these say that two records are the same, so what is no valid address
gives no key at all.
"""

from __future__ import annotations

import re
from functools import lru_cache

import idna
import tldextract
from email_validator import EmailNotValidError, validate_email

_PLAIN_EMAIL = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)"
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
)
"""Addresses that need no closer look: a dot-atom (RFC 5322, 3.2.3) at a host name of letters."""
_LONGEST_EMAIL = 320
_LONGEST_URL = 2048


def email_key(value: str) -> str | None:
    """The address to compare by, case-folded; None where it is not valid. Asks no server."""
    form = value.strip().lower()
    if _PLAIN_EMAIL.fullmatch(form) and "--" not in form:
        return form
    if "@" not in form or len(form) > _LONGEST_EMAIL:
        return None
    return _unusual_email(form)


@lru_cache(maxsize=1 << 14)
def _unusual_email(form: str) -> str | None:
    """Addresses in other scripts, in punycode, or with digits in the top-level domain."""
    try:
        valid = validate_email(form, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return None
    return valid.normalized.casefold()


_split_host = tldextract.TLDExtract(
    cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
)
"""With the list of public suffixes that comes with the package: nothing is fetched or stored."""

_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@lru_cache(maxsize=1 << 16)
def domain_key(value: str) -> str | None:
    """The registrable domain of a domain, a URL or an e-mail address, in ASCII.

    None for what has none (an IP address, a public suffix) and for free-mail domains, which say
    nothing about a company.
    """
    if len(value) > _LONGEST_URL:
        return None
    parts = _split_host.extract_str(value.strip())
    domain = parts.top_domain_under_public_suffix
    if not parts.suffix and parts.subdomain:
        # A top-level domain that is not listed counts as a suffix (publicsuffix.org/list, "*").
        domain = f"{parts.subdomain.rpartition('.')[2]}.{parts.domain}"
    host = domain.lower() if domain.isascii() else _in_ascii(domain)
    return host if _HOST.fullmatch(host) and host not in FREE_MAIL else None


def _in_ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""


_FREE_MAIL_WORDS = """
126.com 139.com 163.com 21cn.com aim.com aliyun.com aol.co.uk aol.com att.net bellsouth.net
bigpond.com bluewin.ch bol.com.br btinternet.com charter.net comcast.net cox.net daum.net
duck.com earthlink.net fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com gmx.at
gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com home.nl hotmail.be hotmail.ca
hotmail.co.jp hotmail.co.uk hotmail.com hotmail.com.br hotmail.de hotmail.es hotmail.fr
hotmail.it hotmail.nl icloud.com inbox.ru juno.com kpnmail.nl laposte.net libero.it list.ru
live.be live.ca live.co.uk live.com live.com.au live.de live.fr live.it live.nl mac.com mail.com
mail.ru mailbox.org me.com msn.com naver.com neuf.fr ntlworld.com online.de optonline.net
optusnet.com.au orange.fr outlook.com outlook.de outlook.es outlook.fr outlook.it planet.nl
pm.me posteo.de proton.me protonmail.com qq.com quicknet.nl rambler.ru rediffmail.com
rocketmail.com sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com skynet.be sohu.com
sympatico.ca t-online.de talktalk.net telenet.be terra.com.br tiscali.it tuta.com tutanota.com
uol.com.br verizon.net virgilio.it virginmedia.com wanadoo.fr web.de wp.pl xs4all.nl yahoo.ca
yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.de
yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yeah.net ymail.com ziggo.nl zoho.com
zonnet.nl
"""
FREE_MAIL = frozenset(_FREE_MAIL_WORDS.split())
"""Registrable domains at which anybody can have a mailbox."""
