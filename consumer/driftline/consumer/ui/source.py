"""What the page shows, whoever has it: a deployment's topics, the demo's log, a backtest."""

from __future__ import annotations

from typing import Protocol

import msgspec

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest
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
from driftline.consumer.views.pipeline import PipelineView, Status
from driftline.consumer.views.report import ReportView
from driftline.consumer.wire.control import Action, Marks
from driftline.consumer.wire.messages import Acceptance


class MarkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says of an alert.

    Attributes:
        action: which mark.
        who: says it.
        why: the reason.
        until: when a snooze ends, RFC 3339.
        clear: whether it is taken back.
    """

    action: Action
    who: str = ""
    why: str | None = None
    until: str | None = None
    clear: bool = False


class Source(Protocol):
    """Answers of `views`. Each may be asked for by any thread; None where there is no such thing.

    None of them waits for the broker but those of `feature`, `joint` and `alert`, which may read
    one verdict.
    """

    @property
    def version(self) -> int:
        """Another number after anything changed that an answer shows."""

    def status(self) -> Status: ...  # noqa: D102
    def home(self) -> Home: ...  # noqa: D102
    def model(self, model: str, segment: str | None) -> ModelView | None: ...  # noqa: D102
    def feature(  # noqa: D102
        self, model: str, feature: str, segment: str | None, window: str | None
    ) -> FeatureView | None: ...
    def joint(self, model: str, window: str | None) -> JointView | None: ...  # noqa: D102
    def performance(  # noqa: D102
        self, model: str, segment: str | None
    ) -> PerformanceView | None: ...
    def alerts(self, wanted: Wanted, limit: int) -> AlertList: ...  # noqa: D102
    def alert(self, alert_id: str) -> AlertView | None: ...  # noqa: D102
    def pipeline(self) -> PipelineView: ...  # noqa: D102
    def report(self, since: str | None, until: str | None) -> ReportView: ...  # noqa: D102

    def accept(self, model: str, request: AcceptanceRequest) -> Acceptance:
        """Write that what a model shows is accepted as normal.

        Raises:
            AlertsError: the request is not as it must be.
            LogError, WorkerLost: the broker does not take it.
        """

    def mark(self, alert_id: str, request: MarkRequest) -> Marks:
        """Write a mark of an alert.

        Raises:
            AlertsError: the mark is not as it must be.
            LogError, WorkerLost: the broker does not take it.
        """
