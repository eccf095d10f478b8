"""Keep an Alertmanager informed: what fires, again and again, as Prometheus does.

Alertmanager forgets an alert that nobody repeats; so what fires is posted at every change and every
`resend` seconds, each time with an end a few `resend` ahead, and what has ended once, with its end.
What fires is known from the topic at every start, so nothing needs to be remembered: what ended in
between simply is not repeated. https://prometheus.io/docs/alerting/latest/alerts_api/ (v2).
"""

from __future__ import annotations

import logging
from typing import Any

from driftline.consumer.deliver.dispatcher import Attempts
from driftline.consumer.deliver.errors import DeliveryError
from driftline.consumer.deliver.target import Access, Target
from driftline.consumer.deliver.webhook import Post, Webhook
from driftline.consumer.wire.kinds import KINDS
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time, parse_timestamp

logger = logging.getLogger(__name__)

RESEND = 60.0  # seconds, Prometheus' own
_VALID = 4  # times `resend` until an alert that is not repeated ends
_BATCH = 64  # alerts a request, as Prometheus sends them


def labels(alert: Alert) -> dict[str, str]:
    """Return what identifies an alert to Alertmanager, and what routes and groups it.

    `incident_id` is there for `group_by`: one notification for all that changed together. An
    alert on several features has its id: two of one incident would be one to Alertmanager.
    """
    named = {
        "alertname": KINDS[alert.kind].alertname,
        "severity": alert.severity,
        "model": alert.model,
        "segment": alert.segment,
        "feature": alert.feature,
        "kind": alert.kind,
        "owner": alert.owner,
        "incident_id": alert.incident_id,
        "alert_id": alert.alert_id if alert.features else None,
    }
    return {name: value for name, value in named.items() if value}


def alertmanager_alert(alert: Alert, ends: int) -> dict[str, Any]:
    """Return one alert as `/api/v2/alerts` takes it.

    Args:
        alert: its newest record.
        ends: ms since 1970: when it ended, or when it is to end unless repeated.
    """
    annotations = {
        "summary": alert.summary,
        "description": f"rule {alert.rule}; alert {alert.alert_id}, revision {alert.revision}",
        "runbook_url": alert.runbook,
        **{f"{name}_url": url for name, url in (alert.links or {}).items()},
    }
    start = parse_timestamp(alert.since)
    return {
        "labels": labels(alert),
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": alert.since,
        # An event's clock may be ahead of this one; an end before the start is refused.
        "endsAt": format_time(max(ends, start) if start is not None else ends),
    }


class Alertmanager(Target):
    """What fires and what has ended since the last success; posts it.

    Marks hold nothing back from it: it has silences of its own.

    Args:
        name: who it is, for messages.
        post: posts a list of alerts; raises `DeliveryError`.
        resend: seconds after which what fires is posted again.
        attempts: how the pause grows while posting fails; there is no last attempt.
    """

    def __init__(
        self, name: str, post: Post, resend: float = RESEND, attempts: Attempts | None = None
    ) -> None:
        super().__init__(name)
        self._post = post
        self._resend = resend
        self._attempts = attempts or Attempts()
        self._firing: dict[str, Alert] = {}
        self._ended: list[tuple[Alert, int]] = []
        self._due = 0.0  # seconds since 1970
        self._failed = 0

    def take(self, alert: Alert, now: float) -> None:
        """Take note of a record, at `now` (seconds since 1970)."""
        before = self._firing.pop(alert.alert_id, None)
        present = int(now * 1000)
        if before is not None and labels(before) != labels(alert):
            # With another severity it is another alert to Alertmanager; the old one has ended.
            self._ended.append((before, present))
        if alert.status == "firing":
            self._firing[alert.alert_id] = alert
        else:
            until = parse_timestamp(alert.until)
            self._ended.append((alert, present if until is None else min(until, present)))
        if not self._failed:
            self._due = now

    def step(self, now: float) -> None:
        """Post what is due at `now` (seconds since 1970)."""
        if now < self._due or not (self._firing or self._ended):
            return
        ends = int((now + _VALID * self._resend) * 1000)
        body = [alertmanager_alert(alert, ends) for alert in self._firing.values()]
        body += [alertmanager_alert(alert, end) for alert, end in self._ended]
        try:
            for first in range(0, len(body), _BATCH):
                self._post(body[first : first + _BATCH])
        except DeliveryError as error:
            if not self._failed:
                logger.error("alerts are not posted, trying on: %s", error)
            self._failed += 1
            self.counts.retried += 1
            self._due = now + self._attempts.pause(self._failed)
            return
        self._failed = 0
        self.counts.delivered += 1
        self._ended.clear()
        self._due = now + self._resend


def open_target(url: str, access: Access) -> Alertmanager:
    """Return what keeps an Alertmanager informed, by its `/api/v2/alerts`.

    Raises:
        AlertsError: not a URL.
    """
    webhook = Webhook(url, access.headers)
    return Alertmanager(webhook.host, webhook)
