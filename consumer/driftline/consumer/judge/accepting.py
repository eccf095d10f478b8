"""What an acceptance means for a model: which features it is about, and the alerts that it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import nan

from driftline.consumer.judge.accepted_state import AcceptedFeature
from driftline.consumer.judge.lives.life import Life, WindowTimes
from driftline.consumer.judge.model_streams import ModelStreams, Shared
from driftline.consumer.judge.records import Cause, JudgedWindow, RecordWriter
from driftline.consumer.judge.sentence import Wording, named
from driftline.consumer.wire.axis import Axis
from driftline.consumer.wire.kinds import KINDS
from driftline.consumer.wire.messages import Acceptance
from driftline.consumer.wire.records import Alert

_LONGEST_REASON = 80


def accept(streams: ModelStreams, shared: Shared, pane: int) -> list[str]:
    """Accept what is due before a pane, which starts at `pane` (ms); return the features."""
    found, needed = list[str](), shared.config.window.min_events
    for one in shared.acceptances.due(pane):
        since = _begun(one, streams, shared, pane)
        found += shared.acceptances.take(
            one, pane, since, shared.track, lambda events: events >= needed
        )
    return found


def _begun(
    acceptance: Acceptance, streams: ModelStreams, shared: Shared, pane: int
) -> dict[str, int]:
    """Return the features that an acceptance is about, and from when on (ms) they are normal.

    Of an alert on a feature, since it began; without one, the last window.

    Args:
        acceptance: of one of them, or of all that are watched.
        streams: judges of the model.
        shared: what they share.
        pane: start of the first pane that is compared with them, ms.
    """
    layout, config = streams.reference.layout, shared.config
    names = [each.name for each in layout.features if not config.is_ignored(each.name)]
    if acceptance.feature:
        names = [name for name in names if name == acceptance.feature]
    last = pane - config.window.length
    found = dict.fromkeys(names, last if acceptance.since is None else acceptance.since)
    if acceptance.since is None:
        since: dict[str, int] = {}
        for life in shared.lives.values():
            if life.firing and _is_ended(life, found):
                since[life.feature] = min(life.since, since.get(life.feature, life.since))
        joint = streams.joint
        if joint is not None and (together := shared.lives.get(joint.key)) is not None:
            for name in joint.fired & found.keys():
                since[name] = min(together.since, since.get(name, together.since))
        found |= since
    return found


def accepted_alerts(
    names: Collection[str], streams: ModelStreams, shared: Shared, pane: int
) -> Iterator[Alert]:
    """End the alerts on features whose present is normal from a pane on; yield their last records.

    Where nothing else is normal in a stream, which had no events, evidence begins anew there too.

    Args:
        names: the features.
        streams: judges of the model, against what is normal now.
        shared: what they share.
        pane: start of the pane, ms.
    """
    writers, lives = {each.stream: each for each in streams.writers}, shared.lives
    for stream in streams.features:
        for name in names:
            stream.changes.begin_anew(streams.reference.layout.position[name])
    for life in sorted(lives.values(), key=lambda life: life.key):
        if not _is_ended(life, names):
            continue
        del lives[life.key]
        if life.firing:
            records = writers[life.stream]
            one = shared.acceptances.features[life.feature]
            _end(life, pane)
            shared.firings.note(life, pane, nan)
            if not life.silent:
                yield _alert(records, life, one, shared, named(life.feature))
    joint = streams.joint
    if joint is not None and joint.key in lives and not joint.fired:
        life = lives.pop(joint.key)
        if life.firing:
            _end(life, pane)
            one = shared.acceptances.features[min(names)]
            yield _alert(writers[life.stream], life, one, shared, "how features go together")
    for life in sorted((each for each in lives.values() if each.features), key=lambda one: one.key):
        accepted = [name for name in life.features if name in names]
        if accepted and not any(map(life.speaks_of, lives.values())):
            del lives[life.key]
            _end(life, pane)
            found = shared.acceptances.features[accepted[0]]
            yield _alert(writers[life.stream], life, found, shared, "what changed")


def _is_ended(life: Life, names: Collection[str]) -> bool:
    about = KINDS[life.kind].about
    return life.feature in names and about in ("distribution", "quality")


def _end(life: Life, pane: int) -> None:
    life.firing, life.quiet_since, life.written = False, pane, pane
    life.revision += 1


def _alert(
    records: RecordWriter, life: Life, found: AcceptedFeature, shared: Shared, subject: str
) -> Alert:
    times = WindowTimes(found.since, found.start, found.since)
    panes = shared.track.panes
    shown = JudgedWindow(
        times,
        panes.events(times.start, times.end, records.segment),
        panes.versions(times.start, times.end, records.segment),
    )
    wording = accepted_as_normal(subject, found, records.axis)
    return records.alert(life, shown, Cause(wording=wording), accepted=found.feature)


def accepted_as_normal(subject: str, found: AcceptedFeature, axis: Axis) -> Wording:
    """Return the sentence of an alert that ends because what it tells is normal from now on.

    Example:
        >>> from driftline.consumer.wire.axis import TIME
        >>> found = AcceptedFeature("a", "age", "ada", "new market", 0, 86_400_000)
        >>> accepted_as_normal("age", found, TIME).text
        'age is accepted by ada as it is since 1970-01-01 00:00 UTC: new market.'
    """
    why = named(found.why, _LONGEST_REASON).rstrip(".")
    text = f"{subject} is accepted by {named(found.who)} as it is since {axis.moment(found.since)}"
    return Wording(f"{text}: {why}.", f"accepted as normal: {why}")
