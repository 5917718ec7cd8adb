"""Answers in JSON, errors in one shape, and the HTTP status of each."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
from fastapi import Response
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.kit.errors import ConnectorError
from twofold.services.syncs import Refused

_STATUS = {
    "TF-W01": 401,
    "TF-W02": 403,
    "TF-W03": 429,
    "TF-W04": 401,
    "TF-W05": 403,
    "TF-W07": 404,
    "TF-W08": 421,
    "TF-W09": 413,
    "TF-W11": 409,
    "TF-W12": 409,
    "TF-W13": 409,
    "TF-W14": 403,
    "TF-W15": 404,
    "TF-W16": 409,
    "TF-W17": 405,
    "TF-W18": 500,
    "TF-W40": 404,
    "TF-W41": 403,
    "TF-W50": 404,
    "TF-W43": 409,
    "TF-W44": 404,
    "TF-W30": 401,
    "TF-W31": 404,
    "TF-A04": 409,
    "TF-A05": 409,
    "TF-A06": 409,
    "TF-A10": 404,
    "TF-F02": 404,
    "TF-B10": 409,
    "TF-D07": 404,
    "TF-E01": 409,
    "TF-U05": 404,
    "TF-U06": 404,
    "TF-U09": 409,
    "TF-U11": 409,
    "TF-U12": 404,
    "TF-U19": 404,
    "TF-U21": 409,
    "TF-U50": 404,
}
"""Code → status; every other one is 422, or 502 where an app is the reason, or 503 for a file."""


class Problem(Struct, frozen=True):
    """One of several things that are wrong with what was asked."""

    code: str
    sentence: str
    advice: str
    mapping: str = ""


class Error(Struct, frozen=True):
    """What went wrong, for people and for programs."""

    code: str
    sentence: str
    advice: str
    retryable: bool = False
    problems: tuple[Problem, ...] = ()


class Failure(Struct, frozen=True):
    """The body of every answer that is not 2xx."""

    error: Error


def status_of(error: TwofoldError) -> int:
    """The HTTP status that an error is answered with."""
    known = _STATUS.get(error.code)
    if known is not None:
        return known
    if isinstance(error, ConnectorError):
        return 502
    return 503 if error.code.startswith("TF-S") else 422


def encoded(answer: Any) -> bytes:
    """JSON. Values of records may be dates, times and decimals."""
    return msgspec.json.encode(answer, enc_hook=_value)


def reply(answer: Any, status: int = 200) -> Response:
    """An answer."""
    return Response(encoded(answer), status, media_type="application/json")


def failure(error: TwofoldError) -> Failure:
    """An error as its body."""
    problems = error.problems if isinstance(error, Refused) else ()
    return Failure(
        Error(
            error.code,
            error.sentence,
            error.advice,
            error.entry.retryable,
            tuple(Problem(p.code, p.sentence, p.advice, p.mapping) for p in problems),
        )
    )


def refusal(error: TwofoldError) -> Response:
    """An error as an answer."""
    answer = reply(failure(error), status_of(error))
    if error.code == "TF-W01":
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.code == "TF-W03":
        answer.headers["Retry-After"] = str(error.facts["seconds"])
    return answer


def _value(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
