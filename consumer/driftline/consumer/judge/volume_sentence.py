"""How many events came, in words."""

from __future__ import annotations

from math import ceil

from driftline.consumer.judge.sentence import Wording, amount
from driftline.consumer.judge.volume_steps import VolumeSteps
from driftline.consumer.wire.axis import TIME, Axis
from driftline.detectors.volume import DAY, LEAST_DAYS, Volume


def events_changed(events: int, normal: float, hours: int) -> Wording:
    """Return that there are more events, or fewer, than a window normally brings.

    Args:
        events: of the window.
        normal: what it normally brings.
        hours: its length.

    Example:
        >>> events_changed(212, 1060, 1).text
        'events fell to 20 % of what this hour normally brings (212 of 1,060)'
        >>> events_changed(6400, 2000, 24).row
        'rose to 320 %: 6,400, normally 2,000'
        >>> events_changed(80, 0.2, 6).text
        'events came where these 6 hours normally bring none (80)'
    """
    usual = round(normal)
    if not usual:
        when = _when(hours)
        return Wording(f"events came where {when} none ({events:,})", f"{events:,}, normally none")
    share, went = 100 * events / usual, "fell" if events < usual else "rose"
    part = f"{went} to {amount(share, 2 if share < 100 else 3)} %"
    return Wording(
        f"events {part} of what {_when(hours)} ({events:,} of {usual:,})",
        f"{part}: {events:,}, normally {usual:,}",
    )


def amiss_to_the_end(reason: str, since: int, until: int, axis: Axis = TIME) -> Wording:
    """Return the sentence of an alert that ends because nothing would be known of it any more.

    Example:
        >>> amiss_to_the_end("events are counted anew", 0, 86_400_000).text
        'the number of events is amiss since 1970-01-01 00:00 UTC, for 1 day, and its alert ends: \
events are counted anew.'
    """
    lasted = f"since {axis.moment(since)}, for {axis.length(until - since)}"
    text = f"the number of events is amiss {lasted}, and its alert ends: {reason}."
    return Wording(text, text)


def how_known(volume: Volume | None, steps: VolumeSteps) -> str:
    """Return from when on it is known how many events are normal, as `driftline check` says it.

    Args:
        volume: of the reference.
        steps: in which events are counted.

    Example:
        >>> how_known(None, VolumeSteps(1, 1, True))
        'how many events are normal is learnt from the first week of the stream'
        >>> how_known(None, VolumeSteps(24, 5, True))
        'how many events are normal is learnt from the first 35 days of the stream'
    """
    if not steps.judged:
        return (
            "how many events come is not judged: windows are longer than 8 days, or panes fit"
            " neither an hour nor a day"
        )
    days = int(steps.days(volume))
    if days:
        return (
            f"how many events are normal is known from {days} days of the reference once the first"
            " day of the stream shows the same rate, else after its first week"
        )
    least = ceil(steps.least)
    first = "week" if least == LEAST_DAYS else f"{least} days"
    return f"how many events are normal is learnt from the first {first} of the stream"


def _when(hours: int) -> str:
    days, rest = divmod(hours, DAY)
    if hours in (1, DAY):
        return f"this {'hour' if hours == 1 else 'day'} normally brings"
    return f"these {hours if rest else days} {'hours' if rest else 'days'} normally bring"
