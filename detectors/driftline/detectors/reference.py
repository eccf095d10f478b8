"""The reference: a frozen, content-hashed description of the data that is normal for a model.

It has two parts. The layout says what is counted: per feature its type and grid or categories, the
listed segment values, what is counted of outcomes. The baseline is what is normal: the counts of
the whole model and of each listed segment value, made by the same code that counts the stream. It
holds no values of single events beyond the grid. Panes carry the layout's id, verdicts that of the
whole, so another baseline over the same layout goes on with the panes that are there.

As a file it is one JSON document, readable and stable: the same content gives the same bytes, and
the id is a hash of them. `SCHEMAS` are the forms that are read; the last is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import numpy as np

from driftline.detectors.counts import EXTRA_CELLS, Feature, Layout, with_ks_error, with_ties
from driftline.detectors.derivations import derivation_from_json
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.packing import packed, unpacked
from driftline.detectors.seasons import Seasons
from driftline.detectors.volume import Volume
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

SCHEMA = "driftline.reference.v2"
_FIRST = "driftline.reference.v1"
SCHEMAS = (_FIRST, SCHEMA)
OTHER = "__other__"


@dataclass(frozen=True, eq=False)
class ReferenceCounts:
    """The counts of a reference's streams.

    Attributes:
        names: None for the whole model, then `tag=value` for every listed segment value and
            `tag=__other__` for every tag.
        counts: int64, shape (streams, layout.size).
        events: int64, shape (streams,): events of each stream.
        seasons: what is normal at each hour or day; None: the same at all.
        volume: how many events come; None: it is not known.
        origin: where some of the counts replace those of another reference, see
            `driftline.detectors.derived`, that one. It is no part of the content.
        versions: what versions of the model that have a reference of their own were built with, by
            their name; see `driftline.detectors.versions`.
        joint: what is normal of features together; None: that was not counted.
    """

    names: tuple[str | None, ...]
    counts: IntArray
    events: IntArray
    seasons: Seasons | None = None
    volume: Volume | None = None
    origin: Reference | None = None
    versions: Mapping[str, VersionBaseline] = field(default_factory=dict)
    joint: JointNormal | None = None


@dataclass(frozen=True, eq=False)
class VersionBaseline:
    """What a version of the model has of its own, beside its stream.

    Attributes:
        id: of its reference.
        dispersion: of that; None: it is not known.
    """

    id: str
    dispersion: Dispersion | None


@dataclass(frozen=True, eq=False)
class Reference:
    """What the stream is compared with.

    Attributes:
        model: the model it describes.
        layout: the features, and where their counts lie.
        counted: what was counted of each stream.
        segments: tag to its listed values, most frequent first, without `__other__`.
        positive_label: the class that `prediction.score` speaks of, if known.
        outcome: counts of how well the model did on the reference, if ground truth was mapped.
        dispersion: how much more panes vary than independent events; None: it is not known.
        schema: the form of the file that it was read from, of which its id is the hash.
    """

    model: str
    layout: Layout
    counted: ReferenceCounts
    segments: dict[str, tuple[str, ...]]
    positive_label: str | None = None
    outcome: dict[str, Any] | None = None
    dispersion: Dispersion | None = None
    schema: str = SCHEMA

    @cached_property
    def id(self) -> str:
        """The hash of everything else, 16 hexadecimal digits."""
        return content_hash(_content(self))

    @cached_property
    def layout_id(self) -> str:
        """The hash of what is counted, 16 hexadecimal digits: panes that share it add up."""
        return content_hash(_layout_content(self))

    @property
    def streams(self) -> tuple[str | None, ...]:
        """The streams' names, see `ReferenceCounts`."""
        return self.counted.names

    @property
    def counts(self) -> IntArray:
        """Counts of the streams, shape (streams, layout.size)."""
        return self.counted.counts

    @property
    def stream_events(self) -> IntArray:
        """Events of each stream, shape (streams,)."""
        return self.counted.events

    @property
    def seasons(self) -> Seasons | None:
        """What is normal at each hour or day; None: the same at all."""
        return self.counted.seasons

    def without_seasons(self) -> Reference:
        """Return it for windows that have no hours: all of them together are normal."""
        return replace(self, counted=replace(self.counted, seasons=None))

    @property
    def volume(self) -> Volume | None:
        """How many events come; None: it is not known."""
        return self.counted.volume

    @property
    def versions(self) -> Mapping[str, VersionBaseline]:
        """The versions that have a reference of their own, by name."""
        return self.counted.versions

    @property
    def origin(self) -> Reference | None:
        """The reference that it is derived from, whose outcomes hold on; None: it is none."""
        return self.counted.origin

    @property
    def joint(self) -> JointNormal | None:
        """What is normal of features together; None: that was not counted."""
        return self.counted.joint

    @property
    def size(self) -> int:
        """Length of the flat counts of a pane: of each feature, then of features together."""
        return self.layout.size + (0 if self.joint is None else self.joint.layout.size)

    @property
    def events(self) -> int:
        """Events it was built from."""
        return int(self.stream_events[0])

    @cached_property
    def position(self) -> dict[str | None, int]:
        """Stream to its row in `counts`."""
        return {stream: i for i, stream in enumerate(self.streams)}

    def to_json(self) -> bytes:
        """Return the file's content: UTF-8 JSON, the same bytes for the same content."""
        return _dumps({"id": self.id, **_content(self)}) + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ReferenceError: `data` is no reference, is of another version, or was changed.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise ReferenceError(
                "the reference is not valid JSON: build it with driftline reference build"
            ) from None
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema not in SCHEMAS:
            raise ReferenceError(
                f"the reference has schema {schema!r}, this version reads {SCHEMA!r}: "
                "build it again with driftline reference build"
            )
        stated = document.pop("id", None)
        try:
            own = content_hash(document)
        except (ValueError, RecursionError):  # not a number, or nested without an end
            own = None
        if own is None or stated != own:
            raise ReferenceError(
                "the reference does not match its id, so it was damaged or edited: "
                "build it again with driftline reference build"
            )
        try:
            return cls(**_fields(document))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
            raise ReferenceError(
                "the reference lacks fields or has wrong ones: "
                "build it again with driftline reference build"
            ) from None


