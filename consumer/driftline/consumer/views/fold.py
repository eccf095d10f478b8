"""The one fold of what was published: verdicts, alerts and marks in, answers out.

    views = Views.of(config)
    views.judged(verdict, Place(0, 17))
    views.alerted(alert)
    views.home().models[0].state

It holds the newest windows of each stream and the newest alerts, whichever order they come in. It
reads no log and no clock but those that it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from driftline.consumer.config import Config
from driftline.consumer.views import alert_views, features, joint, model_rows, performance
from driftline.consumer.views.alert_book import AlertBook
from driftline.consumer.views.alert_views import Wanted
from driftline.consumer.views.answers import (
    AlertList,
    AlertRow,
    AlertView,
    FeatureView,
    Home,
    JointView,
    ModelView,
    PerformanceView,
)
from driftline.consumer.views.comparisons import Comparisons
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.views.report import ReportView
from driftline.consumer.views.ring import Place
from driftline.consumer.views.settings import ModelSettings, Settings
from driftline.consumer.views.span_report import SpanReport
from driftline.consumer.views.stream import Judged
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.kinds import KINDS
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import COMPARISON
from driftline.producer.records.timestamp import format_time

WINDOWS = 200
"""Windows of a stream that are kept, unless another number is given."""
ALERTS = 10_000
"""Alerts that are kept, unless another number is given."""
_NO_SETTINGS = ModelSettings()


class Changes(NamedTuple):
    """What is new since it was last asked for."""

    models: frozenset[str]
    alerts: bool


def _nowhere(place: Place) -> Verdict | None:
    return None


def _wall() -> int:
    return time.time_ns() // 1_000_000


class Views:
    """Folds what was published into what answers need.

    Args:
        settings: what a configuration says of models; of the others nothing is known.
        windows: of each stream that are kept at most.
        alerts: that are kept at most.
        read: reads the verdict that stands at a place; None where it is gone.
        clock: the present, ms since 1970.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        windows: int = WINDOWS,
        alerts: int = ALERTS,
        read: Callable[[Place], Verdict | None] = _nowhere,
        clock: Callable[[], int] = _wall,
    ) -> None:
        self._settings = settings or Settings()
        self._read, self._clock = read, clock
        self.windows = windows
        self._models: dict[str, ModelState] = {}
        for name in self._settings.models:
            self._model(name)
        self._comparisons = Comparisons()
        self._alerts = AlertBook(alerts, in_topics=self._settings.in_topics)
        self._changed: set[str] = set()
        self._alerts_changed = False

    @classmethod
    def of(
        cls,
        config: Config | None,
        windows: int = WINDOWS,
        read: Callable[[Place], Verdict | None] = _nowhere,
        clock: Callable[[], int] = _wall,
    ) -> Views:
        """Return the views of a configuration, whose models are shown before they are judged."""
        settings = None if config is None else Settings.of(config)
        return cls(settings, windows, read=read, clock=clock)

    def judged(self, verdict: Judged, place: Place | None = None) -> None:
        """Take in a verdict, in any order.

        `place`: where it stands; of two on the same window the later one holds.
        """
        if verdict.type == "performance" and verdict.subject == COMPARISON:
            self._changed.update(self._comparisons.judged(verdict, place))
            return
        self._model(verdict.model).judged(verdict, place)
        self._changed.add(verdict.model)

    def alerted(self, alert: Alert, published: int | None = None) -> None:
        """Take in the record of an alert, in any order; `published`: ms since 1970."""
        if self._alerts.take(alert, published):
            if alert.subject != COMPARISON:
                self._model(alert.model)
            self._changed.add(alert.model)
            self._alerts_changed = True

    def marked(self, marks: Marks, offset: int = 0) -> None:
        """Take in the marks of an alert; of two records the one of the larger offset holds."""
        if self._alerts.mark(marks, offset):
            self._alerts_changed = True
            model = self._alerts.model_of(marks.alert_id)
            if model is not None:
                self._changed.add(model)

    def configured(self, model: str, settings: ModelSettings | None) -> None:
        """Take in what was applied of a model; None: nothing that says how it is watched."""
        if settings is not None:
            self._model(model).settings = settings
            self._changed.add(model)

    def full(self, model: str, segment: str | None) -> bool:
        """Return whether a stream has as many windows as are kept; one without any has."""
        state = self._models.get(model)
        stream = None if state is None else state.streams.get(segment)
        return stream is None or len(stream.features.spans) == self.windows

    def room(self, model: str, segment: str | None) -> int:
        """Return how many verdicts of a stream there is room for, of what it has verdicts on."""
        state = self._models.get(model)
        stream = None if state is None else state.streams.get(segment)
        return 0 if stream is None else stream.room

    def unjudged(self) -> list[str]:
        """Return the models that are known without a verdict."""
        return [name for name, state in self._models.items() if not state.streams]

    def changes(self) -> Changes:
        """Return what is new since the last call."""
        found = Changes(frozenset(self._changed), self._alerts_changed)
        self._changed, self._alerts_changed = set(), False
        return found

    def home(self) -> Home:
        """Return all models, worst first."""
        return model_rows.home(self._models.values(), self._alerts, self.now)

    def model(self, name: str, segment: str | None = None) -> ModelView | None:
        """Return a model, or one segment of it; None where there is none."""
        state = self._models.get(name)
        if state is None:
            return None
        return features.model_view(state, segment, self._alerts, self.now)

    def feature(
        self, model: str, name: str, segment: str | None = None, window: str | None = None
    ) -> FeatureView | None:
        """Return one feature; None where there is none.

        `window`: end of the window whose bins are shown, as in the axis; None: the newest.
        """
        state = self._models.get(model)
        if state is None:
            return None
        known = self._alerts, self._read, self.now
        return features.feature_view(state, name, segment, window, *known)

    def joint(self, name: str, window: str | None = None) -> JointView | None:
        """Return how the features of a model go together; None where that is not watched.

        `window`: end of the window whose pairs are shown, as in the axis; None: the newest.
        """
        state = self._models.get(name)
        if state is None:
            return None
        return joint.joint_view(state, window, self._alerts, self._read, self.now)

    def performance(self, name: str, segment: str | None = None) -> PerformanceView | None:
        """Return how a model, or one segment of it, performs; None where there is none."""
        state = self._models.get(name)
        if state is None:
            return None
        known = self._alerts, self._read, self.now
        return performance.performance_view(state, segment, self._comparisons, *known)

    def alerts(self, wanted: Wanted | None = None, limit: int = 100) -> AlertList:
        """Return alerts, the newest first, `limit` of them at most."""
        return alert_views.alert_list(self._alerts, wanted or Wanted(), limit, self.now)

    def alert(self, alert_id: str, *, writable: bool = False) -> AlertView | None:
        """Return one alert in full; None where there is none.

        `writable`: whether marks can be set here.
        """
        known = self._alerts.get(alert_id)
        if known is None:
            return None
        state = self._models.get(known.alert.model)
        if state is None:  # of a comparison
            state = ModelState(known.alert.model, _NO_SETTINGS, self.windows)
        book, read = self._alerts, self._read
        return alert_views.alert_view(known, state, book, read, self.now, writable=writable)

    def report(
        self, since: str | None, until: str | None, only: Collection[str] = ()
    ) -> ReportView:
        """Return the answers about a span of time, without title, notes and pipeline.

        Args:
            since: where it begins, as answers show times or rows; None: without bound.
            until: where it ends.
            only: the models that it is about; all where it is empty.

        Raises:
            ValueError: it is no time.
        """
        models, known = self._models.values(), (self._alerts, self._comparisons)
        return SpanReport(since, until, models, *known, self._read, self.now, only).view()

    def held_back(self) -> list[AlertRow]:
        """Return the open alerts that say who holds the clock back, or what was lost."""
        run = (known for known in self._alerts if KINDS[known.alert.kind].about == "run")
        return self._alerts.open(run, self.now)

    @property
    def now(self) -> str:
        """The present, RFC 3339 in UTC."""
        return format_time(self._clock())

    def _model(self, name: str) -> ModelState:
        state = self._models.get(name)
        if state is None:
            settings = self._settings.models.get(name, _NO_SETTINGS)
            state = self._models[name] = ModelState(name, settings, self.windows)
        return state
