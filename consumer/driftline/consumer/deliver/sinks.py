"""The table of sinks: where alerts can be sent, and what each is.

What sends to a URL stands in the file of a sink's name beside this one:

* `open_target(url, access)` returns a `target.Target`, which gets the updates of incidents; what
  sends one message for each is a `MessageTarget`.

The scheme of a URL chooses the sink. The verbs of `driftline alerts`, their help and the docs read
the table. It loads nothing of what sends. A new sink is its file and a line here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from driftline.consumer.deliver.errors import AlertsError

if TYPE_CHECKING:
    from driftline.consumer.deliver.target import Access, Target


@dataclass(frozen=True)
class Sink:
    """One sink.

    Attributes:
        name: of its file.
        schemes: of its URLs, of which all up to a `+` only chooses it. Without any it takes the
            schemes that no other has.
        receiver: who gets the alerts, in a sentence.
        gets: what the receiver gets, a sentence.
        example: a URL.
    """

    name: str
    schemes: tuple[str, ...]
    receiver: str
    gets: str
    example: str

    def open(self, url: str, access: Access) -> Target:
        """Return what sends to a URL; the code that does is imported now.

        Raises:
            AlertsError: nothing can be sent to it.
        """
        scheme = url.partition("://")[0].lower()
        if scheme in self.schemes:
            url = url[scheme.find("+") + 1 :]
        made: Target = import_module(f"{__package__}.{self.name}").open_target(url, access)
        return made


def _ours(name: str) -> tuple[str, ...]:
    """Return a sink's own schemes over HTTP."""
    return f"{name}+http", f"{name}+https"


SINKS = [
    Sink(
        "record", ("http", "https"), "a webhook",
        "Each record, as it was published, as JSON with the headers of CloudEvents.",
        "https://hooks.example/driftline",
    ),
    Sink(
        "alertmanager", _ours("alertmanager"), "an Alertmanager",
        "All that fires, again every minute (URL ending in /api/v2/alerts).",
        "alertmanager+http://localhost:9093/api/v2/alerts",
    ),
    Sink(
        "slack", _ours("slack"), "a chat",
        "A message for each incident, and updates, in the form that webhooks of Slack,"
        " Mattermost, Rocket.Chat and Zulip take.",
        "slack+https://hooks.slack.com/services/T0/B0/XXXX",
    ),
    Sink(
        "apprise", (), "a service that apprise knows",
        "A message for each incident, and updates: Slack, Teams, PagerDuty, Opsgenie, mail and"
        " over 100 more, by the extra `notify`.",
        "mailtos://user:password@example.org",
    ),
]  # fmt: skip


def sink_of(url: str) -> Sink:
    """Return the sink that the scheme of a URL chooses.

    Raises:
        AlertsError: it has no scheme.

    >>> [sink_of(url).name for url in ("https://a", "alertmanager+http://b", "pagerduty://k")]
    ['record', 'alertmanager', 'apprise']
    """
    scheme, colon, _ = url.partition("://")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        schemes = ", ".join(f"{sink.schemes[-1]}://" for sink in SINKS if sink.schemes)
        raise AlertsError(
            f"a target is a URL, and its scheme says what it is: {schemes}, or one that apprise"
            " knows, such as mailto://"
        )
    usual = next(sink for sink in SINKS if not sink.schemes)
    return next((sink for sink in SINKS if scheme.lower() in sink.schemes), usual)
