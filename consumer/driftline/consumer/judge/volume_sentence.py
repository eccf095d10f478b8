"""How many events came, in words."""

from __future__ import annotations

from driftline.consumer.judge.sentence import Wording, amount
from driftline.detectors.volume import DAY, Volume


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


def how_known(volume: Volume | None) -> str:
    """Return from when on it is known how many events are normal, as `driftline check` says it.

    `volume`: of the reference.

    >>> how_known(None)
    'how many events are normal is learnt from the first week of the stream'
    """
    if volume is None:
        return "how many events are normal is learnt from the first week of the stream"
    days = int(volume.hourly.known())
    return (
        f"how many events are normal is known from {days} days of the reference once the first day"
        " of the stream shows the same rate, else after its first week"
    )


def _when(hours: int) -> str:
    days, rest = divmod(hours, DAY)
    if hours in (1, DAY):
        return f"this {'hour' if hours == 1 else 'day'} normally brings"
    return f"these {hours if rest else days} {'hours' if rest else 'days'} normally bring"
