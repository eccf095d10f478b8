"""The newest verdict of each comparison."""

from __future__ import annotations

from typing import NamedTuple

from driftline.consumer.views.ring import Place
from driftline.consumer.views.spans import Span, span_of
from driftline.consumer.views.stream import Judged


class _Newest(NamedTuple):
    span: Span
    place: Place | None
    models: tuple[str, ...]


class Comparisons:
    """The comparisons of a deployment."""

    def __init__(self) -> None:
        self._newest: dict[str, _Newest] = {}

    def judged(self, verdict: Judged, place: Place | None) -> tuple[str, ...]:
        """Take in a verdict on a comparison; return the models that it is about."""
        models = (verdict.model,) if verdict.sides is None else verdict.sides.models
        known, span = self._newest.get(verdict.model), span_of(verdict.window)
        found = _Newest(span, place, models)
        if known is None or (span, place or (0, 0)) >= (known.span, known.place or (0, 0)):
            self._newest[verdict.model] = found
        return models

    def about(self, model: str) -> list[tuple[str, Place | None]]:
        """Return the comparisons of a model, and where their newest verdicts stand."""
        return sorted(
            (name, found.place) for name, found in self._newest.items() if model in found.models
        )
