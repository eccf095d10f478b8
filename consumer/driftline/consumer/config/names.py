"""The closed sets of names that a configuration uses, and the nearest name to a slip."""

from __future__ import annotations

from collections.abc import Iterable

from driftline.producer.records.names import is_legal, nearest

OUTPUT_TOPICS = ("alerts", "verdicts", "panes", "joins", "state", "dead-letter")
"""Each is `<output.prefix>.<name>`."""

SKETCH, JOIN, JUDGE = "sketch", "join", "judge"
STAGES = (SKETCH, JOIN, JUDGE)
"""What a worker runs, in the order in which data flows."""


def check_name(name: str, what: str) -> str:
    """Return `name` if Kafka would take it as a topic.

    Models follow the same rule: their names are parts of streams, record keys and URLs.

    Args:
        name: the name of a topic or model.
        what: the word for it in the error, such as `topic`.

    Raises:
        ValueError: the name is not legal.

    >>> check_name("car-loan", "model")
    'car-loan'
    """
    if is_legal(name):
        return name
    raise ValueError(
        f"not a legal {what} name: use 1 to 249 letters, digits, dots, underscores and hyphens"
    )


def hint(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the nearest known one, or all of them.

    >>> hint("windows", ["budget", "window"])
    'did you mean window?'
    >>> hint("foo", ["budget", "window"])
    'known are budget, window'
    """
    known = list(known)
    others = f"known are {', '.join(known)}" if known else "there are none"
    return nearest(name, known) or others
