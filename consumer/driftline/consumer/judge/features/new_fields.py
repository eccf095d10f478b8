"""Fields of the events that the reference does not list, from the samples of a window's panes."""

from __future__ import annotations

from collections.abc import Mapping

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.lives.life import (
    Life,
    Lives,
    Reading,
    WindowTimes,
    advance,
    join_incident,
    repeat,
)
from driftline.consumer.judge.records import Cause, JudgedWindow, RecordWriter, too_few
from driftline.consumer.judge.sentence import (
    Wording,
    back_to_normal,
    began_with,
    named,
    new_field,
    unjudged,
)
from driftline.consumer.judge.windows.stream_window import StreamWindow
from driftline.consumer.sketch.listed import Listed
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.records import Alert, DetectorValue
from driftline.consumer.wire.samples import NEW_FIELD, Sighting
from driftline.detectors.reference import Reference

_RULE = "new field"
_LEAST = 0.01  # share of the events
_LEAST_SEEN = 2  # sampled events, where not all of them are: one alone tells nothing of a share
_KIND: Kind = "data_quality"


class NewFields:
    """Raises and resolves the alerts on fields that the reference does not list.

    Args:
        records: writes those of the whole model.
        config: the model's configuration; without a budget nothing is looked for.
        reference: what knows the fields.
        lives: the model's alert lives, which judging moves on.
    """

    def __init__(
        self, records: RecordWriter, config: ModelConfig, reference: Reference, lives: Lives
    ) -> None:
        self._records = records
        self._config = config
        self._listed = Listed.of(config, reference.layout)
        self._lives = lives

    def is_mine(self, life: Life) -> bool:
        """Return whether a life, of this run or as recorded, is of a field that may be new."""
        return (
            life.kind == _KIND
            and life.stream == self._records.stream
            and bool(life.feature)
            and self._may_be_new(life.feature)
        )

    def judge(self, window: StreamWindow) -> list[Alert]:
        """Return the alert records that a window causes."""
        times, panes = window.times, window.panes
        events = panes.events(times.start, times.end, None)
        shown = JudgedWindow(times, events, panes.versions(times.start, times.end, None))
        reason = window.reason
        if reason is None and events < self._config.window.min_events:
            reason = too_few(events, self._config.window.min_events)
        sample = None if reason else panes.sample(times.start, times.end)
        if sample is None:
            due = repeat(self._lives.values(), self._records.stream, times, self.is_mine)
            why = reason or "no sample of these events was kept"
            return [self._alert(life, shown, None, why) for life in due]
        seen = sample.new_fields()
        mine = {life.feature for life in self._lives.values() if self.is_mine(life)}
        names = sorted(mine | {name for name in seen if self._may_be_new(name)})
        found = [self._step(name, seen, times, shown, window.began) for name in names]
        return [alert for alert in found if alert is not None]

    def _may_be_new(self, name: str) -> bool:
        return self._listed.is_new(name)

    def _step(
        self,
        name: str,
        seen: Mapping[str, Sighting],
        times: WindowTimes,
        shown: JudgedWindow,
        began: Mapping[str, str],
    ) -> Alert | None:
        """Move the life of one field on; return the record that is to be written, if any."""
        here, level = seen.get(name), 0
        if here is not None and here.share >= _LEAST:
            level = int(here.exact or here.events >= _LEAST_SEEN)
        reading = Reading(_RULE, 1, 1, level, here is None or here.share < _LEAST / 2)
        key = (self._records.stream, name, _KIND)
        life = advance(self._lives, key, [reading], times, began)
        if life is None:
            return None
        if life.revision == 1:
            join_incident(life, self._lives.values(), self._config.window.length)
        if not life.firing:
            del self._lives[life.key]
        return self._alert(life, shown, here)

    def _alert(
        self, life: Life, shown: JudgedWindow, here: Sighting | None, why: str | None = None
    ) -> Alert:
        life.described = "a field that the reference does not list, in 1% of events"
        share = 0.0 if here is None else here.share
        about = here is not None and not here.exact
        subject, axis = named(life.feature), self._records.axis
        if why is not None:
            wording = unjudged(subject, life.since, why, axis)
        elif not life.firing and life.quiet_since is not None:
            wording = back_to_normal(subject, life.since, life.quiet_since, axis)
        else:
            change = new_field(share, about=about)
            text = f"{subject} {change.text}, since {axis.moment(life.since)}."
            text += began_with(life.began)
            wording = Wording(text, change.row, about)
        return self._records.alert(
            life,
            shown,
            Cause(
                wording=wording,
                detector=None
                if why is not None
                else (NEW_FIELD, DetectorValue.of(share, threshold=_LEAST)),
                breaches=None if why is not None else (int(share >= _LEAST), 1),
            ),
        )
