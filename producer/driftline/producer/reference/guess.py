"""Guess how the records of a file map to events, from names and sample values.

A guess is shown before it is used: every decision is a sentence in `Guess.said`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from driftline.detectors.registry import FeatureType
from driftline.producer.records.category import category_text
from driftline.producer.records.event_fields import ALIASES
from driftline.producer.records.mapping import WILDCARD, Mapping, Source, quote_name
from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.records.table import ABSENT
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.reference.events import field_of
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
    """

    mapping: Mapping
    features: dict[str, FeatureType]
    said: tuple[str, ...]
    perhaps_actual: tuple[str, ...] = ()


def guess_mapping(
    columns: Sequence[str], rows: Sequence[AnyMapping[str, Any]], actual: str | None = None
) -> Guess:
    """Guess the mapping of records.

    Args:
        columns: top-level fields, in their order.
        rows: sample records, some hundred are enough.
        actual: a column that is known to be the ground truth; None to guess it too.

    Returns:
        The native mapping if the records are events already; else one that names what was found
        and takes every other column as a feature.

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
    for field, names, fits in (
        ("timestamp", _TIMESTAMP, sample.is_time),
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
        if column is None and field == "timestamp":
            column = sample.take_first(sample.is_date)
        if column is None and field in PREDICTION_FEATURES and not predicted:
            column = sample.take_only(_PREDICTED, fits)
        if column is None and field == "actual":
            column = sample.take_partner(_plain_names(fields))
        if column is not None:
            fields[field] = quote_name(column)
            how = f" ({sample.time_form(column)})" if field == "timestamp" else ""
            said.append(f"{field}: column {column}{how}")
    perhaps = () if "actual" in fields else sample.perhaps_actual(_plain_names(fields))
    fields["features"] = WILDCARD
    features = sample.types()
    listed = ", ".join(f"{name} ({kind})" for name, kind in islice(features.items(), _MOST_LISTED))
    if len(features) > _MOST_LISTED:
        listed += f" and {len(features) - _MOST_LISTED:,} more"
    said.append(f"features: {listed or 'none'}")
    return Guess(Mapping(fields), features, tuple(said), perhaps)


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

    def take_first(self, fits: Callable[[list[Any]], bool]) -> str | None:
        """Return the first free column whose values fit, whatever its name, and take it."""
        found = next((name for name in self.free if fits(self.values(name))), None)
        if found is not None:
            self.free.remove(found)
        return found

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

    def time_form(self, column: str) -> str:
        """Return how the column's times are read."""
        first = self.values(column)[0]
        if not isinstance(first, str):
            return "number, unit by its magnitude"
        return "text" if re.search(r"[Zz]$|:.*[+-][0-9:]+$", first) else "text, read as UTC"

    @staticmethod
    def has_values(values: list[Any]) -> bool:
        return bool(values)

    @staticmethod
    def is_time(values: list[Any]) -> bool:
        return bool(values) and all(parse_timestamp(value) is not None for value in values)

    @staticmethod
    def is_date(values: list[Any]) -> bool:
        """Times written as text: a number under an unknown name may be anything."""
        return bool(values) and all(
            isinstance(value, str) and parse_timestamp(value) is not None for value in values
        )

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
