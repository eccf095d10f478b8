"""How far an alert reaches, in words: into which segments, and to how many features."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.consumer.judge.sentence import Wording, clean


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


def many_changed(names: Sequence[str], watched: int, since: str, reach: str) -> Wording:
    """Return that many of the watched features changed at once.

    Args:
        names: of the features, worst first.
        watched: how many there are.
        since: when it began.
        reach: in which segments, as `in_segments` says it.

    Example:
        >>> many_changed(["a", "b"], 3, "2020-09-20 02:00 UTC", "All of channel. ").text
        '2 of 3 features changed, since 2020-09-20 02:00 UTC. All of channel. They are a, b.'
    """
    row = f"{len(names)} of {watched} features changed"
    return Wording(f"{row}, since {since}. {reach}They are {', '.join(names)}.", row)
