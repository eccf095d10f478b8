"""Every preset reads a record as its tool writes it: samples of the tools' own pages and tests."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from driftline.producer.errors import FormatError
from driftline.producer.records.formats.presets import PRESETS, looks_like
from driftline.producer.records.formats.reader import RecordForm, RecordReader
from driftline.producer.records.mapping import Mapping

IRIS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
FIRST = dict(zip(IRIS, (6.8, 2.8, 4.8, 1.4), strict=True))
SECOND = dict(zip(IRIS, (6.0, 3.4, 4.5, 1.6), strict=True))
INSTANCES = {"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}
CE = {
    "ce_specversion": b"1.0",
    "ce_type": b"org.kubeflow.serving.inference.request",
    "ce_source": b"http://localhost:9081/",
    "ce_id": b"689b15e7-84a1-4e89-9805-20809efc216d",
    "ce_time": b"2023-04-05T07:39:53.501752983Z",
    "ce_inferenceservicename": b"sklearn-iris",
}
CE_TIME = "2023-04-05T07:39:53.501752983Z"
V2 = {
    "name": "input-0",
    "shape": [2, 4],
    "datatype": "FP32",
    "data": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]],
}
# As in the documentation of data capture, with fewer columns.
CAPTURE: dict[str, Any] = {
    "captureData": {
        "endpointInput": {
            "observedContentType": "text/csv", "mode": "INPUT", "data": "69,0,153.7,\n",
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT",
            "data": "0.0254181120544672", "encoding": "CSV",
        },
    },
    "eventMetadata": {
        "eventId": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "inferenceTime": "2022-02-14T17:25:49Z",
    },
    "eventVersion": "0",
}  # fmt: skip
CAPTURED = {
    "event_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "timestamp": "2022-02-14T17:25:49Z",
    "features": {"a": 69, "b": 0, "c": 153.7, "d": None},
    "prediction": 0.0254181120544672,
}
HOPSWORKS = {
    "modelId": 1, "modelName": "iris", "modelVersion": 3, "requestTimestamp": 1680680393501,
    "responseHttpCode": 200, "inferenceRequest": json.dumps(INSTANCES),
    "inferenceResponse": '{"predictions": [1, 1]}', "modelServer": "PYTHON",
    "servingTool": "DEFAULT",
}  # fmt: skip


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def part(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name: str, datatype: str, shape: bytes, contents: bytes = b"") -> bytes:
    body = part(1, name.encode()) + part(2, datatype.encode()) + part(3, shape)
    return body + (part(5, contents) if contents else b"")


ROW = struct.pack("<4d", 6.8, 2.8, 4.8, 1.4)
REQUEST = part(1, b"iris") + part(3, b"r1") + part(5, tensor("x", "FP64", b"\1\4", part(7, ROW)))
RAW = part(1, b"iris") + part(3, b"r1") + part(5, tensor("x", "FP64", b"\1\4")) + part(7, ROW)
ANSWER = part(1, b"iris") + part(3, b"r1") + part(5, tensor("p", "BYTES", b"\1"))
ANSWER += part(6, struct.pack("<I", 6) + b"setosa")


def read(
    preset: str,
    record: Any,
    names: tuple[str, ...] = (),
    topic: str = "t",
    headers: dict[str, bytes] | None = None,
) -> list[Any]:
    value = record if isinstance(record, bytes) else json.dumps(record).encode()
    form = RecordForm(preset=preset, names=names, topic=topic)
    events = RecordReader(form, None, 100_000).read(value, list((headers or {}).items())).events
    return [each if isinstance(each, FormatError) else json.loads(each) for each in events]


SAMPLES: dict[str, tuple[tuple[Any, tuple[str, ...], dict[str, bytes]], list[dict[str, Any]]]] = {
    "cloudevents": (
        ({"features": {"km": 1}, "prediction": 0.5}, (), CE),
        [{"event_id": "689b15e7-84a1-4e89-9805-20809efc216d", "timestamp": CE_TIME,
          "features": {"km": 1}, "prediction": 0.5}],
    ),
    "kserve-v1": (
        (INSTANCES, IRIS, CE),
        [{"timestamp": CE_TIME, "features": FIRST}, {"timestamp": CE_TIME, "features": SECOND}],
    ),
    "kserve-v2": (
        ({"id": "r1", "model_name": "iris", "inputs": [V2],
          "outputs": [{"name": "predict", "shape": [2], "datatype": "INT64", "data": [1, 1]}]},
         IRIS, {}),
        [{"model_name": "iris", "features": FIRST, "prediction": 1},
         {"model_name": "iris", "features": SECOND, "prediction": 1}],
    ),
    "seldon-2": (
        (REQUEST, IRIS, {}),
        [{"event_id": "r1", "model_name": "iris", "features": FIRST}],
    ),
    "sagemaker": ((CAPTURE, ("a", "b", "c", "d"), {}), [CAPTURED]),
    "bentoml": (
        ({"sepal length": 4.9, "pred": "setosa", "timestamp": "2022-11-02T12:22:56.070040",
          "request_id": "7830033093213253"}, (), {}),
        [{"sepal length": 4.9, "pred": "setosa", "timestamp": "2022-11-02T12:22:56.070040",
          "request_id": "7830033093213253"}],
    ),
    "hopsworks": (
        (HOPSWORKS, IRIS, {}),
        [{"timestamp": 1680680393501, "model_version": 3, "model_name": "iris",
          "features": features, "prediction": 1} for features in (FIRST, SECOND)],
    ),
    "h2o": (
        ({"request": {"fields": ["LIMIT_BAL", "SEX", "code"], "rows": [["20000", "female", "007"]]},
          "response": {"fields": ["default.0", "default.1"], "id": "m1",
                       "score": [["0.4", "0.6"]]}}, (), {}),
        [{"features": {"LIMIT_BAL": 20000, "SEX": "female", "code": "007"},
          "response": {"default.0": 0.4, "default.1": 0.6}}],
    ),
}  # fmt: skip


def test_every_preset_has_a_sample() -> None:
    assert SAMPLES.keys() == PRESETS.keys()


@pytest.mark.parametrize("preset", SAMPLES)
def test_a_sample_is_read(preset: str) -> None:
    (record, names, headers), events = SAMPLES[preset]
    assert read(preset, record, names, headers=headers) == events


@pytest.mark.parametrize("preset", SAMPLES)
def test_presets_map_what_they_make(preset: str) -> None:
    Mapping({**PRESETS[preset].fields})
    (record, *_), _ = SAMPLES[preset]
    if isinstance(record, dict) and preset != "cloudevents":  # whose sample is binary
        body = record.get("request", record)
        assert looks_like(body) == preset


def test_a_structured_cloud_event() -> None:
    envelope = {"specversion": "1.0", "id": "7", "source": "s", "type": "t", "time": CE_TIME}
    event = {"features": {"km": 1}, "timestamp": 5}
    expected = [{"event_id": "7", "timestamp": 5, "features": {"km": 1}}]
    assert read("cloudevents", {**envelope, "data": event}) == expected
    text = json.dumps(event)
    assert read("cloudevents", {**envelope, "data": text}) == expected
    encoded = base64.b64encode(text.encode()).decode()
    assert read("cloudevents", {**envelope, "data_base64": encoded}) == expected
    several = read("cloudevents", {**envelope, "data": [event, event]})
    assert several == [event, event]  # the id is of none of them
    batch = read("cloudevents", [{**envelope, "data": event}] * 2)
    assert batch == expected * 2
    wrongs: list[dict[str, Any]] = [{"data": 3}, {"data_base64": "?"}]
    for wrong in wrongs:
        with pytest.raises(FormatError):
            read("cloudevents", {**envelope, **wrong})


def test_kserve_requests_and_answers_in_one_record_or_two() -> None:
    both = INSTANCES | {"predictions": ["a", "b"]}
    assert [event["prediction"] for event in read("kserve-v1", both, IRIS)] == ["a", "b"]
    assert read("kserve-v1", {"predictions": [1]}, IRIS, headers=CE) == [
        {"event_id": CE["ce_id"].decode(), "timestamp": CE_TIME, "prediction": 1}
    ]
    named = {"instances": [{"a": 1}, {"a": 2}]}
    assert [event["features"] for event in read("kserve-v1", named)] == [{"a": 1}, {"a": 2}]
    columns = {"inputs": {"a": [1, 2], "b": [3, 4]}}
    assert read("kserve-v1", columns)[1]["features"] == {"a": 2, "b": 4}
    wrongs: list[Any] = [{"x": 1}, {"instances": []}, INSTANCES, INSTANCES | {"predictions": [1]}]
    for wrong in wrongs:
        with pytest.raises(FormatError):
            read("kserve-v1", wrong)


def test_tensors_of_one_value_a_row_have_their_own_names() -> None:
    ages = {"name": "age", "shape": [2, 1], "datatype": "INT32", "data": [31, 45]}
    kinds = {"name": "kind", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}
    scores = {"name": "proba", "shape": [2, 2], "datatype": "FP32", "data": [0.1, 0.9, 0.8, 0.2]}
    events = read("kserve-v2", {"inputs": [ages, kinds], "outputs": [scores]})
    assert events[0] == {
        "features": {"age": 31, "kind": "a"},
        "response": {"proba_0": 0.1, "proba_1": 0.9},
    }
    renamed = read("kserve-v2", {"inputs": [ages, kinds]}, ("years", "sort"))
    assert renamed[1] == {"features": {"years": 45, "sort": "b"}}


@pytest.mark.parametrize(
    "inputs",
    [
        [{**V2, "shape": [3, 4]}],
        [{**V2, "shape": ["x"]}],
        [{**V2, "shape": None}],
        [{**V2, "shape": [1, 3_000]}],
        [{**V2, "data": None}],
        [V2, {**V2, "shape": [4, 2]}],
        "x",
    ],
)
def test_damaged_tensors_are_refused(inputs: Any) -> None:
    with pytest.raises(FormatError):
        read("kserve-v2", {"inputs": inputs})


def test_seldon_tells_requests_from_answers_by_the_topic() -> None:
    expected = {"event_id": "r1", "model_name": "iris"}
    assert read("seldon-2", RAW, IRIS) == [{**expected, "features": FIRST}]
    topic = "seldon.default.model.iris.outputs"
    assert read("seldon-2", ANSWER, (), topic) == [{**expected, "prediction": "setosa"}]
    assert read("seldon-2", REQUEST, IRIS, headers={"x-request-id": b"9"})[0]["event_id"] == "r1"


def test_captures_of_sagemaker_in_every_encoding() -> None:
    names = ("a", "b", "c", "d")

    def capture(data: str, encoding: str, kind: str, answer: str = "0.5", how: str = "CSV") -> Any:
        return {
            **CAPTURE,
            "captureData": {
                "endpointInput": {"data": data, "encoding": encoding, "observedContentType": kind},
                "endpointOutput": {"data": answer, "encoding": how},
            },
        }

    csv = base64.b64encode(b"69,0,153.7,\n").decode()
    rows = [
        capture(csv, "BASE64", "text/csv"),
        capture('{"instances": [{"features": [69, 0, 153.7, null]}]}', "JSON", "application/json"),
        capture("[69, 0, 153.7, null]", "JSON", "application/json"),
        capture("69,0,153.7,", "CSV", "text/csv", '{"predictions": [{"score": 0.5}]}', "JSON"),
    ]
    for row in rows:
        (event,) = read("sagemaker", row, names)
        assert event["features"] == CAPTURED["features"]
        assert event["prediction"] in (0.5, {"score": 0.5})
    several = read("sagemaker", capture("1,2,3,4\n5,6,7,8", "CSV", "text/csv", "0.1\n0.2"), names)
    assert [event["prediction"] for event in several] == [0.1, 0.2]
    assert all("event_id" not in event for event in several)  # the id is of none of them
    wrong = [
        {}, capture("?", "BASE64", "text/csv"), capture("x", "PICKLE", "x"),
        capture("1,2", "CSV", "text/csv"), capture("{", "JSON", "x"),
    ]  # fmt: skip
    for record in wrong:
        with pytest.raises(FormatError):
            read("sagemaker", record, names)


def test_hopsworks_behind_kserve_has_halves() -> None:
    log = {"servingId": 1, "modelName": "iris", "modelVersion": 3, "requestTimestamp": 1,
           "responseHttpCode": -1, "inferenceId": "i1", "messageType": "request",
           "payload": '{"instances": [[6.8, 2.8, 4.8, 1.4]]}'}  # fmt: skip
    (request,) = read("hopsworks", log, IRIS)
    assert (request["event_id"], request["features"]) == ("i1", FIRST)
    half = {"messageType": "response", "payload": '{"predictions": [2]}'}
    (answer,) = read("hopsworks", log | half)
    assert (answer["event_id"], answer["prediction"]) == ("i1", 2)
    for wrong in ([1], log | {"payload": "{"}):
        with pytest.raises(FormatError):
            read("hopsworks", wrong, IRIS)


def test_h2o_requests_alone() -> None:
    body = {"fields": ["a", "b"], "rows": [["1.5", ""], ["x", "2"]]}
    assert read("h2o", body) == [
        {"features": {"a": 1.5, "b": None}},
        {"features": {"a": "x", "b": 2}},
    ]
    assert read("h2o", {"fields": ["p"], "score": [["0.25"]], "id": "m"})[0]["prediction"] == 0.25
    with pytest.raises(FormatError):
        read("h2o", [1])


def test_halves_are_counted() -> None:
    reader = RecordReader(RecordForm(preset="kserve-v1", names=IRIS), None, 100_000)
    both = INSTANCES | {"predictions": [1, 2]}
    bodies = (INSTANCES, {"predictions": [1]}, both)
    halves = [reader.read(json.dumps(body).encode(), []).halves for body in bodies]
    assert halves == [["request", "request"], ["answer"], []]
