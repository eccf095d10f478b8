"""How far an alert reaches, in words: into which segments, and to how many features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftline.consumer.judge.sentence import NORMALLY, Wording, clean, percents
from driftline.detectors import RATES


def in_segments(segments: str) -> str:
    """Return in which segments something is, as a sentence of its own; nothing where not known.

    Example:
        >>> in_segments("all of channel"), in_segments("")
        ('All of channel. ', '')
    """
    if not segments:
        return ""
    text = clean(segments)
    return f"{text[0].upper()}{text[1:]}. "


def many_changed(
    names: Sequence[str], watched: int, rates: Mapping[str, int], since: str, reach: str
) -> Wording:
    """Return that many of the watched features changed at once.

    Args:
        names: of the features, worst first.
        watched: how many there are.
        rates: in how many of them a rate rose, by the rate's name.
        since: when it began.
        reach: in which segments, as `in_segments` says it.

    Example:
        >>> since, reach = "2020-09-20 02:00 UTC", "All of channel. "
        >>> found = many_changed(["a", "b"], 3, {"missing": 2}, since, reach)
        >>> found.row
        '2 of 3 features changed: 2 are more often missing'
        >>> found.text.removeprefix(found.row)
        ', since 2020-09-20 02:00 UTC. All of channel. They are a, b.'
    """
    row = f"{len(names)} of {watched} features changed"
    parts = []
    for name, features in sorted(rates.items(), key=lambda each: (-each[1], each[0])):
        rate = RATES[name]
        verb = "are" if rate.verb == "is" else "have"
        parts.append(f"{features} {verb} more often {rate.state}")
    what = f"{row}: {', '.join(parts)}" if parts else row
    return Wording(f"{what}, since {since}. {reach}They are {', '.join(names)}.", what)


def missing_together(
    names: str,
    now: tuple[float, float],
    normal: float,
    normally: str = NORMALLY,
    *,
    several: bool = True,
    gone: bool = False,
) -> Wording:
    """Return that features are missing in the same events.

    Args:
        names: of the features, as a sentence has them.
        now: in which share of the events: the least and the most of one of them.
        normal: in which it is normally.
        normally: the word for that.
        several: whether they are more than one.
        gone: whether no event has any of them.

    Example:
        >>> missing_together("humid and temp", (0.149, 0.149), 0.002).text
        'humid and temp are missing together in 14.9 % of events, normally 0.2 %'
        >>> missing_together("humid and temp", (1.0, 1.0), 0.0, gone=True).text
        'humid and temp have disappeared: they are missing in 100.0 % of events, normally 0.0 %'
        >>> missing_together("humid", (0.149, 0.149), 0.002, several=False).row
        'missing in 14.9 %, normally 0.2 %'
        >>> missing_together("humid and temp", (0.022, 0.149), 0.002).text
        'humid and temp are missing in 2.2 % to 14.9 % of events, normally 0.2 %'
    """
    least, most = now
    present, before = percents(most, normal)
    low, _ = percents(least, normal)
    if low != present:
        present = f"{low} to {present}"
    verb, together = ("are", " together" if least == most else "") if several else ("is", "")
    row = f"missing{together} in {present}"
    text = f"{names} {verb} {row}"
    if gone and several:
        text = f"{names} have disappeared: they are missing in {present}"
    return Wording(f"{text} of events, {normally} {before}", f"{row}, {normally} {before}")
