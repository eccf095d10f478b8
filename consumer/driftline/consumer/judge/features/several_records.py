"""Describes alerts on several features at once: many that changed, or those missing together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from driftline.consumer.judge.budget_rules import SEQUENTIAL
from driftline.consumer.judge.features.records import FeatureWindow, figures_of
from driftline.consumer.judge.features.rules import RuleBook
from driftline.consumer.judge.features.schema import is_gone
from driftline.consumer.judge.lives.life import Life
from driftline.consumer.judge.reach_sentence import in_segments, many_changed, missing_together
from driftline.consumer.judge.records import Cause, RecordWriter
from driftline.consumer.judge.sentence import (
    Wording,
    back_to_normal,
    began_with,
    named,
    scope,
    unjudged,
)
from driftline.consumer.wire.records import Alert, FeatureEffect, number
from driftline.detectors import Baseline, rate_effect

_MISSING = "missing"
_LISTED = 5


class SeveralWriter:
    """Writes the records of one stream's alerts on several features.

    Args:
        records: of the stream.
        baseline: its reference counts.
        rules: the model's rules.
    """

    def __init__(self, records: RecordWriter, baseline: Baseline, rules: RuleBook) -> None:
        self._records, self._baseline, self._rules = records, baseline, rules
        self._watched = len(rules.watched_names)

    def alert(self, life: Life, now: FeatureWindow, reason: str | None = None) -> Alert:
        """Return the record of `life`, which fired, rose, resolved or is due again, in `now`.

        `reason`: why the window cannot be judged, so that nothing follows from its counts.
        """
        write = self._missing if life.kind == "data_quality" else self._many
        return write(life, now, reason)

    def _many(self, life: Life, now: FeatureWindow, reason: str | None) -> Alert:
        """Return the record of the alert on many features that changed at once."""
        ruling = next((r for r in now.rulings if r.rule.key == life.rule), None)
        if life.rule == SEQUENTIAL:
            life.described = self._rules.describe_changes()
        elif ruling is not None:
            one = next(each for each in ruling.rule.detectors if each is not None)
            life.described = self._rules.describe(ruling.rule, one, life.severity)
        rates, effects = Counter[str](), dict[str, float]()
        for name, f in self._places(life).items():
            rate, effects[name] = self._broken_rate(f, now), float(now.found.effect[f])
            if rate is not None:
                rates[rate] += 1
                effects[name] = _rate_effect(rate, f, now)
        listed = _worst_first(effects)
        names = [each.name for each in listed]
        wording = self._ended(f"{len(names)} of {self._watched} features", life, reason)
        if wording is None:
            since, where = self._records.axis.moment(life.since), in_segments(life.segments)
            wording = many_changed(list(map(named, names)), self._watched, rates, since, where)
            wording = replace(wording, text=wording.text + began_with(life.began))
        return self._records.alert(
            life,
            now.window,
            Cause(
                wording=replace(wording, features=listed),
                effect=listed[0].effect if listed and reason is None else None,
                others=names,
            ),
        )

    def _missing(self, life: Life, now: FeatureWindow, reason: str | None) -> Alert:
        """Return the record of the alert on features that are missing in the same events."""
        ruling = next((r for r in now.rulings if r.rule.key == life.rule), None)
        if ruling is not None:
            life.described = self._rules.describe(ruling.rule, _MISSING, life.severity)
        found, places = now.found, self._places(life)
        listed = _worst_first({name: _rate_effect(_MISSING, f, now) for name, f in places.items()})
        names = [each.name for each in listed]
        others = [name for name in now.firing if name not in places]
        wording = self._ended(_some(names or life.features), life, reason)
        if wording is None:
            wording = self._together(life, now, names, others)
        figure = None
        if ruling is not None and names:
            worst = places[names[0]]
            kind = self._baseline.layout.features[worst].type
            figure = figures_of(found, worst, kind, now.rulings, _MISSING)[_MISSING]
        return self._records.alert(
            life,
            now.window,
            Cause(
                wording=replace(wording, features=listed),
                detector=None if figure is None else (_MISSING, figure),
                effect=listed[0].effect if listed and reason is None else None,
                others=others,
            ),
        )

    def _together(
        self, life: Life, now: FeatureWindow, names: list[str], others: list[str]
    ) -> Wording:
        """Return in how many events features are missing.

        Args:
            life: of the alert that fires.
            now: the window.
            names: of the features, worst first; some may have their values again.
            others: features that fire, too.
        """
        quiet = [ruling.quiet for ruling in now.rulings if ruling.rule.key == life.rule]
        places = self._places(life)
        left = [name for name in names if not any(each[places[name]] for each in quiet)] or names
        worst, several = places[left[0]], len(left) > 1
        rates, usual = now.found.detectors[_MISSING].value, now.normal.rates[_MISSING]
        shares = [float(rates[places[name]]) for name in left]
        found = missing_together(
            _some(left), (min(shares), max(shares)), float(usual[worst]), now.normal.word(worst),
            several=several, gone=all(is_gone(now.found, places[name]) for name in left),
        )  # fmt: skip
        reach = scope(list(map(named, others)), life.began, several=several)
        since, where = self._records.axis.moment(life.since), in_segments(life.segments)
        return replace(found, text=f"{found.text}, since {since}. {where}{reach}")

    def _ended(self, subject: str, life: Life, reason: str | None) -> Wording | None:
        """Return the sentence of an alert that is over or cannot be judged; None: neither."""
        axis = self._records.axis
        if reason is not None:
            return unjudged(subject, life.since, reason, axis, several=True)
        if not life.firing and life.quiet_since is not None:
            return back_to_normal(subject, life.since, life.quiet_since, axis, several=True)
        return None

    def _places(self, life: Life) -> dict[str, int]:
        """Return the places of the features that an alert names, of those that there still are."""
        position = self._baseline.layout.position
        return {name: position[name] for name in life.features if name in position}

    def _broken_rate(self, f: int, now: FeatureWindow) -> str | None:
        """Return the rate of a feature that is in breach while its values are as normally."""
        if now.found.effect[f] >= self._rules.min_effect:
            return None
        broken = (r.rule.detectors[f] for r in now.rulings if r.rule.quality and r.levels[f])
        return next(broken, None)


def _rate_effect(rate: str, f: int, now: FeatureWindow) -> float:
    value = now.found.detectors[rate].value
    return float(rate_effect(value, now.normal.rates[rate], now.found.events)[f])


def _worst_first(effects: dict[str, float]) -> list[FeatureEffect]:
    found = [FeatureEffect(name, number(effect)) for name, effect in effects.items()]
    return sorted(found, key=lambda each: (-(each.effect or 0.0), each.name))


def _some(names: list[str]) -> str:
    """Return names as the beginning of a sentence.

    >>> _some(["a"]), _some(["a", "b", "c"]), _some([*"abcdefgh"])
    ('a', 'a, b and c', 'a, b, c, d, e and 3 more')
    """
    shown = list(map(named, names[:_LISTED]))
    if len(names) > _LISTED:
        return f"{', '.join(shown)} and {len(names) - _LISTED} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
