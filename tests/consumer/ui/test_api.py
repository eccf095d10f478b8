"""What the API answers: the structs as JSON or CSV, 304, and refusals of one shape."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
from typing import Any
from urllib.parse import quote

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import validate
from starlette.routing import Route
from starlette.testclient import TestClient

from driftline.consumer.ui import api, tables
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.app import application
from driftline.consumer.ui.files import PageFiles
from driftline.consumer.ui.listeners import Listeners
from driftline.consumer.ui.openapi import document
from driftline.consumer.views.alert_views import Wanted
from driftline.consumer.wire.addresses import VIEWS, view_path

from . import double
from .double import ALERT_ID, ENDS, FEATURE, MODEL, SEGMENT, Literal

NAMES = {"model": MODEL, "feature": FEATURE, "alert_id": ALERT_ID}
ANSWERS = {
    "/status": double.STATUS,
    "/models": double.HOME,
    "/models/{model}": double.MODEL_VIEW,
    "/models/{model}/features/{feature}": double.FEATURE_VIEW,
    "/models/{model}/performance": double.PERFORMANCE,
    "/alerts/{alert_id}": double.ALERT_VIEW,
    "/pipeline": double.PIPELINE,
    "/report": double.REPORT,
}


def filled(path: str) -> str:
    names = {name: quote(text, safe="") for name, text in NAMES.items()}
    return api.PREFIX + path.format(**names)


@pytest.mark.parametrize("path", ANSWERS)
def test_each_route_answers_its_struct(client: TestClient, path: str) -> None:
    """The names hold `/`, `%2F` and a letter beyond ASCII."""
    answer = client.get(filled(path))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == msgspec.json.encode(ANSWERS[path])


def test_names_and_parameters_arrive_as_they_are(client: TestClient, source: Literal) -> None:
    path = filled("/models/{model}/features/{feature}")
    assert client.get(path, params={"segment": SEGMENT, "window": ENDS[0]}).status_code == 200
    assert client.get(path, params={"segment": "", "utm": "x"}).status_code == 200
    assert source.asked == [(MODEL, FEATURE, SEGMENT, ENDS[0]), (MODEL, FEATURE, None, None)]


def test_alerts_are_chosen(client: TestClient, source: Literal) -> None:
    asked = {
        "model": MODEL, "severity": "critical", "kind": "feature_drift", "status": "firing",
        "since": "2019-04-01T00:00:00Z", "until": "2019-04-02T02:00:00+02:00", "limit": "7",
    }  # fmt: skip
    assert client.get(f"{api.PREFIX}/alerts", params=asked).json()["total"] == 1
    since = 1_554_076_800_000
    assert source.asked == [
        (Wanted(MODEL, "critical", "feature_drift", "firing", since, since + 86_400_000), 7)
    ]
    client.get(f"{api.PREFIX}/alerts", params={"until": "4001"})
    assert source.asked[1:] == [(Wanted(until=4001), 100)]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/models/nobody", 404, "nobody: nothing is known of it, or nothing any more"),
        (
            "/models/car%2Floan/features/x%2Fy",
            404,
            "car/loan / x/y: nothing is known of it, or nothing any more",
        ),
        ("/models/%FF", 400, "model: percent-encode it as UTF-8"),
        ("/alerts?limit=0", 400, "limit: Expected `int` >= 1; How many; 100 unless given."),
        (
            "/alerts?severity=bad",
            400,
            "severity: Invalid enum value 'bad'; Of this severity or worse.",
        ),
        (
            "/alerts?since=soon",
            400,
            "soon: no time; write for example 2026-01-31T08:00:00Z",
        ),
        ("/report?since=soon", 400, "soon: no time"),
        (
            "/models?format=xml",
            400,
            "format: Invalid enum value 'xml'; `csv` for a table; JSON unless given.",
        ),
        ("/nothing", 404, "there is no /api/v1/nothing"),
    ],
)
def test_refusals_have_one_shape(client: TestClient, path: str, status: int, detail: str) -> None:
    answer = client.get(api.PREFIX + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.pop("title")
    assert body == {"status": status, "detail": detail}


def test_another_method_is_refused(client: TestClient) -> None:
    answer = client.delete(f"{api.PREFIX}/models")
    assert (answer.status_code, answer.json()["detail"]) == (
        405,
        "/api/v1/models does not take DELETE",
    )
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_mistake_of_the_page_is_one_refusal(client: TestClient, source: Literal) -> None:
    def broken() -> None:
        raise RuntimeError("nobody expected it")

    source.home = broken  # type: ignore[method-assign, assignment]  # a defect, for once
    quiet = TestClient(client.app, base_url="http://localhost", raise_server_exceptions=False)
    answer = quiet.get(f"{api.PREFIX}/models")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    assert "nobody" not in answer.text


def rows(client: TestClient, path: str) -> list[list[str]]:
    answer = client.get(filled(path), params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.text)))


def test_lists_as_csv(client: TestClient) -> None:
    head, row = rows(client, "/models")
    found = dict(zip(head, row, strict=True))
    assert found["model"] == MODEL
    assert found["owner"] == "'=credit"  # a spreadsheet would run it
    assert (found["allowed"], found["open"], found["labelled"]) == ("1.0", "1", "900")
    head, row = rows(client, "/models/{model}")
    assert dict(zip(head, row, strict=True))["effect"] == "1.53282"
    head, row = rows(client, "/alerts")
    found = dict(zip(head, row, strict=True))
    assert (found["alert_id"], found["acknowledged"], found["false_alarm"]) == (ALERT_ID, "ada", "")


def test_series_as_csv(client: TestClient) -> None:
    assert rows(client, "/models/{model}/features/{feature}") == [
        ["start", "end", "events", "effect", "evidence", "limit", "missing", "state"],
        [double.STARTS[0], ENDS[0], "988", "0.012", "", "9.1", "0.0", "o"],
        [double.STARTS[1], ENDS[1], "991", "1.53282", "60.2", "9.1", "0.0", "c"],
    ]
    head, first, second = rows(client, "/models/{model}/performance")
    assert head[3:] == [
        "labelled", "waiting", "expired", "accuracy", "accuracy_low", "accuracy_high",
        "accuracy_threshold",
    ]  # fmt: skip
    assert first[3:] == ["900", "0", "88", "0.94", "0.92", "0.96", "0.9"]
    assert second[6:] == ["", "", "", "0.9"]


def test_an_estimate_has_columns_of_its_own() -> None:
    (accuracy,) = double.PERFORMANCE.metrics
    guess = msgspec.structs.replace(accuracy, estimated=True, value=[0.7, 0.6])
    view = msgspec.structs.replace(double.PERFORMANCE, metrics=[accuracy, guess])
    head, first, _ = tables.performance(view)
    found = dict(zip(head, first, strict=True))
    assert (found["accuracy"], found["estimated_accuracy"]) == (0.94, 0.7)
    assert len(head) == 6 + 2 * 4


def test_nothing_as_csv_has_no_rows() -> None:
    view = msgspec.structs.replace(double.MODEL_VIEW, features=[])
    assert list(tables.features(view)) == [()]


def test_what_has_not_changed_is_not_sent_again(client: TestClient, source: Literal) -> None:
    path = f"{api.PREFIX}/models"
    first = client.get(path)
    tag = first.headers["etag"]
    assert (tag[:3], first.headers["cache-control"]) == ('W/"', "no-cache")
    again = client.get(path, headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert source.asked == ["home"]  # it was made once
    source.version += 1
    assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    assert source.asked == ["home", "home"]
    assert client.head(path).headers["etag"] == tag


def test_answers_are_compressed_for_those_who_take_it(client: TestClient) -> None:
    path = filled("/report")
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        content = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(content) == plain.content == msgspec.json.encode(double.REPORT)


def test_no_other_answer_waits_while_one_is_compressed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compress, in_loop = gzip.compress, list[bool]()

    def noted(*args: Any, **options: Any) -> bytes:
        try:
            in_loop.append(asyncio.get_running_loop().is_running())
        except RuntimeError:
            in_loop.append(False)
        return compress(*args, **options)

    monkeypatch.setattr(gzip, "compress", noted)
    client.get(filled("/report"), headers={"Accept-Encoding": "gzip"})
    assert in_loop == [False]


# The document.

DOCUMENT = document()


def test_the_document_is_valid() -> None:
    """That docs/openapi.yaml is this one, tests/docs/test_generated.py sees."""
    validate(DOCUMENT)


def test_every_route_of_the_application_is_in_the_document(files: PageFiles) -> None:
    app = application(Literal(), Listeners(), Access(), files)
    served = {
        (route.path.removeprefix(api.PREFIX), method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith(f"{api.PREFIX}/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, each in DOCUMENT["paths"].items() for method in each}
    assert served == described


def wrong(answer: Any, schema: dict[str, Any]) -> list[str]:
    """Where an answer is not as the document says."""
    whole = {**schema, "components": DOCUMENT["components"]}
    found = jsonschema.Draft202012Validator(whole).iter_errors(answer)
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.mark.parametrize("path", [each.path for each in api.ROUTES])
def test_answers_are_as_the_document_says(client: TestClient, path: str) -> None:
    responses = DOCUMENT["paths"][path]["get"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert wrong(client.get(filled(path)).json(), schema) == []
    assert wrong({}, schema)  # which it can fail
    if "404" in responses:
        refused = client.get(filled(path).replace("car", "bus").replace("56f", "57f"))
        schema = responses["404"]["content"][refused.headers["content-type"]]["schema"]
        assert wrong(refused.json(), schema) == []


def test_the_document_is_served(client: TestClient) -> None:
    assert client.get(f"{api.PREFIX}/openapi.json").json() == json.loads(json.dumps(DOCUMENT))


@pytest.mark.parametrize("view", VIEWS)
def test_addresses_of_views_lead_to_the_page(client: TestClient, view: str) -> None:
    """The router of the server agrees with the addresses that links are made of."""
    answer = client.get(view_path(view, **{k: v for k, v in NAMES.items() if k in VIEWS[view]}))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
