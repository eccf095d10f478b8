"""The reference: a frozen, content-hashed description of the data that is normal for a model.

It has two parts. The layout says what is counted: per feature its type and grid or categories, the
listed segment values, what is counted of outcomes. The baseline is what is normal: the counts of
the whole model and of each listed segment value, made by the same code that counts the stream. It
holds no values of single events beyond the grid. Panes carry the layout's id, verdicts that of the
whole, so another baseline over the same layout goes on with the panes that are there.

As a file it is one JSON document, readable and stable: the same content gives the same bytes, and
the id is a hash of them, see `reference_json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.detectors.count_rows import CountRows, HeldCounts
from driftline.detectors.counts import Layout
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.reference_counts import ReferenceCounts, VersionBaseline
from driftline.detectors.reference_json import (
    SCHEMA,
    SCHEMAS,
    content,
    content_hash,
    fields,
    is_sealed,
    layout_content,
    to_bytes,
)
from driftline.detectors.seasons import Seasons
from driftline.detectors.tags import OTHER as OTHER
from driftline.detectors.volume import Volume
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

__all__ = [
    "OTHER",
    "SCHEMA",
    "SCHEMAS",
    "Reference",
    "ReferenceCounts",
    "VersionBaseline",
    "content_hash",
]


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
        return content_hash(content(self))

    @cached_property
    def layout_id(self) -> str:
        """The hash of what is counted, 16 hexadecimal digits: panes that share it add up."""
        return content_hash(layout_content(self))

    @property
    def streams(self) -> tuple[str | None, ...]:
        """The streams' names, see `ReferenceCounts`."""
        return self.counted.names

    @property
    def counts(self) -> IntArray:
        """Counts of the streams, shape (streams, layout.size)."""
        counts = self.counted.counts
        return counts.whole() if isinstance(counts, CountRows) else counts

    def counts_of(self, stream: str | None) -> IntArray:
        """Return the counts of a stream, shape (layout.size,); not to be written to."""
        return self.counted.counts[self.position[stream]]

    def held_counts_of(self, stream: str | None) -> HeldCounts:
        """Return them as they are held, maybe in 32 bits, for who holds them as long."""
        counts, row = self.counted.counts, self.position[stream]
        return counts.held(row) if isinstance(counts, CountRows) else counts[row]

    def watched_by(self, streams: Iterable[str | None]) -> Reference:
        """Return the same for who looks at some streams alone: all else takes little memory."""
        held = {self.position[stream] for stream in streams}
        counted = replace(self.counted, counts=CountRows.of(self.counts, held))
        return self._with(counted=counted)

    def sharing(self, other: Reference) -> Reference:
        """Return the same with the grids of another one of its layout, which are then held once."""
        if other.layout_id != self.layout_id:
            return self
        features = [
            replace(own, grid=known.grid, categories=known.categories, ties=known.ties)
            for own, known in zip(self.layout.features, other.layout.features, strict=True)
        ]
        layout = replace(self.layout, features=tuple(features), derived=other.layout.derived)
        return self._with(layout=layout)

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

    def outline(self) -> Reference:
        """Return what is counted, without what is normal of it: it has no counts and no seasons.

        It has the ids of the whole, and what is known of outcomes, dispersion and joint cells.
        """
        counted = ReferenceCounts(
            self.streams,
            np.zeros((len(self.streams), 0), np.int64),
            self.stream_events,
            versions=self.versions,
            joint=self.joint,
        )
        return self._with(counted=counted)

    def _with(self, **held: Any) -> Reference:
        """Return the same content held in another form, under its ids."""
        found = replace(self, **held)
        found.__dict__.update(id=self.id, layout_id=self.layout_id)
        return found

    def to_json(self) -> bytes:
        """Return the file's content: UTF-8 JSON, the same bytes for the same content."""
        return to_bytes({"id": self.id, **content(self)}) + b"\n"

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
        return cls.from_document(document, data)

    @classmethod
    def from_document(cls, document: Any, data: bytes) -> Self:
        """Read what `to_json` wrote, of which the JSON is read already.

        Args:
            document: what it holds; it is changed.
            data: its bytes.

        Raises:
            ReferenceError: as `from_json`.
        """
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema not in SCHEMAS:
            raise ReferenceError(
                f"the reference has schema {schema!r}, this version reads {SCHEMA!r}: "
                "build it again with driftline reference build"
            )
        ids = _sealed(document, data)
        own = document.pop("id", None)
        if ids is None and not _is_hashed(document, own):
            raise ReferenceError(
                "the reference does not match its id, so it was damaged or edited: "
                "build it again with driftline reference build"
            )
        found = cls._of(document)
        found.__dict__.update(ids or {"id": own})  # not to be computed again
        return found

    @classmethod
    def outline_from(cls, document: Mapping[str, Any], data: bytes) -> Self | None:
        """Return the outline of what `to_json` wrote, without reading what is normal.

        Args:
            document: what it holds, maybe without the counts of its streams and the seasons.
            data: its bytes, which are hashed.

        Returns:
            None where its bytes are others than `to_json` writes: then it has to be read whole.

        Raises:
            ReferenceError: it lacks fields or has wrong ones.
        """
        ids = _sealed(document, data)
        if ids is None:
            return None
        found = cls._of(document, counted=False)
        found.__dict__.update(ids)
        return found

    @classmethod
    def _of(cls, document: Mapping[str, Any], *, counted: bool = True) -> Self:
        try:
            return cls(**fields(document, counted=counted))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
            raise ReferenceError(
                "the reference lacks fields or has wrong ones: "
                "build it again with driftline reference build"
            ) from None


def _sealed(document: Mapping[str, Any], data: bytes) -> dict[str, str] | None:
    """Return the ids that a file states, where its bytes say that they are right."""
    model, own, layout = document.get("model"), document.get("id"), document.get("layout")
    known = layout.get("id") if isinstance(layout, dict) else None
    if isinstance(model, str) and isinstance(own, str) and isinstance(known, str):
        return {"id": own, "layout_id": known} if is_sealed(data, model, own, known) else None
    return None


def _is_hashed(document: Mapping[str, Any], own: object) -> bool:
    try:
        return own == content_hash(document)
    except (ValueError, RecursionError):  # not a number, or nested without an end
        return False
