"""The closed sets of names that a configuration uses, and the nearest name to a slip."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Literal, get_args

Detector = Literal[
    "ks",
    "psi",
    "chi_square",
    "jensen_shannon",
    "wasserstein",
    "missing",
    "invalid",
    "unseen",
    "out_of_range",
]
Metric = Literal[
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "calibration_error",
    "mae",
    "rmse",
    "r2",
    "bias",
]
FeatureType = Literal["numeric", "categorical", "boolean"]

DETECTORS: tuple[Detector, ...] = get_args(Detector)
METRICS: tuple[Metric, ...] = get_args(Metric)
RATES: frozenset[Detector] = frozenset({"missing", "invalid", "unseen", "out_of_range"})
"""Detectors whose value is a share of the events; written in % in sentences."""

OUTPUT_TOPICS = ("alerts", "verdicts", "panes", "joins", "state", "dead-letter")
"""Each is `<output.prefix>.<name>`."""

_LEGAL = re.compile(r"[a-zA-Z0-9._-]{1,249}")


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
    if _LEGAL.fullmatch(name) and name not in (".", ".."):
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
    nearest = difflib.get_close_matches(name, known, n=1)
    if nearest:
        return f"did you mean {nearest[0]}?"
    return f"known are {', '.join(known)}" if known else "there are none"
