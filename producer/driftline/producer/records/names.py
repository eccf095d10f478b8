"""What a feature, a tag and a model may be called: the one table, and the one place that checks it.

Any text is a name, with quotes, dots, blanks, line breaks and whatever else, but for what stands
here. A name is read as it is written: `Amount` and `amount`, `a` and `a ` are two.

| name | may not | because |
|---|---|---|
| of a feature or tag | be empty | alerts on the whole model have the empty feature |
| | have more than 1,000 characters | it stands in every verdict and alert |
| | hold half a surrogate pair | it is no Unicode text: JSON cannot carry it |
| of a feature | be `prediction.score`, `prediction.label`, `actual.score`, `actual.label` | \
these are the outcome's |
| | begin with `performance.` | these are the metrics' |
| of a tag | hold `=` | a segment is called `tag=value` |
| of a model, topic, comparison | be anything but 1 to 249 ASCII letters, digits, `.`, `_`, `-` | \
it is part of streams, record keys and URLs |

A tag's value may be anything; `__other__` is what the values that are not listed are called, so it
is never listed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from itertools import islice

PREDICTION_FEATURES = ("prediction.score", "prediction.label")
"""What is predicted is watched as features, of these names."""

_OUTCOME = frozenset({*PREDICTION_FEATURES, "actual.score", "actual.label"})
METRIC_PREFIX = "performance."
"""The names of metrics begin so where features' names stand."""
_LONGEST = 1_000
_MOST_LISTED = 20
_LEGAL = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def listed(names: Collection[str]) -> str:
    """Return the first names of fields as a sentence lists them.

    >>> listed(["a", "b"]), listed([str(n) for n in range(50)])[-18:]
    ('a, b', '18, 19 and 30 more')
    """
    more = f" and {len(names) - _MOST_LISTED:,} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(islice(names, _MOST_LISTED)) + more


def is_metric(name: str) -> bool:
    """Return whether a name, where features' names stand, is that of a metric.

    >>> is_metric("performance.accuracy"), is_metric("performance")
    (True, False)
    """
    return name.startswith(METRIC_PREFIX)


def feature_problem(name: str) -> str:
    """Return why no input of a model can have this name, with what to do; empty if one can.

    >>> feature_problem('rating ("1-5")')
    ''
    >>> feature_problem("prediction.score")  # doctest: +NORMALIZE_WHITESPACE
    "the feature 'prediction.score' has the name of a prediction: rename it, map it with
     sources.<topic>.fields, or list it in ignore"
    """
    why = _text_problem(name)
    if name in _OUTCOME:
        why = f"has the name of {'a prediction' if name in PREDICTION_FEATURES else 'the truth'}"
    elif is_metric(name):
        why = f"begins with {METRIC_PREFIX}, as the names of metrics do"
    if not why:
        return ""
    return (
        f"the feature {_shown(name)} {why}: rename it, map it with sources.<topic>.fields, or list"
        " it in ignore"
    )


def tag_problem(name: str) -> str:
    """Return why no segments can be made of a tag of this name; empty if they can.

    >>> tag_problem("a=b")
    "the tag 'a=b' holds =, and a segment is called tag=value: rename it, or map it with \
sources.<topic>.fields"
    """
    why = _text_problem(name)
    if "=" in name:
        why = "holds =, and a segment is called tag=value"
    if not why:
        return ""
    return f"the tag {_shown(name)} {why}: rename it, or map it with sources.<topic>.fields"


def is_legal(name: str) -> bool:
    """Return whether a model, a topic or a comparison can have this name, as Kafka has it.

    >>> is_legal("car-loan"), is_legal("car loan"), is_legal("..")
    (True, False, False)
    """
    return _LEGAL.fullmatch(name) is not None and name not in (".", "..")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that a slip was meant to be, as a question; empty if none is near.

    >>> nearest("windows", ["budget", "window"]), nearest("foo", ["budget", "window"])
    ('did you mean window?', '')
    """
    near = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]}?" if near else ""


def _text_problem(name: str) -> str:
    if not name:
        return "has no name"
    if len(name) > _LONGEST:
        return f"has {len(name):,} characters in its name, at most {_LONGEST:,} are read"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "holds half a surrogate pair, which is no text"
    return ""


def _shown(name: str) -> str:
    """Return a name as it stands in a sentence: on one line, and not too long."""
    return ascii(name) if not name.isprintable() else repr(name if len(name) <= 60 else name[:60])
