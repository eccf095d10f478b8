"""The files that a backtest writes beside what it prints: reports, test results, alerts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from driftline.consumer.cli import backtest_text
from driftline.consumer.cli.backtest_junit import junit
from driftline.consumer.cli.backtest_summary import summary
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.terminal import say
from driftline.consumer.cli.whole_file import write_whole
from driftline.consumer.html.report_file import report_file
from driftline.consumer.offline.cases import Cases
from driftline.consumer.offline.published import Published, missed_by
from driftline.consumer.offline.setup import Setup

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable in which a GitHub job names the file that all of its steps append to."""


@dataclass(frozen=True)
class Files:
    """Where a backtest writes what.

    Attributes:
        title: of the report.
        report: one HTML file.
        junit: test results, XML.
        summary: Markdown.
        alerts: their records, a line each, in JSON.
    """

    title: str
    report: Path | None = None
    junit: Path | None = None
    summary: Path | None = None
    alerts: Path | None = None

    def write(self, setup: Setup, published: Published | None, cases: Cases, doubt: str) -> None:
        """Write them.

        Args:
            setup: the backtest, which is over.
            published: all that it found, where there is a report.
            cases: what it asked.
            doubt: why too little was judged to say that there is no drift, empty if enough was.

        Raises:
            CommandError: one cannot be written.
        """
        found, backtest = setup.found, setup.backtest
        if self.alerts is not None:
            lines = msgspec.json.Encoder().encode_lines(found.records)
            write_whole(self.alerts, lines, "--alerts")
            say(f"wrote {self.alerts}")
        if self.report is not None and published is not None:
            missed = missed_by(backtest, setup.model)
            view = published.report(self.title, setup.feedback.notes, missed)
            write_whole(self.report, report_file(view).encode(), "--report")
            say(f"wrote {self.report}")
        judged = backtest_text.header(found, backtest, setup.config)
        if self.junit is not None:
            properties = {"title": self.title, "judged": judged, "reference": found.reference}
            results = junit(setup.model, cases.asked(), doubt, backtest.failures, properties)
            write_whole(self.junit, results, "--junit")
            say(f"wrote {self.junit}")
        if self.summary is not None:
            failed = [f"{name} failed: {error}" for name, error in backtest.failures.items()]
            mistakes = [*failed, *([doubt] if doubt else [])]
            closing = backtest_text.closing(found, backtest, setup.config)
            text = summary(setup.model, found.alerts, judged, closing, mistakes)
            _write_summary(self.summary, text)


def _write_summary(path: Path, text: str) -> None:
    """Write a summary; the one of a GitHub job is appended to, as its other steps do."""
    shared = os.environ.get(STEP_SUMMARY)
    if not shared or path.absolute() != Path(shared).absolute():
        write_whole(path, text.encode(), "--summary")
        say(f"wrote {path}")
        return
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise CommandError(f"--summary {path}: cannot be written: {error.strerror}") from None
    say(f"appended to {path}")
