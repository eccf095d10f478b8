"""Scenarios as text, for the command line: `sudden:feature=amount,start=50%,size=1sd`.

After the kind come settings, in any order; only `feature` is required.

| setting | of | default | written as |
|---|---|---|---|
| `feature` | all | | its name; `prediction.score` and `prediction.label` are features |
| `start`, `end` | all | 50%, 100% | share of the stream's time, time after its first event (`6h`), or RFC 3339 |
| `size` | sudden, gradual, incremental, recurring, seasonal | 1sd | standard deviations of the feature (`1.5sd`), or its own unit (`250`, `-3`) |
| `over` | gradual, incremental | 10% | until all is changed: share of the stream's time, or `6h` |
| `period` | recurring, seasonal | 25% | share of the stream's time, or `1d` |
| `share` | missing_values, new_category | 20% | `20%` or 0.2 |
| `category` | new_category | new | text |
| `factor` | broken_unit | 3.28084 | number |
| `with` | swapped_columns | | the other feature |
"""  # noqa: E501 - a table

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field

from driftline.producer.errors import InputError
from driftline.producer.records.durations import parse_duration
from driftline.producer.records.fields import Record, RecordFields
from driftline.producer.records.names import nearest
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.replay import scenarios as make
from driftline.producer.replay.scenarios import Kind, Scenario

_MOVED: dict[str, str] = {"size": "1sd"}
_SETTINGS: dict[Kind, dict[str, str]] = {
    "sudden": _MOVED,
    "gradual": {**_MOVED, "over": "10%"},
    "incremental": {**_MOVED, "over": "10%"},
    "recurring": {**_MOVED, "period": "25%"},
    "seasonal": {**_MOVED, "period": "25%"},
    "missing_values": {"share": "20%"},
    "new_category": {"share": "20%", "category": "new"},
    "broken_unit": {"factor": str(make.FEET)},
    "swapped_columns": {"with": ""},
}
_WHERE = {"feature": "", "start": "50%", "end": "100%"}
_NUMERIC = {"sudden", "gradual", "incremental", "recurring", "seasonal", "broken_unit"}


@dataclass(frozen=True)
class Survey:
    """What a stream is like, as far as scenarios ask.

    Attributes:
        first, last: smallest and largest event time, ms.
        spreads: standard deviation of each feature that has numbers.
    """

    first: int
    last: int
    spreads: AnyMapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScenarioText:
    """A scenario as written, its settings complete.

    Attributes:
        text: as written.
        kind: of drift.
        settings: name to text.
    """

    text: str
    kind: Kind
    settings: AnyMapping[str, str]

    @property
    def features(self) -> tuple[str, ...]:
        """The features that it names."""
        names = (self.settings["feature"], self.settings.get("with"))
        return tuple(name for name in names if name)

    def resolve(self, survey: Survey) -> Scenario:
        """Return the scenario in times and units of one stream.

        Raises:
            InputError: a setting cannot be read, or does not fit the stream.
        """
        feature = self.settings["feature"]
        start, end = self._moment("start", survey), self._moment("end", survey)
        if start >= end:
            raise self._wrong("start", "has to be before end")
        if self.kind in _NUMERIC and feature not in survey.spreads:
            raise self._wrong(
                "feature", "has no numbers; use missing_values, new_category or swapped_columns"
            )
        build: Callable[..., Scenario] = getattr(make, self.kind)
        own = {name: self._value(name, survey) for name in _SETTINGS[self.kind]}
        if "with" in own:
            own["other"] = own.pop("with")
        return build(feature=feature, start=start, end=end, **own)

    def _value(self, name: str, survey: Survey) -> str | float:
        """Read a setting that only some kinds have."""
        if name == "size":
            return self._size(survey)
        if name in ("over", "period"):
            return self._length(name, survey)
        if name == "share":
            return self._share()
        return self._number(name) if name == "factor" else self.settings[name]

    def _moment(self, name: str, survey: Survey) -> int:
        text = self.settings[name]
        time = parse_timestamp(text)
        if time is not None:
            return time
        return survey.first + math.floor(self._stretch(name, survey))

    def _length(self, name: str, survey: Survey) -> int:
        # Rounded up where moments are rounded down: two halves leave no rest of a millisecond.
        length = math.ceil(self._stretch(name, survey))
        if length <= 0:
            raise self._wrong(name, "has to be above 0")
        return length

    def _stretch(self, name: str, survey: Survey) -> float:
        """Read a share of the stream's time, or a duration; ms."""
        text = self.settings[name]
        if text.endswith("%"):
            return self._number(name, "%") / 100 * (survey.last + 1 - survey.first)
        try:
            return parse_duration(text)
        except ValueError:
            raise self._wrong(name, "write for example 50%, 6h or 2019-03-27T00:00:00Z") from None

    def _size(self, survey: Survey) -> float:
        if not self.settings["size"].endswith("sd"):
            return self._number("size")
        return self._number("size", "sd") * survey.spreads[self.settings["feature"]]

    def _share(self) -> float:
        percent = self.settings["share"].endswith("%")
        share = self._number("share", "%") / 100 if percent else self._number("share")
        if not 0 < share <= 1:
            raise self._wrong("share", "has to be above 0 and at most 100%")
        return share

    def _number(self, name: str, unit: str = "") -> float:
        try:
            number = float(self.settings[name].removesuffix(unit))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self._wrong(name, "is not a number")
        return number

    def _wrong(self, name: str, why: str) -> InputError:
        return InputError(f"scenario {self.text}: {name} {self.settings[name]} {why}")


