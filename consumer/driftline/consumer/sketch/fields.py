"""What the decoder reads of one model's events, and where it is found in a record.

Both ways of reading an event follow it: the compiled one (`compile`) and the exact one (`exact`).
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Literal

from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.mapping import Constant, Mapping, Path
from driftline.producer.records.values import ABSENT, Kind, categorical, kind_of

VERSION = "model_version"
EVENT_ID = "event_id"


@dataclass(frozen=True)
class ModelSchema:
    """What is read of one model's events.

    Attributes:
        name: the model.
        layout: its features; `prediction.score` and `prediction.label` may be among them.
        segments: tag to the values that are counted apart; `model_version` may be a tag.
        ids: whether the events' ids are read: labels are to find them.
        record: what is read: the events; labels, whose layout is `actual.label` and
            `actual.score`; or the labels among the events of a topic that holds both.
    """

    name: str
    layout: Layout
    segments: AnyMapping[str, tuple[str, ...]]
    ids: bool = False
    record: Literal["event", "label", "label among events"] = "event"


@dataclass(frozen=True)
class Scalar:
    """One value of an event.

    Attributes:
        part: `features`, `prediction`, `actual` or `tags`: the object of the event that holds it.
        name: its name in that object.
        kind: how it is read.
        path: where it is in the record; None if it is nowhere, or constant.
        constant: the double of every event, if `path` is None.
        second: the path that counts where `path` is absent from the record.
        bare: the object at `path[:-1]` may also be a bare prediction: a number, text or boolean.
    """

    part: str
    name: str
    kind: Kind
    path: Path | None
    constant: float = ABSENT
    second: Path | None = None
    bare: bool = False


@dataclass(frozen=True)
class EventFields:
    """Everything that is read of one model's events.

    Attributes:
        schema: the model.
        mapping: what the records look like.
        scalars: the layout's features in its order, then the tags of `schema.segments` in theirs.
            `model_version` is not among them: its values are open, so it is read as it is.
    """

    schema: ModelSchema
    mapping: Mapping
    scalars: tuple[Scalar, ...]

    @classmethod
    def of(cls, schema: ModelSchema, mapping: Mapping) -> EventFields:
        """Work out what is read of `schema`'s events from records that `mapping` describes."""
        features = [_feature(feature, mapping) for feature in schema.layout.features]
        tags = [
            _scalar("tags", tag, categorical(values), mapping)
            for tag, values in schema.segments.items()
            if tag != VERSION
        ]
        return cls(schema, mapping, tuple(features + tags))

    @property
    def parts(self) -> frozenset[str]:
        """The objects of an event that are looked into."""
        return frozenset(scalar.part for scalar in self.scalars)


def _feature(feature: Feature, mapping: Mapping) -> Scalar:
    part, _, name = feature.name.partition(".")
    if part in ("prediction", "actual") and name in ("score", "label"):
        return _scalar(part, name, kind_of(feature), mapping)
    return _scalar("features", feature.name, kind_of(feature), mapping)


def _scalar(part: str, name: str, kind: Kind, mapping: Mapping) -> Scalar:
    paths = mapping.paths()
    named, whole = paths.get(f"{part}.{name}"), paths.get(part)
    if isinstance(named, Constant):
        return Scalar(part, name, kind, None, kind.read(named.value))
    if isinstance(whole, Constant):  # of an outcome only: of others the mapping refuses it
        outcome = split_outcome(whole.value)
        return Scalar(
            part, name, kind, None, kind.read(outcome[name]) if name in outcome else ABSENT
        )
    inside: Path | None = None
    if whole is not None:
        inside = (*whole, name)
    elif part == "features" and mapping.wildcard and name not in mapping.used():
        inside = (name,)
    if named is not None:
        return Scalar(part, name, kind, named, second=None if inside == named else inside)
    return Scalar(part, name, kind, inside, bare=part in ("prediction", "actual"))
