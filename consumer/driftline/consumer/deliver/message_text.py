"""The words of a message about an incident, for people: a title, lines, and links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftline.consumer.deliver.incidents import Update
from driftline.consumer.wire.kinds import SEVERITIES
from driftline.consumer.wire.records import Alert

_MOST = 10  # alerts that a message has sentences of


@dataclass(frozen=True)
class Text:
    """A message: `links` are names with their URLs."""

    title: str
    lines: Sequence[str]
    links: Mapping[str, str]

    @property
    def body(self) -> str:
        """All but the title, as plain text."""
        return "\n".join([*self.lines, *(f"{name}: {url}" for name, url in self.links.items())])


def severity(update: Update) -> str:
    """Return the worst severity of what fires, or of what is over where nothing does."""
    alerts = update.firing or update.changed
    return max((alert.severity for alert in alerts), key=SEVERITIES.index)


def message_text(update: Update) -> Text:
    """Return an update in words.

    The title has the model, whether it fires, how bad, and how many alerts do; the lines have the
    sentences of the alerts of which something is new, the owner and the incident. The links are of
    the worst of these alerts: its page, if the configuration names one, and the runbook.
    """
    many = len(update.firing)
    # A subject of a mail is one line.
    model = "".join(char if char.isprintable() else "?" for char in update.model)
    title = f"{model}: RESOLVED"
    if not update.over:
        title = f"{model}: FIRING {severity(update)}"
        if many > 1 or not update.first:
            now = "" if update.first else "now "
            title += f", {now}{many} {'alert' if many == 1 else 'alerts'}"
    sentences = [
        *(_line("" if update.first else "new: ", alert) for alert in update.began),
        *(_line(f"now {alert.severity}: ", alert) for alert in update.rose),
        *(_line("still fires: ", alert) for alert in update.again),
        *(_line("" if update.over else "over: ", alert) for alert in update.ended),
    ]
    lines = sentences[:_MOST]
    if len(sentences) > _MOST:
        lines.append(f"and {len(sentences) - _MOST} more")
    worst = update.changed[0]
    if worst.owner is not None:
        lines.append(f"owner {worst.owner}")
    lines.append(f"incident {update.incident_id}")
    links = dict(worst.links or {})
    if worst.runbook is not None:
        links["runbook"] = worst.runbook
    return Text(title, lines, links)


def _line(before: str, alert: Alert) -> str:
    return f"{before}{alert.summary}"
