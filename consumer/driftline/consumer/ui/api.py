"""The table of the API: each route with what it takes and what it answers.

The server, its checks of what is asked, the OpenAPI document and the tests derive from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from driftline.consumer.ui import tables
from driftline.consumer.ui.source import Source
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
from driftline.consumer.views.spans import place_of
from driftline.consumer.wire.kinds import Kind, Severity
from driftline.consumer.wire.kinds import Status as AlertStatus

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Parameter:
    """What may stand behind `?`.

    Attributes:
        name: of it.
        type: what its text is converted to.
        about: a sentence.
    """

    name: str
    type: Any
    about: str


@dataclass(frozen=True)
class Asked:
    """What a request asks for: the names in its path, and its parameters."""

    names: Mapping[str, str]
    parameters: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """Return a parameter; None where it is not given."""
        return self.parameters.get(name)


@dataclass(frozen=True)
class Route:
    """One thing that can be asked for.

    Attributes:
        path: below `PREFIX`; what stands in braces is a name, percent-encoded.
        about: what it answers, a sentence.
        answer: the type of the answer.
        find: returns the answer, None where there is no such thing; raises ValueError where a
            parameter is not as it must be.
        parameters: what may be asked.
        rows: the answer as CSV, where it has that form.
        kept: whether an answer holds as long as nothing changed in the topics.
    """

    path: str
    about: str
    answer: type
    find: Callable[[Source, Asked], Any]
    parameters: Sequence[Parameter] = ()
    rows: Callable[[Any], tables.Rows] | None = None
    kept: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names in its path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part[:1] == "{")


SEGMENT = Parameter("segment", str, "One segment, `tag=value`; without it the whole model.")
SINCE = Parameter("since", str, "From this time on, RFC 3339; of a file without times a row.")
UNTIL = Parameter("until", str, "Before this time, or row.")


def _alerts(source: Source, asked: Asked) -> AlertList:
    places = {name: place_of(asked.get(name)) for name in ("since", "until") if asked.get(name)}
    wanted = {**asked.parameters, **places}
    limit = wanted.pop("limit", 100)
    return source.alerts(Wanted(**wanted), limit)


ROUTES = [
    Route(
        "/status",
        "What the page itself is: connected or cut off, how far back it holds.",
        Status,
        lambda source, asked: source.status(),
        kept=False,
    ),
    Route(
        "/models",
        "All models, worst first.",
        Home,
        lambda source, asked: source.home(),
        rows=tables.models,
    ),
    Route(
        "/models/{model}",
        "One model: its features worst first, their states over time, its alerts.",
        ModelView,
        lambda source, asked: source.model(asked.names["model"], asked.get("segment")),
        (SEGMENT,),
        tables.features,
    ),
    Route(
        "/models/{model}/features/{feature}",
        "One feature: effect and evidence over time, the bins of one window, its segments.",
        FeatureView,
        lambda source, asked: source.feature(
            asked.names["model"],
            asked.names["feature"],
            asked.get("segment"),
            asked.get("window"),
        ),
        (
            SEGMENT,
            Parameter("window", str, "End of the window whose bins are shown, as in `axis.ends`."),
        ),
        tables.feature,
    ),
    Route(
        "/models/{model}/joint",
        "How its features go together: evidence over time, the pairs of one window.",
        JointView,
        lambda source, asked: source.joint(asked.names["model"], asked.get("window")),
        (Parameter("window", str, "End of the window whose pairs are shown, as in `axis.ends`."),),
        tables.joint,
    ),
    Route(
        "/models/{model}/performance",
        "How a model performs: metrics with their intervals, labels, comparisons.",
        PerformanceView,
        lambda source, asked: source.performance(asked.names["model"], asked.get("segment")),
        (SEGMENT,),
        tables.performance,
    ),
    Route(
        "/alerts",
        "Alerts, newest first.",
        AlertList,
        _alerts,
        (
            Parameter("model", str, "Only of this model."),
            Parameter("severity", Severity, "Of this severity or worse."),
            Parameter("kind", Kind, "Only of this kind."),
            Parameter("status", AlertStatus, "Only firing ones, or only resolved ones."),
            SINCE,
            UNTIL,
            Parameter("limit", Annotated[int, Meta(ge=1, le=1000)], "How many; 100 unless given."),
        ),
        tables.alerts,
    ),
    Route(
        "/alerts/{alert_id}",
        "One alert in full: its record, its history, the verdict of its window, its incident.",
        AlertView,
        lambda source, asked: source.alert(asked.names["alert_id"]),
    ),
    Route(
        "/pipeline",
        "The monitor itself: workers, lag, late and rejected events.",
        PipelineView,
        lambda source, asked: source.pipeline(),
        kept=False,
    ),
    Route(
        "/report",
        "A span of time: its windows, and the alerts that were open in it, as they are now.",
        ReportView,
        lambda source, asked: source.report(asked.get("since"), asked.get("until")),
        (SINCE, UNTIL),
    ),
]
FORMAT = Parameter("format", Literal["json", "csv"], "`csv` for a table; JSON unless given.")
