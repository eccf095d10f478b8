"""Labels of a file of their own: ground truth that came later than its predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from driftline.consumer.cli import file_rows
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.terminal import say
from driftline.consumer.cli.timed_rows import TimedRows
from driftline.consumer.judge.records import Alert, Verdict
from driftline.consumer.service.backtest import Backtest
from driftline.producer.mapping import Mapping


class LabelFile:
    """A file of labels, in the order of their times.

    Args:
        file: CSV, Parquet or NDJSON.
        topic: of the labels, whose mapping the rows have.
        mapping: that mapping.

    Raises:
        InputError: the file cannot be used.
        CommandError: no row has a time.
    """

    def __init__(self, file: Path, topic: str, mapping: Mapping) -> None:
        self._file, self._topic = file, topic
        self._rows = TimedRows(file_rows.read(file), mapping)
        self._refused: Counter[str] = Counter()
        if not self._rows.timed:
            raise CommandError(
                f"{file}: no label has a time, which tells when it came: map it with"
                f" sources.{topic}.fields, or put the column beside its predictions"
            )

    @property
    def fed(self) -> int:
        """Rows that have been fed."""
        return self._rows.yielded

    @property
    def refused(self) -> Counter[str]:
        """By reason, rows that are no labels."""
        return self._refused

    def feed(self, backtest: Backtest, time: int | None) -> Iterator[Verdict | Alert]:
        """Feed the labels up to a time (ms), or all that are left; yield what is made known."""
        for rows in self._rows.rest() if time is None else self._rows.until(time):
            before = backtest.tally.rejected.copy()
            yield from backtest.feed_labels(rows)
            self._refused += backtest.tally.rejected - before

    def say_what_was_left_out(self, backtest: Backtest, model: str) -> None:
        """Say how many rows are no labels, and why.

        Raises:
            CommandError: none is a label of the model.
        """
        advice = f"map the columns with sources.{self._topic}.fields"
        worst = self._refused.most_common(1)
        labels = backtest.tally.labels[model]
        if worst:
            ((reason, rows),) = worst
            example = backtest.examples[reason]
            detail = f", {example.detail}" if example.record.topic == self._topic else ""
            said = f"{self._file}: {rows:,} of {self.fed:,} rows are no labels: {reason}{detail}"
            if not labels:
                raise CommandError(f"{said}; {advice}")
            say(f"warning  {said}")
        if not labels:
            raise CommandError(
                f"{self._file}: none of {self.fed:,} rows is a label of the model {model}"
            )
