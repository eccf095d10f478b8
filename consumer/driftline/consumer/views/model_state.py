"""What is known of one model: its streams, and what its budget allows."""

from __future__ import annotations

from driftline.consumer.views.alert_book import KnownAlert
from driftline.consumer.views.answers import Budget
from driftline.consumer.views.ring import Place
from driftline.consumer.views.settings import DAY, ModelSettings
from driftline.consumer.views.spans import Span, texts
from driftline.consumer.views.stream import Judged, Stream


class ModelState:
    """One model.

    Args:
        name: its name.
        settings: what the configuration says of it.
        windows: of a stream that are kept at most.

    Attributes:
        streams: by segment; None: the whole model.
    """

    def __init__(self, name: str, settings: ModelSettings, windows: int) -> None:
        self.name, self.settings = name, settings
        self._windows = windows
        self.streams: dict[str | None, Stream] = {}
        self._first: Span | None = None
        self._rows = False

    def judged(self, verdict: Judged, place: Place | None) -> None:
        """Take in a verdict."""
        stream = self.streams.get(verdict.segment)
        if stream is None:
            stream = self.streams[verdict.segment] = Stream(self._windows)
        stream.judged(verdict, place)
        self._rows = self._rows or verdict.window.rows is not None

    def between(self, since: int | None, until: int | None) -> ModelState:
        """Return the windows that end after `since` and begin before `until`, ms or rows."""
        part = ModelState(self.name, self.settings, self._windows)
        part.streams = {
            segment: stream.between(since, until) for segment, stream in self.streams.items()
        }
        part._rows = self._rows
        return part

    @property
    def covered(self) -> Span | None:
        """From where to where there are windows of all events; None where there are none."""
        spans = self.whole.features.spans
        return Span(spans[-1].end, min(span.start for span in spans)) if spans else None

    def text(self, place: int) -> str:
        """Return a place of its windows as answers show it."""
        return texts(Span(place, place), rows=self._rows)[0]

    @property
    def segments(self) -> list[str]:
        """The segments that have verdicts."""
        return sorted(segment for segment in self.streams if segment is not None)

    @property
    def whole(self) -> Stream:
        """The stream of all events; an empty one before its first verdict."""
        return self.streams.get(None) or Stream(self._windows)

    @property
    def through(self) -> Span | None:
        """The newest window of all events."""
        return self.whole.features.newest

    def budget(self, alerts: list[KnownAlert], false: set[str]) -> Budget:
        """Return what its budget allows, and what was spent of it up to the newest window.

        Args:
            alerts: the model's.
            false: ids of those that were marked as false alarms.
        """
        own, through = self.settings, self.through
        fired: list[KnownAlert] = []
        since = None
        if through is not None:
            begins = [self.whole.features.spans[0].start, *(one.first.start for one in alerts)]
            begin = max(min(begins), through.end - own.period)
            since = self.text(begin)
            fired = [one for one in alerts if one.alert.budgeted and begin < one.first.end]
        return Budget(
            allowed=own.allowed,
            days=None if self._rows else own.period / DAY,
            windows=own.windows,
            fired=len(fired),
            false=sum(one.alert.alert_id in false for one in fired),
            since=since,
        )
