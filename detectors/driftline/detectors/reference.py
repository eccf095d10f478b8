"""The reference: a frozen, content-hashed description of the data that is normal for a model.

It holds no values of single events beyond the grid: per feature its type and grid or categories,
and the counts of the whole model and of each listed segment value, made by the same code that
counts the stream. As a file it is one JSON document, readable and stable: the same content gives
the same bytes, and the id is a hash of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import numpy as np

from driftline.detectors.counts import EXTRA_CELLS, Feature, Layout
from driftline.detectors.grid import IntArray
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

SCHEMA = "driftline.reference.v1"
OTHER = "__other__"


@dataclass(frozen=True, eq=False)
class Reference:
    """What the stream is compared with.

    Attributes:
        model: the model it describes.
        layout: the features, and where their counts lie.
        streams: None for the whole model, then `tag=value` for every listed segment value and
            `tag=__other__` for every tag.
        counts: int64, shape (streams, layout.size).
        stream_events: int64, shape (streams,): events of each stream.
        segments: tag to its listed values, most frequent first, without `__other__`.
        positive_label: the class that `prediction.score` speaks of, if known.
        outcome: counts of how well the model did on the reference, if ground truth was mapped.
    """

    model: str
    layout: Layout
    streams: tuple[str | None, ...]
    counts: IntArray
    stream_events: IntArray
    segments: dict[str, tuple[str, ...]]
    positive_label: str | None = None
    outcome: dict[str, Any] | None = None

    @cached_property
    def id(self) -> str:
        """The hash of everything else, 16 hexadecimal digits."""
        return content_hash(_content(self))

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
        if schema != SCHEMA:
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
    layout = reference.layout
    return {
        "schema": SCHEMA,
        "model": reference.model,
        "events": reference.events,
        "features": [_feature_to_json(feature) for feature in layout.features],
        "segments": {tag: list(values) for tag, values in reference.segments.items()},
        "streams": [
            {"segment": stream, "events": int(events), "counts": _counts_to_json(layout, counts)}
            for stream, events, counts in zip(
                reference.streams, reference.stream_events, reference.counts, strict=True
            )
        ],
        "positive_label": reference.positive_label,
        "outcome": reference.outcome,
        **({} if layout.left_out is None else {"left_out": list(layout.left_out)}),
    }


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    left_out = document.get("left_out")
    layout = Layout.of(
        map(_feature_from_json, document["features"]),
        None if left_out is None else tuple(left_out),
    )
    streams = document["streams"]
    return {
        "model": document["model"],
        "layout": layout,
        "streams": tuple(stream["segment"] for stream in streams),
        "counts": np.array([_counts_from_json(layout, stream["counts"]) for stream in streams]),
        "stream_events": np.array([stream["events"] for stream in streams], np.int64),
        "segments": {tag: tuple(values) for tag, values in document["segments"].items()},
        "positive_label": document["positive_label"],
        "outcome": document["outcome"],
    }


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    if feature.type == "numeric":
        own: dict[str, Any] = {"grid": feature.grid.tolist(), "ks_error": feature.ks_error}
    else:
        own = {"categories": list(feature.categories)}
    return {"name": feature.name, "type": feature.type, **own}


def _feature_from_json(feature: dict[str, Any]) -> Feature:
    return Feature(
        name=feature["name"],
        type=feature["type"],
        grid=np.array(feature.get("grid", []), np.float64),
        categories=tuple(feature.get("categories", ())),
        ks_error=feature.get("ks_error", 0.0),
    )


def _counts_to_json(layout: Layout, flat: IntArray) -> dict[str, Any]:
    """Per feature the ties (or categories) and gaps; gaps are empty unless the grid was cut."""
    return {
        feature.name: _packed(flat[layout.starts[f] : layout.starts[f + 1]])
        for f, feature in enumerate(layout.features)
    }


def _counts_from_json(layout: Layout, counts: dict[str, Any]) -> IntArray:
    blocks = [
        _unpacked(counts[feature.name], feature.slots + EXTRA_CELLS) for feature in layout.features
    ]
    return np.concatenate([np.zeros(0, np.int64), *blocks])


def _packed(block: IntArray) -> list[int] | dict[str, list[int]]:
    """Write a block densely, or where most of it is zero as cells and their counts."""
    cells = np.flatnonzero(block)
    if 2 * cells.size > block.size:
        return [int(count) for count in block]
    return {"cell": cells.tolist(), "count": block[cells].tolist()}


def _unpacked(packed: list[int] | dict[str, list[int]], size: int) -> IntArray:
    block = np.zeros(size, np.int64)
    if isinstance(packed, dict):
        block[packed["cell"]] = packed["count"]
    else:
        block[:] = packed
    return block
