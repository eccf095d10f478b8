"""The table of sinks: where alerts can be sent, and what each is.

What sends stands in the file of a sink's name beside this one:

* `send(subscriber, target, stop, *, follow)` hands on what a subscriber brings to a URL, or to a
  command, until `stop` is set; without `follow` until all that is there has been handed on. It
  returns `Counts`.

The verbs of `driftline alerts`, their help and the docs read the table. It loads nothing of what
sends. A new sink that has a URL is its file and a line here; what is to be said once for each
record is handed on by `webhook.post_each`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from driftline.consumer.deliver.dispatcher import Counts


@dataclass(frozen=True)
class Sink:
    """One sink.

    Attributes:
        name: of its file; of one with a URL also what `--format` says.
        target: what it is given, and so its verb: a `command` that `exec` runs, or a `url`.
        receiver: who gets the alerts, in a sentence.
        gets: what the receiver gets, a sentence.
        done: what was done with an alert that was handed on.
        resumes: whether it goes on where it stopped; else it begins with all that fires.
    """

    name: str
    target: Literal["command", "url"]
    receiver: str
    gets: str
    done: str
    resumes: bool = True

    @property
    def send(self) -> Callable[..., Counts]:
        """What sends; it is imported now."""
        send: Callable[..., Counts] = import_module(f"{__package__}.{self.name}").send
        return send


SINKS = [
    Sink(
        "command", "command", "a command",
        "A command is run for each record, with its JSON on standard input.", "done",
    ),
    Sink(
        "alertmanager", "url", "an Alertmanager",
        "An Alertmanager (URL ending in /api/v2/alerts) is told again every minute what fires.",
        "posted", resumes=False,
    ),
    Sink(
        "slack", "url", "a chat",
        "Slack, Mattermost, Rocket.Chat and Zulip get a message for each record.", "posted",
    ),
]  # fmt: skip


def sinks_of(target: Literal["command", "url"]) -> dict[str, Sink]:
    """Return the sinks with such a target by their names, the usual one first.

    >>> list(sinks_of("url")), sinks_of("command")["command"].receiver
    (['alertmanager', 'slack'], 'a command')
    """
    return {sink.name: sink for sink in SINKS if sink.target == target}
