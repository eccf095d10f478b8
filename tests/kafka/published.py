"""What a deployment has published, and how to wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from tests.kafka.reader import Grown, Identity, TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker

from driftline.consumer.wire.records import Alert, Verdict


@dataclass(frozen=True)
class Published:
    """All verdicts and alerts of a run: by identity, the bytes."""

    verdicts: dict[Identity, bytes]
    alerts: dict[Identity, bytes]

    @classmethod
    def of(cls, outputs: Iterable[Verdict | Alert]) -> Self:
        """Return what the outputs of a judge would be as records."""
        found = [(isinstance(output, Verdict), msgspec.json.encode(output)) for output in outputs]
        return cls(
            by_identity(value for is_verdict, value in found if is_verdict),
            by_identity(value for is_verdict, value in found if not is_verdict),
        )

    def alert_records(self) -> list[dict[str, Any]]:
        """Return the alerts' records."""
        return [msgspec.json.decode(value, type=dict[str, Any]) for value in self.alerts.values()]

    def verdict_records(self) -> list[dict[str, Any]]:
        """Return the verdicts' records."""
        return [msgspec.json.decode(value, type=dict[str, Any]) for value in self.verdicts.values()]


def finish(
    bootstrap: str,
    topics: Sequence[str],
    prefix: str,
    workers: Sequence[Worker],
    expected: Published,
    seconds: float = 60.0,
) -> Published:
    """Stop the workers when all is read and judged, each within `seconds`; return what came."""
    with ExitStack() as opened:
        inputs = [opened.enter_context(TopicReader(bootstrap, t, prefix)) for t in topics]
        verdicts = opened.enter_context(TopicReader(bootstrap, f"{prefix}.verdicts"))
        alerts = opened.enter_context(TopicReader(bootstrap, f"{prefix}.alerts"))
        for topic in inputs:
            wait_until(topic.all_consumed, "every record read, and recorded as read", seconds)
        many = len(expected.verdicts)
        wait_until(Grown(verdicts, many), f"{many} verdicts", seconds)
        for worker in workers:
            assert worker.stop() < 5
        found = alerts.read()
        published = Published(
            by_identity(record.value for record in verdicts.read()),
            by_identity(record.value for record in found),
        )
        assert len(published.alerts) == len(found), "an alert was published twice"
        return published


def same(found: Published, expected: Published) -> None:
    """Both hold the same records, byte for byte."""
    for some, others in (
        (found.alerts, expected.alerts),
        (found.verdicts, expected.verdicts),
    ):
        assert some.keys() == others.keys()
        different = [(some[key], others[key]) for key in some if some[key] != others[key]]
        assert not different, different[0]
