"""A source of answers over views that somebody keeps up to date."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, TypeVar

import msgspec

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.ui.marking import Marking
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.ui.workers import HINT, Scrapes
from driftline.consumer.views.alert_views import Wanted
from driftline.consumer.views.answers import (
    AlertList,
    AlertView,
    FeatureView,
    Home,
    JointView,
    ModelView,
    PerformanceView,
)
from driftline.consumer.views.flow import pipeline_view
from driftline.consumer.views.fold import Views
from driftline.consumer.views.pipeline import PipelineView, Status
from driftline.consumer.views.report import ReportView
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.messages import Acceptance

Answer = TypeVar("Answer")


class Keeper(Protocol):
    """Who keeps views up to date: `views.follow.Follower`, or `Finished`."""

    @property
    def version(self) -> int:
        """Another number after anything changed that an answer shows."""

    def ask(self, question: Callable[[Views], Answer]) -> Answer:
        """Return an answer of the views; from any thread."""

    def status(self, title: str = "", version: str = "", *, writable: bool = False) -> Status:
        """Return whether what is shown is complete, and still comes."""


class Finished:
    """Views to which nothing is added any more, such as those of a backtest.

    Args:
        views: what is shown.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._lock = threading.Lock()
        self.version = 0

    def ask(self, question: Callable[[Views], Answer]) -> Answer:
        """Return an answer of the views."""
        with self._lock:
            return question(self._views)

    def status(self, title: str = "", version: str = "", *, writable: bool = False) -> Status:
        """Return that all is there."""
        return Status(True, None, False, self._views.windows, writable, title, version)


@dataclass(frozen=True)
class Live:
    """What the page shows.

    Attributes:
        keeper: keeps the views.
        title: what is watched.
        scrapes: reads the metrics of the workers.
        marks: writes what people say; None: nobody may.
        pipeline_known: the view of the pipeline, where no worker has to be asked for it.
    """

    keeper: Keeper
    title: str
    scrapes: Scrapes
    marks: Marking | None = None
    pipeline_known: PipelineView | None = None

    @property
    def version(self) -> int:
        """Another number after anything changed that an answer shows."""
        return self.keeper.version

    def status(self) -> Status:
        """Return what the page itself is."""
        return self.keeper.status(self.title, _version(), writable=self.marks is not None)

    def home(self) -> Home:
        """Return all models."""
        return self.keeper.ask(lambda views: views.home())

    def model(self, model: str, segment: str | None) -> ModelView | None:
        """Return one model."""
        return self.keeper.ask(lambda views: views.model(model, segment))

    def feature(
        self, model: str, feature: str, segment: str | None, window: str | None
    ) -> FeatureView | None:
        """Return one feature."""
        found = self.keeper.ask(lambda views: views.feature(model, feature, segment, window))
        if found is None or self.marks is None:
            return found
        return msgspec.structs.replace(found, writable=True)

    def joint(self, model: str, window: str | None) -> JointView | None:
        """Return how the features of a model go together."""
        return self.keeper.ask(lambda views: views.joint(model, window))

    def performance(self, model: str, segment: str | None) -> PerformanceView | None:
        """Return how a model performs."""
        return self.keeper.ask(lambda views: views.performance(model, segment))

    def alerts(self, wanted: Wanted, limit: int) -> AlertList:
        """Return alerts."""
        return self.keeper.ask(lambda views: views.alerts(wanted, limit))

    def alert(self, alert_id: str) -> AlertView | None:
        """Return one alert."""
        writable = self.marks is not None
        return self.keeper.ask(lambda views: views.alert(alert_id, writable=writable))

    def pipeline(self) -> PipelineView:
        """Return the monitor itself."""
        if self.pipeline_known is not None:
            return self.pipeline_known
        held_back = self.keeper.ask(lambda views: views.held_back())
        return pipeline_view(self.scrapes(), held_back, HINT)

    def report(self, since: str | None, until: str | None) -> ReportView:
        """Return a span of time."""
        found = self.keeper.ask(lambda views: views.report(since, until))
        return msgspec.structs.replace(found, title=self.title, pipeline=self.pipeline())

    def accept(self, model: str, request: AcceptanceRequest) -> Acceptance:
        """Write that what a model shows is accepted as normal.

        Raises:
            AlertsError: the request is not as it must be, or nobody may.
            LogError, WorkerLost: the broker does not take it.
        """
        if self.marks is None:
            raise AlertsError("nothing is accepted here")
        return self.marks.accept(model, request)

    def mark(self, alert_id: str, request: MarkRequest) -> Marks:
        """Write a mark of an alert.

        Raises:
            AlertsError: the mark is not as it must be, or nobody may.
            LogError, WorkerLost: the broker does not take it.
        """
        if self.marks is None:
            raise AlertsError("marks are not written here")
        return self.marks.write(alert_id, request)


def _version() -> str:
    try:
        return version("driftline")
    except PackageNotFoundError:
        return "unknown"
