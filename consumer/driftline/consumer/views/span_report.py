"""A span of time, frozen: the answers about its windows and its alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from driftline.consumer.views import alert_views, features, joint, model_rows, performance
from driftline.consumer.views.alert_book import AlertBook, KnownAlert
from driftline.consumer.views.answers import (
    AlertView,
    FeatureView,
    JointView,
    ModelView,
    PerformanceView,
)
from driftline.consumer.views.comparisons import Comparisons
from driftline.consumer.views.features import Read
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.views.pipeline import PipelineView
from driftline.consumer.views.report import ReportView
from driftline.consumer.views.settings import ModelSettings
from driftline.consumer.views.spans import place_of

MOST_MODELS, MOST_FEATURES, MOST_ALERTS = 50, 100, 200
"""That a report has in full: models, and features of one, the worst; alerts, the newest."""
_MOST_REASONS = 20
_UNKNOWN = PipelineView(False, "no workers were asked what they left out", [], [], [], {}, {}, [])


class SpanReport:
    """The answers about a span of time.

    Args:
        since, until: the span, as answers show times; None: all that there is.
        models: all of them.
        book: all alerts.
        comparisons: all of them.
        read: reads the verdict that stands at a place.
        now: RFC 3339 in UTC, of the wall.
        only: the models that it is about; all where it is empty.

    Raises:
        ValueError: an end of the span is no time.
    """

    def __init__(
        self,
        since: str | None,
        until: str | None,
        models: Iterable[ModelState],
        book: AlertBook,
        comparisons: Comparisons,
        read: Read,
        now: str,
        only: Collection[str] = (),
    ) -> None:
        self._since, self._until = since, until
        self._begin = None if since is None else place_of(since)
        self._end = None if until is None else place_of(until)
        self._models = [
            model.between(self._begin, self._end)
            for model in models
            if not only or model.name in only
        ]
        self._book = book.between(self._begin, self._end, only)
        self._comparisons, self._read, self._now = comparisons, read, now

    def view(self) -> ReportView:
        """Return the report."""
        home = model_rows.home(self._models, self._book, self._now)
        by_name = {model.name: model for model in self._models}
        worst = [by_name[row.model] for row in home.models[:MOST_MODELS]]
        models = [view for model in worst if (view := self._model(model, None)) is not None]
        began = [known for known in self._book if known.alert.budgeted and self._began(known)]
        marks = [self._book.marks(known.alert.alert_id) for known in began]
        starts = [
            (covered.start, model)
            for model in self._models
            if (covered := model.covered) is not None
        ]
        first = min(starts, key=lambda each: each[0], default=None)
        return ReportView(
            title="",
            since=self._since,
            until=self._until,
            covered=None if first is None else first[1].text(first[0]),
            home=home,
            models=models,
            features=[each for model in worst for each in self._features(model)],
            performance=[each for model in worst for each in self._performance(model)],
            joint=[each for model in worst if (each := self._joint(model)) is not None],
            alerts=[self._alert(known) for known in self._newest_first()[:MOST_ALERTS]],
            promised=self._promised(),
            fired=len(began),
            false=sum(each is not None and each.false_alarm is not None for each in marks),
            acknowledged=sum(each is not None and each.acknowledge is not None for each in marks),
            insufficient=self._insufficient(),
            pipeline=_UNKNOWN,
            notes=[],
        )

    def _model(self, model: ModelState, segment: str | None) -> ModelView | None:
        return features.model_view(model, segment, self._book, self._now)

    def _features(self, model: ModelState) -> list[FeatureView]:
        """Return the features of a model, worst first, and those of segments with an alert."""
        whole = features.feature_rows(model.whole, None, self._book.of_model(model.name))
        asked: list[tuple[str, str | None]] = [(row.feature, None) for row in whole[:MOST_FEATURES]]
        of_segments = dict.fromkeys(
            (name, known.alert.segment)
            for known in self._book.of_model(model.name)
            if known.alert.segment is not None
            for name in known.alert.names
        )
        asked += list(of_segments)[:MOST_FEATURES]
        found = []
        for name, segment in asked:
            known = self._book, self._read, self._now
            view = features.feature_view(model, name, segment, None, *known)
            if view is not None:
                found.append(view)
        return found

    def _performance(self, model: ModelState) -> list[PerformanceView]:
        known = self._comparisons, self._book, self._read, self._now
        view = performance.performance_view(model, None, *known)
        return [] if view is None or not (view.metrics or view.comparisons) else [view]

    def _joint(self, model: ModelState) -> JointView | None:
        return joint.joint_view(model, None, self._book, self._read, self._now)

    def _alert(self, known: KnownAlert) -> AlertView:
        name = known.alert.model
        own = (model for model in self._models if model.name == name)
        state = next(own, None) or ModelState(name, ModelSettings(), 1)
        return alert_views.alert_view(
            known, state, self._book, self._read, self._now, writable=False
        )

    def _newest_first(self) -> list[KnownAlert]:
        return sorted(self._book, key=lambda known: known.newest_first)

    def _began(self, known: KnownAlert) -> bool:
        return self._begin is None or known.first.end > self._begin

    def _promised(self) -> float | None:
        """Return how many false alarms the budgets allow in the time that there are verdicts of."""
        found = []
        for model in self._models:
            covered, allowed = model.covered, model.settings.allowed
            if covered is not None and allowed is not None:
                begin = covered.start if self._begin is None else max(covered.start, self._begin)
                end = covered.end if self._end is None else min(covered.end, self._end)
                found.append(allowed * max(end - begin, 0) / model.settings.period)
        return sum(found) if found else None

    def _insufficient(self) -> dict[str, int]:
        counts = Counter[str]()
        for model in self._models:
            for stream in model.streams.values():
                for span in stream.features.spans:
                    counts.update(dict(stream.features.reasons(span)))
        return dict(counts.most_common(_MOST_REASONS))
