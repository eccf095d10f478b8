"""Rows as columns that a classifier reads: numbers, and categories as codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftline.consumer.offline.rows.event_row import EventRow
from driftline.detectors.derivations import Derivation
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.category import category_text
from driftline.producer.records.derived_values import raw_values
from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.records.timestamp import is_written
from driftline.producer.records.values import ABSENT

MOST_CATEGORIES = 100
_SCORE, _LABEL = PREDICTION_FEATURES
_TIMES, _SAMPLE = 0.95, 200
_NAMES = 0.9  # share of distinct texts from which on a column names the rows
_RUNS = 0.99  # rank correlation with time from which on a column says when a row was
_BEYOND = float(np.finfo(np.float32).max)  # stands for what is no number among numbers
_BINS = 20


@dataclass(frozen=True, eq=False)
class Column:
    """One column of n rows.

    Attributes:
        name: of the feature, the prediction or the tag.
        is_tag: whether it is a tag.
        numbers: float64 (n,), NaN where there is no value; None of categories.
        codes: int64 (n,): of categories the place in `names`, of numbers the bin; the last of each
            stands for no value.
        names: of the categories, the most frequent first, then the others together; of numbers
            the upper ends of the bins, as text.
    """

    name: str
    is_tag: bool
    numbers: FloatArray | None
    codes: IntArray
    names: tuple[str, ...]

    @property
    def missing(self) -> int:
        """The code of no value."""
        return len(self.names)

    @property
    def values(self) -> FloatArray:
        """The column as the classifier reads it, NaN where there is no value."""
        if self.numbers is not None:
            return self.numbers
        return np.where(self.codes == self.missing, np.nan, self.codes)


@dataclass(frozen=True)
class LeftOut:
    """A column that would tell when a row was, not what is different.

    Attributes:
        name: its name.
        why: in words.
    """

    name: str
    why: str


def _nothing(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Watched:
    """Which features are compared.

    Attributes:
        ignored: tells those that are not.
        derived: how features are made of vectors and texts, which themselves are not compared.
    """

    ignored: Callable[[str], bool] = _nothing
    derived: Sequence[Derivation] = ()


EVERYTHING = Watched()


def columns_of(
    rows: Sequence[EventRow], watched: Watched = EVERYTHING
) -> tuple[list[Column], list[LeftOut]]:
    """Return the columns of rows, and those that are left out.

    Args:
        rows: of both sides together.
        watched: which features.

    >>> rows = [EventRow(t, t, "", None, {"km": t % 7}, None, None, None, {}) for t in range(50)]
    >>> [column.name for column in columns_of(rows)[0]]
    ['km']
    """
    found: list[Column] = []
    left: list[LeftOut] = []
    time = np.array([row.place if row.time is None else row.time for row in rows], np.int64)
    for name, is_tag, values in _values(rows, watched):
        why = _why_left_out(values, time)
        if why is None:
            found.append(_column(name, is_tag, values))
        elif why:
            left.append(LeftOut(name, why))
    return found, left


def _values(rows: Sequence[EventRow], watched: Watched) -> Iterable[tuple[str, bool, list[Any]]]:
    sources = {each.source: each for each in watched.derived}
    features = dict.fromkeys(name for row in rows for name in row.features)
    for name in features:
        values = [row.features.get(name) for row in rows]
        found = {name: values} if name not in sources else _derived(sources[name], values)
        for each, own in found.items():
            if not watched.ignored(each):
                yield each, False, own
    yield _SCORE, False, [row.score for row in rows]
    yield _LABEL, False, [row.label for row in rows]
    for name in dict.fromkeys(name for row in rows for name in row.tags):
        yield name, True, [row.tags.get(name) for row in rows]


def _derived(derivation: Derivation, values: list[Any]) -> dict[str, list[Any]]:
    """Return the features that are derived of a field, by name; of what it cannot use, none."""
    found = raw_values(derivation, values)
    usable = np.isfinite(found) & (found != ABSENT)
    columns: dict[str, list[Any]] = {}
    for part, name in enumerate(derivation.features):
        names = derivation.categories(part)
        columns[name] = [
            None if not known else names[int(value)] if names else value
            for value, known in zip(found[part].tolist(), usable[part].tolist(), strict=True)
        ]
    return columns


def _why_left_out(values: list[Any], time: IntArray) -> str | None:
    """Return why a column is left out, empty if nobody would ask; None if it is not."""
    known = [value for value in values if value is not None]
    texts = [value for value in known if isinstance(value, str)]
    if not known:
        return ""
    if isinstance(known[0], list | dict):
        return "lists and objects are not compared"
    if len(known) == len(values) and len(set(map(str, known))) == 1:
        return ""  # a constant
    if len(texts) == len(known):
        if sum(map(is_written, texts[:_SAMPLE])) >= _TIMES * len(texts[:_SAMPLE]):
            return "it holds times"
        if len(set(texts)) > _NAMES * len(texts):
            return "nearly every row has another text"
        return None
    numbers = np.array([_number(value) for value in values])
    usable = np.isfinite(numbers)
    if usable.sum() > 2 and len(np.unique(numbers[usable])) > _NAMES * usable.sum():
        places = _order(numbers[usable]), _order(time[usable].astype(np.float64))
        if abs(float(np.corrcoef(*places)[0, 1])) > _RUNS:
            return "it runs with the time"
    return None


def _order(values: FloatArray) -> FloatArray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)


def _number(value: Any) -> float:
    """Return a value as a number, NaN where there is none."""
    if value is None:
        return np.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        return number if np.isnan(number) else float(np.clip(number, -_BEYOND / 2, _BEYOND / 2))
    return _BEYOND


def _column(name: str, is_tag: bool, values: list[Any]) -> Column:
    kinds = Counter(type(value) in (int, float) for value in values if value is not None)
    if not is_tag and name != _LABEL and kinds[True] > kinds[False]:
        numbers = np.array([_number(value) for value in values])
        edges = _edges(numbers)
        codes = np.searchsorted(edges, numbers, "left")
        names = (*(f"{edge:g}" for edge in edges), "above")
        return Column(name, is_tag, numbers, np.where(np.isnan(numbers), len(names), codes), names)
    texts = [category_text(value) for value in values]
    counts = Counter(text for text in texts if text is not None)
    names = tuple(text for text, _ in counts.most_common(MOST_CATEGORIES))
    places = {text: place for place, text in enumerate(names)}
    if len(counts) > len(names):
        names = (*names, "others")
    rest = len(names)
    codes = np.array(
        [rest if text is None else places.get(text, rest - 1) for text in texts], np.int64
    )
    return Column(name, is_tag, None, codes, names)


def _edges(numbers: FloatArray) -> FloatArray:
    known = numbers[~np.isnan(numbers)]
    wanted = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges: FloatArray = np.unique(np.quantile(known, wanted, method="inverted_cdf"))
    return edges
