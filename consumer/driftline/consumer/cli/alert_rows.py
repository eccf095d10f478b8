"""Finding an alert, and opening what holds its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from driftline.consumer.cli import alert_log
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_models import schema_source
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.cli.row_options import Wanted
from driftline.consumer.cli.screen import Screen
from driftline.consumer.config import ModelConfig
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.rows.of_topic import TopicRows
from driftline.consumer.offline.rows.source import RowSource, file_source
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.service.references import configured_reference
from driftline.consumer.wire.records import Alert
from driftline.detectors.tags import VERSION
from driftline.producer.records.names import listed
from driftline.producer.records.time_form import GivenTimes

_AFTER = 600_000  # ms: clocks of who wrote a record and of who wrote its alert may differ so much


@dataclass(frozen=True)
class Opened:
    """An alert, and what holds its rows.

    Attributes:
        alert: its newest record.
        others: all alerts that are known, this one too.
        span: the rows that are asked for.
        source: where they are.
        listed: values of tags that are segments of their own, where that matters.
        feedback: prints notes, and shows how far it is.
        settings: of its model, where there is a configuration of it.
    """

    alert: Alert
    others: Sequence[Alert]
    span: Span
    source: RowSource
    listed: dict[str, Sequence[str]]
    feedback: Feedback
    settings: ModelConfig | None


@contextmanager
def opened(
    wanted: Wanted,
    times: tuple[int | None, int | None],
    truth: tuple[str | None, Path | None],
    form: GivenTimes,
    *,
    later: bool = False,
) -> Iterator[Opened]:
    """Find an alert and open what holds its rows.

    Args:
        wanted: what the options name.
        times: begin and end of the rows instead of the alert's, ms since 1970.
        truth: what is given as `--actual` and `--labels`.
        form: what is known of the times of a file.
        later: whether rows may be meant that came after the alert was published.

    Raises:
        DriftlineError: there is no such alert, or no such rows.
    """
    screen = Screen()
    try:
        alert, others, written = wanted.record, wanted.others, None
        if alert is None and wanted.broker is not None:
            output = OutputLog.of(wanted.broker, wanted.config)
            records = alert_log.newest_alerts(output)
            record = alert_log.choose_alert(records, output, wanted.alert)
            alert, written = record.alert, record.timestamp + _AFTER
            others = [each.alert for each in records]
        if alert is None:
            raise CommandError(f"{wanted.alert}: no such alert")
        if alert.rows is not None and times != (None, None):
            raise CommandError("--since and --until: the alert is of a file without times")
        span = Span.of(alert).between(*times)
        if later or times[1] is not None:
            written = None
        source = _source(wanted, alert, written, screen, truth, form)
        settings = None if wanted.config is None else wanted.config.models.get(alert.model)
        listed_values = _listed(alert, settings)
        yield Opened(alert, others, span, source, listed_values, screen, settings)
    finally:
        if wanted.broker is not None:
            wanted.broker.log.close()


def _source(
    wanted: Wanted,
    alert: Alert,
    written: int | None,
    screen: Screen,
    truth: tuple[str | None, Path | None],
    form: GivenTimes,
) -> RowSource:
    if wanted.file is not None:
        return file_source(
            wanted.file, alert.model, wanted.config, screen, GivenTruth(*truth), form
        )
    config, broker = wanted.config, wanted.broker
    if config is None or broker is None:
        raise CommandError("where are the rows? give --config FILE, or --input FILE")
    if alert.model not in config.models:
        raise CommandError(
            f"{alert.model}: the alert is of this model, the configuration has"
            f" {listed(list(config.models))}"
        )
    return TopicRows(broker.log, config, schema_source(config), screen, written)


def reference_rows(wanted: Wanted, found: Opened, file: Path, form: GivenTimes) -> RowSource:
    """Return the rows that a reference was built from.

    Raises:
        InputError: the file cannot be used.
    """
    truth = GivenTruth()
    return file_source(file, found.alert.model, wanted.config, found.feedback, truth, form)


def _listed(alert: Alert, settings: ModelConfig | None) -> dict[str, Sequence[str]]:
    """Return the listed values of tags, which tell the rows of a segment of all others."""
    if alert.segment is None or settings is None:
        return {}
    listed: dict[str, Sequence[str]] = {**configured_reference(settings).segments}
    return listed | ({VERSION: tuple(settings.references)} if settings.references else {})
