"""Requests and answers that platforms keep as texts in one record: SageMaker, Hopsworks, H2O."""

from __future__ import annotations

import base64
import binascii
import csv
from collections.abc import Sequence
from typing import Any

from driftline.producer.errors import FormatError
from driftline.producer.records.formats.cloud_events import RecordHeaders
from driftline.producer.records.formats.json_text import parse_json
from driftline.producer.records.formats.rows import Events, number_of, row_events
from driftline.producer.records.formats.tensors import v1_rows


def sagemaker_events(record: Any, headers: RecordHeaders, names: Sequence[str]) -> Events:
    """Return an event for every row that SageMaker's data capture holds: CSV or JSON, or base64.

    Raises:
        FormatError: it is no capture, or its payload cannot be read.

    >>> record = {"captureData": {"endpointInput": {"data": "132,10.1", "encoding": "CSV"},
    ...     "endpointOutput": {"data": "0.0142", "encoding": "CSV"}},
    ...     "eventMetadata": {"eventId": "f5e4", "inferenceTime": "2026-11-23T03:10:15Z"}}
    >>> (event,) = sagemaker_events(record, {}, ["calls", "minutes"])
    >>> event["event_id"], event["features"], event["prediction"]
    ('f5e4', {'calls': 132, 'minutes': 10.1}, 0.0142)
    """
    captured, metadata = _part(record, "captureData"), _part(record, "eventMetadata")
    known = {
        "event_id": metadata.get("inferenceId") or metadata.get("eventId"),
        "timestamp": metadata.get("inferenceTime"),
    }
    inputs = _payload(captured.get("endpointInput"), ("instances", "inputs", "data", "features"))
    outputs = _payload(captured.get("endpointOutput"), ("predictions", "outputs", "data"))
    return row_events(inputs, outputs, known, names)


def hopsworks_events(record: Any, headers: RecordHeaders, names: Sequence[str]) -> Events:
    """Return an event for every row in a record of Hopsworks' inference logger.

    Raises:
        FormatError: it is none, or a text in it is no JSON.
    """
    if not isinstance(record, dict):
        raise FormatError("schema", "the record is no inference log of Hopsworks")
    known = {
        "event_id": record.get("inferenceId"),
        "timestamp": record.get("requestTimestamp"),
        "model_version": record.get("modelVersion"),
        "model_name": record.get("modelName"),
    }
    halves = {
        "request": record.get("inferenceRequest"),
        "response": record.get("inferenceResponse"),
    }
    if "payload" in record:
        halves[str(record.get("messageType"))] = record["payload"]
    request, response = (_json(halves[half]) for half in ("request", "response"))
    return v1_rows(request, response, known, names)


def h2o_events(record: Any, headers: RecordHeaders, names: Sequence[str]) -> Events:
    """Return an event for every row of a request of H2O's scoring API, with its scores.

    Its rows are texts; those that are numbers become numbers.

    Raises:
        FormatError: it holds no rows.
    """
    request, response = (_half(record, half) for half in ("request", "response"))
    fields, rows = request.get("fields"), request.get("rows")
    inputs = None
    if isinstance(fields, list) and isinstance(rows, list):
        inputs = [
            [number_of(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        ]
    outputs = None
    if isinstance(response.get("score"), list):
        heads = [str(head) for head in response.get("fields") or ()]
        outputs = [_scores(heads, row) for row in response["score"]]
    known = {"event_id": record.get("id"), "timestamp": record.get("timestamp")}
    return row_events(inputs, outputs, known, [str(field) for field in fields or names])


def _half(record: Any, name: str) -> dict[str, Any]:
    """Return the request or the response of a record of H2O: in a field of that name, or it."""
    if not isinstance(record, dict):
        raise FormatError("schema", "the record is no object with rows to score")
    for key, value in record.items():
        if key.lower().endswith(name):
            value = _json(value)
            return value if isinstance(value, dict) else {}
    return record


def _scores(heads: Sequence[str], row: Any) -> Any:
    values = [number_of(cell) if isinstance(cell, str) else cell for cell in row]
    if len(values) == 1 or len(values) != len(heads):
        return values
    return dict(zip(heads, values, strict=True))


def _payload(half: Any, members: Sequence[str]) -> list[Any] | None:
    """Return the rows of a captured input or output, None where it was not captured."""
    if not isinstance(half, dict) or not isinstance(text := half.get("data"), str):
        return None
    encoding, kind = str(half.get("encoding")), str(half.get("observedContentType", ""))
    if encoding == "BASE64":
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            raise FormatError("malformed", "a captured payload is no text in base64") from None
        encoding = "JSON" if "json" in kind else "CSV"
    if encoding == "JSON":
        return _json_rows(parse_json(text.encode()), members)
    if encoding != "CSV" and "csv" not in kind:
        raise FormatError("schema", f"a captured payload is {encoding}, neither CSV nor JSON")
    lines = [line for line in csv.reader(text.splitlines()) if line]
    return [[number_of(cell) for cell in line] for line in lines]


def _json_rows(body: Any, members: Sequence[str]) -> list[Any]:
    """Return the rows in a JSON payload: under one of the usual names, or the whole."""
    if isinstance(body, dict):
        for member in members:
            if isinstance(body.get(member), list):
                body = body[member]
                break
    if not isinstance(body, list):
        return [body]
    if body and not isinstance(body[0], list | dict) and members[0] == "instances":
        return [body]  # one row, not several of one feature
    return [
        row["features"] if isinstance(row, dict) and isinstance(row.get("features"), list) else row
        for row in body
    ]


def _json(value: Any) -> Any:
    return parse_json(value.encode()) if isinstance(value, str) and value.strip() else value


def _part(record: Any, name: str) -> dict[str, Any]:
    found = record.get(name) if isinstance(record, dict) else None
    if not isinstance(found, dict):
        raise FormatError("schema", f"the record is no data capture of SageMaker: no {name}")
    return found