def content_hash(content: Mapping[str, Any]) -> str:
    """Hash a reference's content (without its id) to 16 hexadecimal digits."""
    return blake2b(_dumps(content), digest_size=8).hexdigest()


def _dumps(content: Mapping[str, Any]) -> bytes:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _content(reference: Reference) -> dict[str, Any]:
    outcome = reference.outcome
    streams = [
        {
            "segment": stream,
            "events": int(events),
            "counts": _counts_to_json(reference.layout, counts),
        }
        for stream, events, counts in zip(
            reference.streams, reference.stream_events, reference.counts, strict=True
        )
    ]
    shared = {"schema": reference.schema, "model": reference.model, "events": reference.events}
    if reference.schema == _FIRST:
        layout = _layout_content(reference)
        for content, feature in zip(layout["features"], reference.layout.features, strict=True):
            if content.pop("ties", None) is not None:
                content["ks_error"] = feature.ks_error
        return {**shared, **layout, "streams": streams, "outcome": outcome}
    seasons, volume, joint = reference.seasons, reference.volume, reference.joint
    if outcome is not None:
        outcome = {name: value for name, value in outcome.items() if name != "layout"}
    return {
        **shared,
        "layout": {"id": reference.layout_id, **_layout_content(reference)},
        "baseline": {
            "streams": streams,
            "outcome": outcome,
            "dispersion": _dispersion_to_json(reference.dispersion, reference.layout),
            **({} if seasons is None else {"seasons": seasons.to_json(reference.layout)}),
            **({} if volume is None else {"volume": volume.to_json()}),
            **({"versions": _versions_to_json(reference)} if reference.versions else {}),
            **({} if joint is None else {"joint": joint.to_json()}),
        },
    }


