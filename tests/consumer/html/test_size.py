"""How large a report is: under a megabyte for 100 features in 200 windows, all of them drifting."""

from __future__ import annotations

import random

import msgspec
from tests.consumer.cli.records import alert, verdict

from driftline.consumer.html.report_file import report_file
from driftline.consumer.views.fold import Views
from driftline.consumer.views.ring import Place
from driftline.consumer.wire.records import Sequential, Verdict, Window, number
from driftline.producer.records.timestamp import format_time

BEGIN, HOUR = 1_554_163_200_000, 3_600_000


def judged(feature: str, hour: int, rng: random.Random) -> Verdict:
    start, end = (format_time(BEGIN + (hour + side) * HOUR) for side in (0, 1))
    return msgspec.structs.replace(
        verdict(),
        verdict_id=f"{rng.getrandbits(64):016x}",
        feature=feature,
        window=Window(start, end, 900 + rng.randrange(200)),
        effect=number(rng.random()),
        sequential=Sequential(number(40 * rng.random()), 6.10925, start),
        state="critical",
    )


def test_a_hundred_drifting_features_in_two_hundred_windows_are_under_a_megabyte() -> None:
    rng = random.Random(5)
    names = [f"a feature with a name {i}" for i in range(100)]
    kept: list[Verdict] = []
    views = Views(windows=200, read=lambda place: kept[place.offset])
    for hour in range(200):
        for name in names:
            kept.append(judged(name, hour, rng))
            views.judged(kept[-1], Place(0, len(kept) - 1))
        newest = kept[-1].window
    for i, name in enumerate(names):
        fields = {"alert_id": f"{i:016x}", "feature": name, "window": newest}
        views.alerted(msgspec.structs.replace(alert(), **fields))
    text = report_file(views.report(None, None))
    assert text.count("still open") == 100
    assert len(text.encode()) < 1_000_000
