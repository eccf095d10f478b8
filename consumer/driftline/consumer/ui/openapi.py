"""The API as an OpenAPI document, from the table of routes and the structs that they answer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest
from driftline.consumer.ui.access import COOKIE
from driftline.consumer.ui.api import FORMAT, PREFIX, ROUTES, Parameter, Route
from driftline.consumer.ui.listeners import Changed
from driftline.consumer.ui.problem import MEDIA_TYPE, Problem
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.messages import Acceptance

Json = dict[str, Any]
_REF = "#/components/schemas/{name}"
_ABOUT = """\
What the page of `driftline ui` shows, as JSON; lists and series also as CSV. Within `v1` a field
may be added, but never renamed or given another unit. Answers have an `ETag`: with `If-None-Match`
one that has not changed is 304 without a body. Names in paths are percent-encoded, `/` as `%2F`.
"""
_REFUSALS = {
    400: "A parameter is not as it must be.",
    401: "Reading needs the token here.",
    403: "The request names another host, or comes from another site's page.",
    404: "Nothing is known of it, or nothing any more.",
}
_WRITING = {
    **_REFUSALS,
    401: "Writing needs the token.",
    403: "Nobody writes here, or the request comes from another site's page.",
    413: "It is too long.",
    415: "It is not sent as JSON.",
    503: "The broker does not take it.",
}


def document() -> Json:
    """Return the OpenAPI document, 3.1."""
    structs = [*(each.answer for each in ROUTES), MarkRequest, Marks]
    structs += [AcceptanceRequest, Acceptance, Changed, Problem]
    _, components = msgspec.json.schema_components(structs, ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Driftline", "version": "1", "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{}, {"token": []}, {"cookie": []}],
        "paths": {
            **{each.path: {"get": _get(each)} for each in ROUTES},
            "/alerts/{alert_id}/marks": {"post": _marks()},
            "/models/{model}/acceptances": {"post": _acceptances()},
            "/stream": {"get": _stream()},
            "/openapi.json": {"get": _this()},
        },
        "components": {
            "schemas": {name: _plain(schema) for name, schema in components.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _get(route: Route) -> Json:
    parameters = [*route.parameters, *([FORMAT] if route.rows else ())]
    content: Json = {"application/json": {"schema": _ref(route.answer)}}
    if route.rows:
        content["text/csv"] = {"schema": {"type": "string"}}
    refusals = [401, 403]
    refusals += [400] if parameters or route.names else []
    refusals += [404] if route.names else []
    return {
        "summary": route.about,
        "operationId": _operation(route.path),
        "parameters": [*_names(route.names), *map(_parameter, parameters)],
        "responses": {
            "200": {"description": route.about, "content": content},
            "304": {"description": "It has not changed."},
            **_refused({code: _REFUSALS[code] for code in sorted(refusals)}),
        },
    }


def _marks() -> Json:
    about = "Acknowledge or snooze an alert, mark it as a false alarm, or take that back."
    answer = "All marks of the alert."
    return {
        "summary": about,
        "operationId": "mark_alert",
        "parameters": _names(("alert_id",)),
        **_written(MarkRequest, Marks, answer),
    }


def _acceptances() -> Json:
    about = "Accept what a feature of a model, or every one, is now as the new normal."
    answer = "The record, as the worker that judges the model reads it."
    return {
        "summary": about,
        "operationId": "accept",
        "parameters": _names(("model",)),
        **_written(AcceptanceRequest, Acceptance, answer),
    }


def _written(request: type, found: type, about: str) -> Json:
    return {
        "security": [{"token": []}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(request)}},
        },
        "responses": {
            "200": {
                "description": about,
                "content": {"application/json": {"schema": _ref(found)}},
            },
            **_refused(_WRITING),
        },
    }


def _stream() -> Json:
    return {
        "summary": "Server-sent events `changed`: a model that changed, or any where it is null.",
        "operationId": "stream",
        "responses": {
            "200": {
                "description": "Events whose data is `Changed`, until the page is closed.",
                "content": {"text/event-stream": {"schema": _ref(Changed)}},
            },
            **_refused({401: _REFUSALS[401], 403: _REFUSALS[403], 503: "Too many pages are open."}),
        },
    }


def _this() -> Json:
    return {
        "summary": "This document.",
        "operationId": "openapi",
        "responses": {
            "200": {
                "description": "This document.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **_refused({401: _REFUSALS[401], 403: _REFUSALS[403]}),
        },
    }


def _refused(codes: dict[int, str]) -> Json:
    content = {MEDIA_TYPE: {"schema": _ref(Problem)}}
    return {str(code): {"description": text, "content": content} for code, text in codes.items()}


def _names(names: Sequence[str]) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.about,
        "schema": msgspec.json.schema(parameter.type),
    }


def _ref(struct: type) -> Json:
    return {"$ref": _REF.format(name=struct.__name__)}


def _operation(path: str) -> str:
    """Return a name of a route for generated clients.

    >>> _operation("/models/{model}/features/{feature}"), _operation("/models")
    ('models_model_features_feature', 'models')
    """
    return "_".join(part.strip("{}") for part in path.split("/") if part)


def _plain(schema: Json) -> Json:
    """Return a schema whose description is not indented."""
    if "description" in schema:
        return {**schema, "description": inspect.cleandoc(schema["description"])}
    return schema