def _layout_content(reference: Reference) -> dict[str, Any]:
    left_out, joint = reference.layout.left_out, reference.joint
    derived = reference.layout.derived
    return {
        "features": [_feature_to_json(feature) for feature in reference.layout.features],
        "segments": {tag: list(values) for tag, values in reference.segments.items()},
        "positive_label": reference.positive_label,
        "outcome": (reference.outcome or {}).get("layout"),
        **({} if left_out is None else {"left_out": list(left_out)}),
        **({"derived": [each.to_json() for each in derived]} if derived else {}),
        **({} if joint is None else {"joint": joint.layout.to_json()}),
    }


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    first = document["schema"] == _FIRST
    layout = document if first else document["layout"]
    baseline = document if first else document["baseline"]
    left_out = layout.get("left_out")
    features = Layout.of(
        map(_feature_from_json, layout["features"]),
        None if left_out is None else tuple(left_out),
        tuple(map(derivation_from_json, layout.get("derived", ()))),
    )
    streams, outcome = baseline["streams"], baseline["outcome"]
    seasons, volume = baseline.get("seasons"), baseline.get("volume")
    counts = np.array([_counts_from_json(features, stream["counts"]) for stream in streams])
    if first:
        features = with_ties(features, counts[0])
    elif layout["outcome"] is not None:
        outcome = {**outcome, "layout": layout["outcome"]}
    features = with_ks_error(features, counts[0])
    joint = layout.get("joint")
    if joint is not None:
        pairs = JointLayout.from_json(joint)
        joint = JointNormal.from_json(baseline["joint"], pairs, features)
    return {
        "model": document["model"],
        "layout": features,
        "counted": ReferenceCounts(
            tuple(stream["segment"] for stream in streams),
            counts,
            np.array([stream["events"] for stream in streams], np.int64),
            None if seasons is None else Seasons.from_json(seasons, features),
            None if volume is None else Volume.from_json(volume),
            versions={} if first else _versions_from_json(baseline.get("versions", {}), features),
            joint=joint,
        ),
        "segments": {tag: tuple(values) for tag, values in layout["segments"].items()},
        "positive_label": layout["positive_label"],
        "outcome": outcome,
        "dispersion": None if first else _dispersion_from_json(baseline["dispersion"], features),
        "schema": document["schema"],
    }


def _versions_to_json(reference: Reference) -> dict[str, Any]:
    return {
        name: {
            "id": own.id,
            "dispersion": _dispersion_to_json(own.dispersion, reference.layout),
        }
        for name, own in reference.versions.items()
    }


def _versions_from_json(document: dict[str, Any], layout: Layout) -> dict[str, VersionBaseline]:
    return {
        name: VersionBaseline(own["id"], _dispersion_from_json(own["dispersion"], layout))
        for name, own in document.items()
    }


def _dispersion_to_json(found: Dispersion | None, layout: Layout) -> dict[str, Any] | None:
    """By feature the mean events of a pane, and phi by how many panes are joined."""
    if found is None:
        return None
    return {
        "pane": found.pane,
        "panes": found.panes,
        "features": {
            feature.name: {
                "events": float(found.events[f]),
                "phi": [own.tolist() for own in found.phi[:, :, f] if not np.isnan(own).any()],
            }
            for f, feature in enumerate(layout.features)
        },
    }


def _dispersion_from_json(document: dict[str, Any] | None, layout: Layout) -> Dispersion | None:
    if document is None:
        return None
    own = [document["features"][feature.name] for feature in layout.features]
    phi = np.full((len(JOINS), len(DIRECTIONS), len(own)), np.nan)
    for f, each in enumerate(own):
        for i, values in enumerate(each["phi"]):
            phi[i, :, f] = values
    events = np.array([each["events"] for each in own], np.float64)
    return Dispersion(int(document["pane"]), int(document["panes"]), events, phi)


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    if feature.type == "numeric":
        own: dict[str, Any] = {
            "grid": feature.grid.tolist(),
            "ties": feature.ties.tolist(),
        }
    else:
        own = {"categories": list(feature.categories)}
    return {"name": feature.name, "type": feature.type, **own}


def _feature_from_json(feature: dict[str, Any]) -> Feature:
    return Feature(
        name=feature["name"],
        type=feature["type"],
        grid=np.array(feature.get("grid", []), np.float64),
        categories=tuple(feature.get("categories", ())),
        ties=np.array(feature.get("ties", []), np.int64),
    )


def _counts_to_json(layout: Layout, flat: IntArray) -> dict[str, Any]:
    """Per feature the ties (or categories) and gaps; gaps are empty unless the grid was cut."""
    return {
        feature.name: packed(flat[layout.starts[f] : layout.starts[f + 1]])
        for f, feature in enumerate(layout.features)
    }


def _counts_from_json(layout: Layout, counts: dict[str, Any]) -> IntArray:
    blocks = [
        unpacked(counts[feature.name], feature.slots + EXTRA_CELLS) for feature in layout.features
    ]
    return np.concatenate([np.zeros(0, np.int64), *blocks])
