"""Guess how the records of a file map to events, from names and sample values.

A guess is shown before it is used: every decision is a sentence in `Guess.said`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError
from driftline.producer.records.category import category_text
from driftline.producer.records.event_fields import ALIASES, split_outcome
from driftline.producer.records.mapping import WILDCARD, DateAndClock, Mapping, Source, quote_name
from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.records.table import ABSENT
from driftline.producer.records.time_form import AUTO, GUESSED, GivenTimes, TimeForm
from driftline.producer.records.time_text import EPOCH
from driftline.producer.records.timestamp import join_clock
from driftline.producer.reference.events import field_of
from driftline.producer.reference.guess_time import are_clocks, describe, infer_times
from driftline.producer.reference.look import Look

_TIMESTAMP = (
    "timestamp event_timestamp event_time time ts datetime date_time date created_at created"
    " occurred_at recorded_at prediction_time prediction_timestamp request_time scored_at"
)
_EVENT_ID = "event_id id prediction_id request_id uuid guid inference_id transaction_id"
_SCORE = (
    "prediction_score score y_pred_proba y_score y_prob y_proba probability predicted_probability"
    " proba prob prediction y_pred predicted y_hat"
)
_LABEL = "prediction_label predicted_label predicted_class y_pred prediction predicted y_hat label"
_ACTUAL = "actual target y_true ground_truth true_label actual_label label"
_VERSION = "model_version modelversion version_of_model"
_PREDICTED = re.compile(r"(?:predicted|prediction|predict|pred|y_pred|y_hat|yhat)_(?P<of>\w+)")
_TRUE = re.compile(r"(?:actual|true|y_true|observed|ground_truth)_(?P<of>\w+)")
_PERHAPS = re.compile(r"(?:.*_)?(?:actual|truth|target|outcome|observed|labels?)(?:_.*)?|y")
_MOST_CLASSES = 20
_SURELY = 0.5  # share of times from which on a column is meant to hold them
_MOST_LISTED = 20
_NATIVE_OBJECTS = ("features", "prediction", *ALIASES["features"], *ALIASES["prediction"])


@dataclass(frozen=True)
class Guess:
    """What was guessed.

    Attributes:
        mapping: the mapping.
        features: the remaining columns and the types that the sample suggests.
        said: one sentence per decision, such as `timestamp: column ts (text, read as UTC)`.
        perhaps_actual: columns that may hold the ground truth, where none is taken for it.
        no_time: a sentence on why no column is the timestamp; empty where one is.
        unclear: a column surely holds times, but how they are written is not known.
    """

    mapping: Mapping
    features: dict[str, FeatureType]
    said: tuple[str, ...]
    perhaps_actual: tuple[str, ...] = ()
    no_time: str = ""
    unclear: bool = False


def guess_mapping(
    columns: Sequence[str],
    rows: Sequence[AnyMapping[str, Any]],
    actual: str | None = None,
    given: GivenTimes = GUESSED,
    whole: Callable[[Sequence[str]], Sequence[Any]] | None = None,
) -> Guess:
    """Guess the mapping of records.

    Args:
        columns: top-level fields, in their order.
        rows: sample records, some hundred are enough.
        actual: a column that is known to be the ground truth; None to guess it too.
        given: what is known of the times.
        whole: returns the values of a column in all records, or of two as one (`join_clock`); asked
            where the sample does not tell which number is the day and which the month.

    Returns:
        The native mapping if the records are events already; else one that names what was found
        and takes every other column as a feature.

    Raises:
        InputError: the columns that are given as the time are none, or hold none.

    >>> rows = [{"ts": "2019-03-27 00:00:00", "score": 0.5, "km": 12}]
    >>> guess_mapping(["ts", "score", "km"], rows).said
    ('timestamp: column ts (text, read as UTC)', 'prediction.score: column score', \
'features: km (numeric)')
    """
    sample = _Sample(rows, [name for name in columns if name != actual])
    if any(isinstance(row.get(name), dict) for row in rows for name in _NATIVE_OBJECTS):
        return _native(rows)
    fields: dict[str, Source] = {}
    said = []
    time = _find_time(sample, given, whole)
    if time.source is not None:
        fields["timestamp"] = time.source
        said.append(f"timestamp: {time.shown}")
    for field, names, fits in (
        ("event_id", _EVENT_ID, sample.is_id),
        ("prediction.score", _SCORE, sample.is_score),
        ("prediction.label", _LABEL, sample.is_label),
        ("actual", _ACTUAL, sample.has_values),
        ("model_version", _VERSION, sample.has_values),
    ):
        if field == "actual" and actual is not None:
            fields[field] = quote_name(actual)
            continue
        predicted = not fields.keys().isdisjoint(PREDICTION_FEATURES)
        if field == "prediction.label" and predicted:
            names = names.removesuffix(" label")  # beside a score, `label` is the ground truth
        column = sample.take(names.split(), fits)
        if column is None and field in PREDICTION_FEATURES and not predicted:
            column = sample.take_only(_PREDICTED, fits)
        if column is None and field == "actual":
            column = sample.take_partner(_plain_names(fields))
        if column is not None:
            fields[field] = quote_name(column)
            said.append(f"{field}: column {column}")
    perhaps = () if "actual" in fields else sample.perhaps_actual(_plain_names(fields))
    fields["features"] = WILDCARD
    features = sample.types()
    listed = ", ".join(f"{name} ({kind})" for name, kind in islice(features.items(), _MOST_LISTED))
    if len(features) > _MOST_LISTED:
        listed += f" and {len(features) - _MOST_LISTED:,} more"
    said.append(f"features: {listed or 'none'}")
    return Guess(
        Mapping(fields, time.form), features, tuple(said), perhaps, time.problem, time.unclear
    )


@dataclass(frozen=True)
class _Time:
    """Where the time is: in no column, in one, or in two."""

    source: str | DateAndClock | None
    form: TimeForm
    shown: str = ""
    problem: str = ""
    unclear: bool = False


def _find_time(
    sample: _Sample, given: GivenTimes, whole: Callable[[Sequence[str]], Sequence[Any]] | None
) -> _Time:
    """Find the column of the times, and take it."""
    nearest: tuple[float, str] = (0.0, "")

    def read(columns: Sequence[str]) -> _Time | None:
        nonlocal nearest
        values = sample.joined(columns)
        found = infer_times(values, given.form)
        if found.open and whole is not None:
            found = infer_times(whole(columns), given.form)
        named = f"column {columns[0]}" if len(columns) == 1 else f"columns {' and '.join(columns)}"
        if found.form is None:
            nearest = max(nearest, (found.share, f"{named} {found.problem}"), key=itemgetter(0))
            return None
        for column in columns:
            sample.free.remove(column)
        paths = [quote_name(column) for column in columns]
        source = paths[0] if len(paths) == 1 else DateAndClock(*paths)
        return _Time(source, found.form, f"{named} ({describe(found.form, values[0])})")

    if given.columns:
        for column in given.columns:
            if column not in sample.free:
                known = ", ".join(sample.free)
                raise InputError(f"--timestamp {column}: there is no such column, but {known}")
        time = read(given.columns)
        if time is None:
            named = ",".join(given.columns)
            problem = infer_times(sample.joined(given.columns), given.form).problem
            raise InputError(f"--timestamp {named}: {nearest[1] or f'it {problem}'}")
        return time
    free = {_plain(name): name for name in reversed(sample.free)}
    likely = [free[name] for name in _TIMESTAMP.split() if name in free]
    texts = [name for name in sample.free if name not in likely and sample.is_text(name)]
    for column in (*likely, *texts):
        if not sample.values(column):
            continue
        clock = sample.clock_of(column)
        time = (read((column, clock)) if clock is not None else None) or read((column,))
        if time is not None:
            return time
    unclear = nearest[0] >= _SURELY
    problem = nearest[1] if unclear else ""
    if not problem and likely and sample.values(likely[0]):
        problem = f"column {likely[0]} {infer_times(sample.values(likely[0])).problem}"
    return _Time(None, AUTO, problem=problem, unclear=unclear)


def guess_truth(rows: Sequence[AnyMapping[str, Any]], predictions: Sequence[Any]) -> str | None:
    """Guess which column of a file of labels holds the ground truth; None where it is not clear.

    It is the one of a name that ground truth has, or with the classes of the predictions, or the
    only one that is neither an id nor a time.

    Args:
        rows: sample records of labels.
        predictions: sample predictions, as events have them.

    >>> guess_truth([{"id": 1, "repaid": 1}, {"id": 2, "repaid": 0}], [0, 1])
    'repaid'
    """
    sample = _Sample(rows, list(dict.fromkeys(name for row in rows for name in row)))
    found = sample.take(_ACTUAL.split(), sample.has_values)
    if found is not None:
        return found
    sample.take(_EVENT_ID.split(), sample.is_id)
    sample.take(_TIMESTAMP.split(), lambda values: infer_times(values).form is not None)
    answers = [answer for each in predictions for answer in split_outcome(each).values()]
    classes = set(map(category_text, answers)) - {None}
    by_name = [name for name in sample.free if _PERHAPS.fullmatch(_plain(name))]
    by_class = [
        name
        for name in sample.free
        if (known := set(map(category_text, sample.values(name)))) and known <= classes
    ]
    free = [name for name in sample.free if not _are_times(sample, name)]
    return next((names[0] for names in (by_name, by_class, free) if len(names) == 1), None)


def _are_times(sample: _Sample, name: str) -> bool:
    return sample.is_text(name) and infer_times(sample.values(name)).form is not None


def id_names(columns: Sequence[str]) -> list[str]:
    """Return the columns in the order in which they may hold ids: first those of such a name.

    >>> id_names(["km", "Request ID", "id"])
    ['id', 'Request ID', 'km']
    """
    names = _EVENT_ID.split()
    rank = {name: names.index(_plain(name)) for name in columns if _plain(name) in names}
    return sorted(columns, key=lambda name: rank.get(name, len(names)))


def _plain_names(fields: AnyMapping[str, Source]) -> list[str]:
    """Return the columns that are taken for predictions."""
    return [
        str(column).replace("\\.", ".")
        for field, column in fields.items()
        if field in PREDICTION_FEATURES
    ]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _native(rows: Sequence[AnyMapping[str, Any]]) -> Guess:
    mapping = Mapping.native()
    inputs = [mapping.to_event(row).get("features") for row in rows]
    objects = [each for each in inputs if isinstance(each, dict)]
    features = _Sample(objects, list(dict.fromkeys(name for each in objects for name in each)))
    return Guess(mapping, features.types(), ("the records are events already",))


class _Sample:
    """Sample rows, and the columns that have no role yet."""

    def __init__(self, rows: Sequence[AnyMapping[str, Any]], columns: list[str]) -> None:
        self.rows = rows
        self.free = columns

    def take(self, names: Sequence[str], fits: Callable[[list[Any]], bool]) -> str | None:
        """Return the first free column of one of these names whose values fit, and take it."""
        free = {_plain(name): name for name in self.free}
        for name in names:
            if name in free and fits(self.values(free[name])):
                self.free.remove(free[name])
                return free[name]
        return None

    def take_only(self, pattern: re.Pattern[str], fits: Callable[[list[Any]], bool]) -> str | None:
        """Return the only free column with such a name, if its values fit, and take it."""
        named = [name for name in self.free if pattern.fullmatch(_plain(name))]
        if len(named) != 1 or not fits(self.values(named[0])):
            return None
        self.free.remove(named[0])
        return named[0]

    def take_partner(self, predictions: Sequence[str]) -> str | None:
        """Return the free column that is called true what a prediction is called, and take it."""
        of = {found["of"] for name in predictions if (found := _PREDICTED.fullmatch(_plain(name)))}
        named = [
            name
            for name in self.free
            if (found := _TRUE.fullmatch(_plain(name))) and found["of"] in of
        ]
        if len(named) != 1 or not self.has_values(self.values(named[0])):
            return None
        self.free.remove(named[0])
        return named[0]

    def perhaps_actual(self, predictions: Sequence[str]) -> tuple[str, ...]:
        """Return the free columns that may be the ground truth: by their name, or their classes."""
        if not predictions:
            return ()
        classes = [set(map(category_text, self.values(name))) for name in predictions]
        few = [each for each in classes if 1 < len(each) <= _MOST_CLASSES]
        return tuple(
            name
            for name in self.free
            if _PERHAPS.fullmatch(_plain(name))
            or _TRUE.fullmatch(_plain(name))
            or set(map(category_text, self.values(name))) in few
        )

    def values(self, column: str) -> list[Any]:
        values = (row.get(column) for row in self.rows)
        return [value for value in values if value is not None]

    def types(self) -> dict[str, FeatureType]:
        """Return the types of the free columns; those without values are left out."""
        found: dict[str, FeatureType] = {}
        for name in self.free:
            look = Look()
            look.add(field_of([row.get(name, ABSENT) for row in self.rows]))
            kind = look.infer()
            if kind is not None:
                found[name] = kind
        return found

    def joined(self, columns: Sequence[str]) -> list[Any]:
        """Return the values of a column, or of a date and a time of day as one."""
        if len(columns) == 1:
            return self.values(columns[0])
        date, clock = columns
        pairs = ((row.get(date), row.get(clock)) for row in self.rows)
        return [join_clock(*pair) for pair in pairs if None not in pair]

    def is_text(self, column: str) -> bool:
        """Return whether values are text, and not of digits: these may be anything."""
        values = self.values(column)
        return bool(values) and all(
            isinstance(value, str) and EPOCH.fullmatch(value) is None for value in values
        )

    def clock_of(self, column: str) -> str | None:
        """Return the only column of times of a day, beside a column without any."""
        if any(":" in str(value) for value in self.values(column)):
            return None
        clocks = [name for name in self.free if name != column and are_clocks(self.values(name))]
        return clocks[0] if len(clocks) == 1 else None

    @staticmethod
    def has_values(values: list[Any]) -> bool:
        return bool(values)

    @staticmethod
    def is_id(values: list[Any]) -> bool:
        """Texts or whole numbers."""
        return bool(values) and all(isinstance(value, str | int) for value in values)

    @staticmethod
    def is_score(values: list[Any]) -> bool:
        """Numbers, and not just a few whole ones: those are classes."""
        numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
        if not values or not numbers:
            return False
        return any(x != x or x % 1 for x in values) or len(set(values)) > _MOST_CLASSES

    @staticmethod
    def is_label(values: list[Any]) -> bool:
        """Texts, booleans or whole numbers."""
        return bool(values) and all(
            isinstance(x, str | bool) or (isinstance(x, int | float) and x % 1 == 0) for x in values
        )
