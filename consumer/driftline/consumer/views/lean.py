"""A verdict without its bins and detectors: what the fold reads of the many in a topic."""

from __future__ import annotations

import msgspec

from driftline.consumer.wire.records import (
    DetectorValue,
    Number,
    ReferenceName,
    Sequential,
    Sides,
    Verdict,
    Window,
)
from driftline.consumer.wire.subject import Subject


class LeanVerdict(msgspec.Struct, frozen=True, rename={"figures": "detectors"}):
    """What `views.stream.Judged` asks of a verdict, decoded in half the time of all of it."""

    model: str
    segment: str | None
    feature: str | None
    type: str
    state: str
    reason: str | None
    window: Window
    reference: ReferenceName
    versions: dict[str, int]
    counts: dict[str, int] | None
    effect: Number
    figures: msgspec.Raw
    sequential: Sequential | None = None
    sides: Sides | None = None

    @property
    def detectors(self) -> dict[str, DetectorValue]:
        """The figures by detector, decoded when asked for: features need none of them."""
        return _FIGURES.decode(self.figures)

    @property
    def subject(self) -> Subject:
        """What it speaks of."""
        measured = self.type == "performance"
        return Subject.read(self.feature, "performance" if measured else "distribution")


_FIGURES = msgspec.json.Decoder(dict[str, DetectorValue])
LEAN = msgspec.json.Decoder(LeanVerdict)
FULL = msgspec.json.Decoder(Verdict)
