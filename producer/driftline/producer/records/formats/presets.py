"""The table of presets: what writes records of a known shape, and how they become events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftline.producer.records.formats import captures, cloud_events, tensors
from driftline.producer.records.formats.cloud_events import RecordHeaders
from driftline.producer.records.formats.json_text import object_in
from driftline.producer.records.formats.rows import Events
from driftline.producer.records.formats.schemas import Schema

Read = Callable[[Any, RecordHeaders, Sequence[str]], Events]
"""From a record, its headers and the names of arrays to its events."""

_MADE = ("event_id", "timestamp", "model_version", "features", "prediction")


@dataclass(frozen=True)
class Preset:
    """Records of a known shape.

    Attributes:
        title: what writes them.
        about: what is read of them, as a sentence for the docs.
        events: makes native events; None where the records are mapped as they are.
        fields: event field to path, of records that are mapped; those that a configuration gives
            win, one by one.
        signs: members of a record of this shape, each set by itself enough to name it.
        named: whether arrays have no names of their own, so that `names` is needed.
        halves: whether requests and answers may be records of their own.
        message: the Protobuf in which values are that are no JSON, by the topic.
    """

    title: str
    about: str
    events: Read | None = None
    fields: dict[str, str] = field(default_factory=lambda: {name: name for name in _MADE})
    signs: tuple[frozenset[str], ...] = ()
    named: bool = False
    halves: bool = False
    message: Callable[[str], Schema] | None = None


def _signs(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(members.split()) for members in alternatives)


PRESETS: dict[str, Preset] = {
    "cloudevents": Preset(
        "CloudEvents",
        "The data is the event, whether the attributes stand in headers (`ce_*`) or beside it; "
        "`id` and `time` count where it has none of its own.",
        cloud_events.events,
        signs=_signs("specversion"),
    ),
    "kserve-v1": Preset(
        "KServe, protocol V1",
        "An event for every row of `instances`, with its place in `predictions` where both are in "
        "one record; alone or as the data of a CloudEvent.",
        tensors.v1_events,
        signs=_signs("instances", "predictions"),
        named=True,
        halves=True,
    ),
    "kserve-v2": Preset(
        "Open Inference Protocol V2: KServe, Triton, MLServer, OpenVINO",
        "An event for every row of the tensors in `inputs`; a single output of one value a row is "
        "the prediction, others are mapped from `response.<tensor>` or "
        "`response.<tensor>_<place>`.",
        tensors.v2_events,
        signs=_signs("inputs", "outputs model_name"),
        halves=True,
    ),
    "seldon-2": Preset(
        "Seldon Core 2, topics of models and pipelines",
        "The same in Protobuf: topics that end in `.outputs` hold answers, others requests.",
        tensors.v2_events,
        halves=True,
        message=tensors.v2_message,
    ),
    "sagemaker": Preset(
        "Amazon SageMaker, data capture",
        "An event for every row of `endpointInput`, CSV or JSON, in base64 or not, with its place "
        "in `endpointOutput`.",
        captures.sagemaker_events,
        signs=_signs("captureData"),
        named=True,
    ),
    "bentoml": Preset(
        "BentoML, `bentoml.monitor`",
        "Flat rows. The prediction has the name that the service gave it: map it in `fields`.",
        fields={"event_id": "request_id", "timestamp": "timestamp", "features": "*"},
        signs=_signs("request_id timestamp"),
    ),
    "hopsworks": Preset(
        "Hopsworks, inference logger",
        "An event for every row of `inferenceRequest`, with its place in `inferenceResponse`; or "
        "of `payload`, where KServe serves.",
        captures.hopsworks_events,
        signs=_signs("inferenceRequest", "inferenceId payload"),
        named=True,
        halves=True,
    ),
    "h2o": Preset(
        "H2O MLOps and Driverless AI, scoring API",
        "An event for every row of `rows`, whose names stand in `fields`; answers of several "
        "values are mapped from `response.<field>`.",
        captures.h2o_events,
        signs=_signs("fields rows", "fields score"),
        halves=True,
    ),
}
"""Name in the configuration to preset."""


def captured(record: Any) -> str | None:
    """Return the preset that makes events of a record of this shape; None for none.

    A column may be called as a member of such a record is: that holds objects or arrays.

    >>> captured({"inputs": [{"name": "age", "data": [31]}]}), captured({"inputs": 3})
    ('kserve-v2', None)
    """
    name = looks_like(record)
    if name is None or PRESETS[name].events is None:
        return None
    held = [record[member] for own in PRESETS[name].signs for member in own if member in record]
    if name == "cloudevents":
        held = [record.get("data")]
    return name if any(isinstance(object_in(each), dict | list) for each in held) else None


def looks_like(record: Any) -> str | None:
    """Return the preset that a record seems to be of, None for none.

    >>> looks_like({"specversion": "1.0", "data": {}}), looks_like({"age": 3})
    ('cloudevents', None)
    """
    if not isinstance(record, dict):
        return None
    return next(
        (name for name, each in PRESETS.items() if any(own <= record.keys() for own in each.signs)),
        None,
    )
