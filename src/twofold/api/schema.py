"""The OpenAPI document: what FastAPI knows of the routes, and msgspec of the bodies."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from twofold.api.answers import Failure

_TEMPLATE = "#/components/schemas/{name}"
_known: dict[str, Any] = {}
"""Component name → type, of everything that a route takes or gives."""


def gives(kind: Any, status: int = 200) -> dict[str, Any]:
    """Arguments of a route: what it answers."""
    described = {"description": "Done", "content": _content(kind)}
    failed = {"description": "Refused", "content": _content(Failure)}
    return {
        "response_class": Response,
        "status_code": status,
        "responses": {status: described, "4XX": failed, "5XX": failed},
    }


def takes(kind: Any) -> dict[str, Any]:
    """Argument of a route: what it is sent."""
    return {"openapi_extra": {"requestBody": {"required": True, "content": _content(kind)}}}


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Twofold",
            version="1",
            summary="Keeps the customer records of your apps in step with a hub.",
            description="Errors have one shape. Lists are paged by the key `next`. Writes take an"
            " `Idempotency-Key`: repeated with the same one, they are done once.",
            routes=app.routes,
        )
        components = made.setdefault("components", {})
        components.setdefault("schemas", {}).update(_components())
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "twofold_session"},
        }
        made["security"] = [{"token": []}, {"session": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _content(kind: Any) -> dict[str, Any]:
    name = kind.__name__
    _known[name] = kind
    return {"application/json": {"schema": {"$ref": _TEMPLATE.format(name=name)}}}


def _components() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in _known.items():
        try:
            _, parts = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
        except TypeError:  # values of records are of many kinds, which no schema can tell apart
            parts = {name: {"title": name, "type": "object"}}
        found.update(parts)
    return found
