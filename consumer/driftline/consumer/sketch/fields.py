"""What the decoder reads of one model's events, and where it is found in a record.

Both ways of reading an event follow it: the compiled one (`compile`) and the exact one (`exact`).
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from driftline.consumer.sketch.listed import Listed
from driftline.consumer.sketch.versions import Versions
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.derived_values import DerivedReader
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.mapping import Constant, Mapping, Path
from driftline.producer.records.number_text import plain_number
from driftline.producer.records.values import ABSENT, NUMERIC, Kind, categorical, kind_of, open_text

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
        listed: what the reference knows, where fields that it does not list are looked for.
        releases: tag to the names of its values, which are open as versions are; those that are
            listed among the segments come first.
        record: what is read: the events; labels, whose layout is `actual.label` and
            `actual.score`; or the labels among the events of a topic that holds both.
    """

    name: str
    layout: Layout
    segments: AnyMapping[str, tuple[str, ...]]
    ids: bool = False
    listed: Listed | None = None
    record: Literal["event", "label", "label among events"] = "event"
    releases: AnyMapping[str, Versions] = field(default_factory=dict)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags whose values are read as codes, in the order of their scalars."""
        found = dict.fromkeys((*self.segments, *self.releases))
        return tuple(tag for tag in found if tag != VERSION)

    def tag_kind(self, tag: str, marks: frozenset[str]) -> Kind:
        """Return how the values of a tag are read."""
        if tag in self.releases:
            return open_text(self.releases[tag].code, marks)
        return categorical(self.segments[tag], marks)

    def tidy(self) -> None:
        """Forget names of releases, if they have become too many; see `Versions.tidy`."""
        for names in self.releases.values():
            names.tidy()


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
        numbers: a bare text that is a number is the score.
    """

    part: str
    name: str
    kind: Kind
    path: Path | None
    constant: float = ABSENT
    second: Path | None = None
    bare: bool = False
    numbers: bool = False


@dataclass(frozen=True)
class DerivedScalars:
    """One value of an event, of which several features are derived.

    Attributes:
        name: of the field in `features`.
        reader: reads the values.
        path: where it is in the record; None if it is nowhere, or constant.
        second: the path that counts where `path` is absent from the record.
        constant: what every event has, if it is constant.
    """

    name: str
    reader: DerivedReader
    path: Path | None
    second: Path | None = None
    constant: Constant | None = None


@dataclass(frozen=True)
class EventFields:
    """Everything that is read of one model's events.

    Attributes:
        schema: the model.
        mapping: what the records look like.
        scalars: the layout's features in its order, then `schema.tags` in theirs.
            `model_version` is not among them: its values are open, so it is read as it is.
            Those of derived features are found nowhere: `derived` has them.
        derived: fields that features are derived from.
    """

    schema: ModelSchema
    mapping: Mapping
    scalars: tuple[Scalar, ...]
    derived: tuple[DerivedScalars, ...] = ()

    @classmethod
    def of(cls, schema: ModelSchema, mapping: Mapping) -> EventFields:
        """Work out what is read of `schema`'s events from records that `mapping` describes."""
        layout, marks = schema.layout, mapping.texts.marks
        numbers = {part: _numbers(part, layout, mapping) for part in ("prediction", "actual")}
        features = [
            Scalar("features", feature.name, kind_of(feature, mapping.texts), None)
            if feature.name in layout.derivations
            else _feature(feature, mapping, numbers)
            for feature in layout.features
        ]
        tags = [_scalar("tags", tag, schema.tag_kind(tag, marks), mapping) for tag in schema.tags]
        readers = (DerivedReader(each, layout, mapping.texts) for each in layout.derived)
        derived = tuple(_derived(reader, mapping) for reader in readers if reader.places.size)
        return cls(schema, mapping, tuple(features + tags), derived)

    @cached_property
    def parts(self) -> AnyMapping[str, bool]:
        """The objects of an event that are looked into; see `Scalar.numbers`."""
        layout = self.schema.layout
        return {s.part: _numbers(s.part, layout, self.mapping) for s in self.scalars}

    @property
    def whole(self) -> Path | None:
        """Where the object is of which each field is a feature; None if no object is read whole.

        >>> layout = Layout(())
        >>> [EventFields.of(ModelSchema("m", layout, {}), Mapping(fields)).whole
        ...  for fields in ({}, {"features": "*"}, {"features": "in.x"}, {"features.age": "a"})]
        [('features',), (), ('in', 'x'), None]
        """
        if self.mapping.wildcard:
            return ()
        path = self.mapping.paths().get("features")
        return path if isinstance(path, tuple) else None

    @property
    def listed(self) -> Listed | None:
        """What the reference knows, where fields that it does not list can be seen."""
        listed = self.schema.listed
        return None if listed is None or not listed.fields or self.whole is None else listed


def _numbers(part: str, layout: Layout, mapping: Mapping) -> bool:
    """Return whether a bare text that is a number is a score: where no class is such a text."""
    places = map(layout.position.get, (f"{part}.score", f"{part}.label"))
    score, label = (None if place is None else layout.features[place] for place in places)
    if not mapping.texts.coerce or score is None or score.type != "numeric":
        return False
    return label is None or not any(plain_number(name) is not None for name in label.categories)


def _feature(feature: Feature, mapping: Mapping, numbers: AnyMapping[str, bool]) -> Scalar:
    part, _, name = feature.name.partition(".")
    kind = kind_of(feature, mapping.texts)
    if part in numbers and name in ("score", "label"):
        return _scalar(part, name, kind, mapping, numbers[part])
    return _scalar("features", feature.name, kind, mapping)


def _derived(reader: DerivedReader, mapping: Mapping) -> DerivedScalars:
    name = reader.derivation.source
    constant = mapping.paths().get(f"features.{name}")
    if isinstance(constant, Constant):
        return DerivedScalars(name, reader, None, constant=constant)
    found = _scalar("features", name, NUMERIC, mapping)
    return DerivedScalars(name, reader, found.path, found.second)


def _scalar(part: str, name: str, kind: Kind, mapping: Mapping, numbers: bool = False) -> Scalar:
    paths = mapping.paths()
    named, whole = paths.get(f"{part}.{name}"), paths.get(part)
    if isinstance(named, Constant):
        return Scalar(part, name, kind, None, kind.read(named.value))
    if isinstance(whole, Constant):  # of an outcome only: of others the mapping refuses it
        outcome = split_outcome(whole.value, numbers)
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
    bare = part in ("prediction", "actual")
    return Scalar(part, name, kind, inside, bare=bare, numbers=numbers)