def parse_scenario(text: str) -> ScenarioText:
    """Read one scenario.

    Raises:
        InputError: an unknown kind or setting, or no feature.

    >>> parse_scenario("broken_unit:feature=distance,start=6h").settings["end"]
    '100%'
    """
    kind, _, rest = text.partition(":")
    if kind not in _SETTINGS:
        raise InputError(f"scenario {text}: no kind {kind}, {_hint(kind, list(_SETTINGS))}")
    known = {**_WHERE, **_SETTINGS[kind]}
    settings = dict(known)
    for entry in rest.split(",") if rest else ():
        name, equals, value = entry.partition("=")
        if name not in known:
            raise InputError(f"scenario {text}: no setting {name}, {_hint(name, list(known))}")
        if not equals or not value:
            raise InputError(f"scenario {text}: {name} needs a value, as in {name}=...")
        settings[name] = value
    for name in ("feature", "with"):
        if settings.get(name) == "":
            raise InputError(f"scenario {text}: name a feature with {name}=...")
    if settings["feature"] == settings.get("with"):
        raise InputError(f"scenario {text}: feature and with are the same")
    return ScenarioText(text, kind, settings)


def survey(
    records: Iterable[Record], texts: Sequence[ScenarioText], fields: RecordFields | None = None
) -> Survey:
    """Read a stream once for what its scenarios need to know.

    Raises:
        InputError: no record has a readable time, or none has a feature that is named.
    """
    fields = fields or RecordFields()
    paths = {name: fields.path(name) for text in texts for name in text.features}
    numbers = {name: _Spread() for name in paths}
    seen: set[str] = set()
    first, last = math.inf, -math.inf
    for record in records:
        time = fields.time(record)
        if time is not None:
            first, last = min(first, time), max(last, time)
        for name, path in paths.items():
            value = fields.find(record, path)
            if value is not fields.ABSENT:
                seen.add(name)
                numbers[name].add(value)
    if last < first:
        raise InputError("no record has a time that can be read, and a scenario needs them")
    for name in paths:
        if name not in seen:
            raise InputError(f"{name}: no record has such a feature, check the name")
    spreads = {name: spread.deviation for name, spread in numbers.items() if spread.count}
    return Survey(int(first), int(last), spreads)


class _Spread:
    """Welford's running variance; B. P. Welford, Technometrics 4(3), 1962."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = self._squares = 0.0

    def add(self, value: object) -> None:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return
        if not math.isfinite(value):
            return
        self.count += 1
        away = value - self._mean
        self._mean += away / self.count
        self._squares += away * (value - self._mean)

    @property
    def deviation(self) -> float:
        return math.sqrt(self._squares / self.count)


def _hint(name: str, known: list[str]) -> str:
    return nearest(name, known) or f"use one of {', '.join(known)}"
