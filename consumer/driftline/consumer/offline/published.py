"""What a backtest yields, as its topics would have it: folded into views, and a report of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Self

import msgspec

from driftline.consumer.config import ModelConfig
from driftline.consumer.offline.feedback import Note
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.views.fold import Views
from driftline.consumer.views.pipeline import ModelFlow, PipelineView
from driftline.consumer.views.report import ReportView
from driftline.consumer.views.ring import Place
from driftline.consumer.views.settings import ModelSettings, Settings
from driftline.consumer.wire.records import Alert, Verdict

WINDOWS = 1_000
"""Windows of a stream that a report of a file has at most: its newest."""


class Published:
    """Takes in what a backtest yields; verdicts stand in a temporary file, as they do in a topic.

    To be closed, by `with`.

    Args:
        model: whose events they are.
        config: its settings.

    Attributes:
        views: what was taken in.
    """

    def __init__(self, model: str, config: ModelConfig) -> None:
        self._topic = TemporaryFile()  # noqa: SIM115 (closed with this object)
        self._end = 0
        settings = Settings({model: ModelSettings.of(config)}, in_topics=False)
        self.views = Views(settings, WINDOWS, read=self._read)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._topic.close()

    def take(self, output: Verdict | Alert) -> None:
        """Take in a verdict or an alert."""
        if isinstance(output, Alert):
            self.views.alerted(output)
        else:
            self.views.judged(output, Place(0, self._end))
            self._topic.seek(self._end)
            self._end += self._topic.write(msgspec.json.encode(output) + b"\n")

    def report(self, title: str, notes: Iterable[Note], missed: PipelineView) -> ReportView:
        """Return the report of all that was taken in."""
        return msgspec.structs.replace(
            self.views.report(None, None),
            title=title,
            notes=[f"{note.kind}: {note.sentence}" for note in notes],
            pipeline=missed,
        )

    def _read(self, place: Place) -> Verdict:
        self._topic.seek(place.offset)
        return msgspec.json.decode(self._topic.readline(), type=Verdict)


@dataclass(frozen=True)
class Run:
    """What a report over time needs of a backtest beside its verdicts.

    Attributes:
        model: the model.
        config: its settings.
        alerts: all records of alerts, in their order.
        missed: what became of rows that were not counted.
    """

    model: str
    config: ModelConfig
    alerts: tuple[Alert, ...]
    missed: PipelineView

    def report(self, verdicts: Iterable[Verdict], notes: Iterable[Note]) -> ReportView:
        """Return the report of it."""
        with Published(self.model, self.config) as published:
            for verdict in verdicts:
                published.take(verdict)
            for alert in self.alerts:
                published.take(alert)
            return published.report(f"Drift of {self.model}", notes, self.missed)


def missed_by(backtest: Backtest, model: str) -> PipelineView:
    """Return what became of the rows of a file that were not counted, or of which nothing came."""
    totals, joined = backtest.totals, backtest.join_totals
    flow = ModelFlow(
        model=model,
        watermark=None,
        last_event=None,
        counted=totals.counted[model],
        late=totals.late[model],
        passed_over=backtest.passed_over,
        labels=totals.labels[model],
        waiting=0,
        joined={} if joined is None else msgspec.structs.asdict(joined),
        reference=None,
        failed=model in backtest.failures,
    )
    rejected, skipped = dict(totals.rejected), dict(totals.skipped)
    return PipelineView(True, None, [], [], [flow], rejected, skipped, [])
