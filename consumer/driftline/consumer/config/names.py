"""The closed sets of names that a configuration uses, and the nearest name to a slip."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from driftline.detectors.outcomes import metrics
from driftline.detectors.registry import DETECTORS
from driftline.producer.records.names import is_legal, nearest

METRICS = tuple(metrics.METRICS)

OUTPUT_TOPICS = ("alerts", "verdicts", "panes", "joins", "state", "dead-letter")
"""Each is `<output.prefix>.<name>`."""

if TYPE_CHECKING:
    DetectorName = str
    Metric = str
else:
    DetectorName = Literal[tuple(DETECTORS)]
    Metric = Literal[METRICS]


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


def metric_hint(name: str) -> str:
    """Return the end of a sentence about an unknown metric.

    >>> metric_hint("auc"), metric_hint("ROC-AUC"), metric_hint("estimated_accuracy")
    ('did you mean roc_auc?', 'did you mean roc_auc?', 'estimates share the limit of accuracy')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    for metric in METRICS:
        if plain == f"estimated_{metric}":
            return f"estimates share the limit of {metric}"
    aliases = {alias: each.name for each in metrics.METRICS.values() for alias in each.aliases}
    plain = aliases.get(plain, plain)
    return f"did you mean {plain}?" if plain in METRICS else hint(name, METRICS)


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
