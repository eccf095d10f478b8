"""What views hold is bounded, and what of it is kept is the newest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.consumer.service import small
from tests.consumer.views.test_laws import MODEL, alert, verdict, window

from driftline.consumer.log.memory import MemoryBroker, MemoryLog, MemoryRecord
from driftline.consumer.log.protocol import Message
from driftline.consumer.views import places
from driftline.consumer.views.alert_book import AlertBook
from driftline.consumer.views.fold import Views
from driftline.consumer.views.places import VerdictReader
from driftline.consumer.views.ring import Place
from driftline.consumer.views.settings import ModelSettings, Settings
from driftline.consumer.wire.control import SCHEMA, Mark, Marks


def test_the_alerts_with_the_newest_windows_are_kept() -> None:
    book = AlertBook(3)
    for hour, name in enumerate("abcde"):
        assert book.take(alert(name, window=window(hour), incident_id=name), None)
    assert [known.alert.alert_id for known in book.of_model(MODEL)] == ["e", "d", "c"]
    assert book.of_incident("a") == []
    assert book.model_of("a") is None
    assert book.get("a") is None
    assert book.model_of("e") == MODEL


def test_an_alert_may_join_another_incident() -> None:
    """Its newest record says which, in whatever order records come."""
    book = AlertBook(2)
    book.take(alert("a", window=window(0), incident_id="one"), None)
    book.take(alert("b", revision=3, window=window(2), incident_id="one"), None)
    book.take(alert("b", revision=2, window=window(1), incident_id="two"), None)
    book.take(alert("a", revision=2, window=window(3), incident_id="one", status="resolved"), None)
    assert [known.alert.alert_id for known in book.of_incident("one")] == ["b", "a"]
    book.take(alert("a", revision=3, window=window(4), incident_id="two", status="resolved"), None)
    assert [known.alert.alert_id for known in book.of_incident("one")] == ["b"]
    assert [known.alert.alert_id for known in book.of_incident("two")] == ["a"]
    assert [known.alert.alert_id for known in book.between(None, None).of_incident("two")] == ["a"]
    book.take(alert("c", window=window(5)), None)  # too many: what is over is let go
    assert book.of_incident("two") == []


def test_what_fires_is_kept_before_what_is_over() -> None:
    book = AlertBook(2)
    book.take(alert("old", window=window(0)), None)
    for hour, name in enumerate("abc", 1):
        book.take(alert(name, revision=2, status="resolved", window=window(hour)), None)
    assert {known.alert.alert_id for known in book} == {"old", "c"}
    # Of one that was let go an older record comes later: it is over still.
    assert not book.take(alert("a", window=window(0)), None)
    assert book.get("a") is None
    assert book.take(alert("a", revision=3, window=window(9)), None)
    assert {known.alert.alert_id for known in book} == {"old", "a"}


def test_alerts_are_let_go_many_at_once() -> None:
    book = AlertBook(20)
    for hour in range(21):
        book.take(alert(str(hour), window=window(hour)), None)
    assert len(list(book)) == 18
    for hour in range(21, 700):
        book.take(alert(str(hour), window=window(hour)), None)
    assert min(int(known.alert.alert_id) for known in book) > 670
    assert len(book._gone) <= 20 * 20


def test_an_alert_keeps_its_first_record_and_the_newest() -> None:
    book = AlertBook(1)
    for revision in range(1, 81):
        book.take(alert("a", revision=revision, window=window(revision)), revision)
    known = book.get("a")
    assert known is not None
    assert sorted(known.history) == [1, *range(31, 81)]
    assert known.fired == "2026-01-01T02:00:00Z"
    assert known.history[80].published == "1970-01-01T00:00:00.080Z"


def test_an_alert_whose_first_record_is_gone_did_not_begin_in_the_next() -> None:
    views = Views(Settings({MODEL: ModelSettings(allowed=1.0, period=10 * 3_600_000)}))
    for hour in range(40):
        views.judged(verdict(window=window(hour)))
    fired: dict[str, Any] = {"budgeted": True, "since": "2026-01-01T01:00:00Z"}
    for revision, hour in ((9, 38), (8, 35)):
        views.alerted(alert("a", revision=revision, window=window(hour), **fired))
    views.alerted(alert("b", window=window(36), **fired))
    row = views.home().models[0]
    assert {each.alert_id: each.fired for each in row.open} == {
        "a": "2026-01-01T01:00:00Z",
        "b": "2026-01-02T13:00:00Z",
    }
    assert row.budget.fired == 1
    # Its first record comes after all.
    views.alerted(alert("a", window=window(34), **fired))
    assert views.home().models[0].budget.fired == 2
    shown = views.alert("a")
    assert shown is not None
    assert shown.row.fired == "2026-01-02T11:00:00Z"


def test_marks_of_alerts_that_are_gone_make_room() -> None:
    book = AlertBook(2)
    book.take(alert("kept"), None)
    for name in ("kept", *map(str, range(20))):
        book.mark(Marks(SCHEMA, name, acknowledge=Mark("ada", "2026-01-01T00:00:00Z")), 1)
    assert book.marks("kept") is not None
    assert sum(book.marks(str(number)) is not None for number in range(20)) == 3


def test_versions_are_marked_where_they_begin() -> None:
    views = Views(windows=3)
    seen = [{"1": 5}, {"1": 5}, {"1": 4, "2": 1}, {"2": 5, "__other__": 3}, {"3": 5}]
    found = []
    for hour, versions in enumerate(seen):
        views.judged(verdict(window=window(hour), versions=versions))
        shown = views.model(MODEL)
        assert shown is not None
        found.append([(each.version, each.start) for each in shown.versions])
    assert found == [
        [],
        [],
        [("2", "2026-01-01T02:00:00Z")],
        [("2", "2026-01-01T02:00:00Z")],
        [("3", "2026-01-01T04:00:00Z")],  # the window that began with 2 is the oldest now
    ]


def test_a_normal_number_of_events_is_the_last_that_is_known() -> None:
    views = Views()
    views.judged(verdict(window=window(0)))
    figure = {"value": 9.0, "p_value": None, "threshold": None, "state": "ok"}
    events: dict[str, Any] = {"feature": None, "type": "events"}
    normal = {"events": {**figure, "reference": 8.5}}
    assert views.home().models[0].normal_events is None
    views.judged(verdict(window=window(0), detectors=normal, **events))
    assert views.home().models[0].normal_events == 8.5
    views.judged(verdict(window=window(1)))
    views.judged(verdict(window=window(1), state="insufficient", reason="not known yet", **events))
    assert views.home().models[0].normal_events == 8.5
    volume = alert("v", kind="data_quality", feature=None, window=window(0))
    views.alerted(volume)
    shown = views.alert("v")
    assert shown is not None
    assert shown.verdict is None  # no place is known


def test_who_holds_the_clock_back() -> None:
    views = Views()
    views.alerted(alert("s", kind="stale", feature="in/3"))
    views.alerted(alert("d", kind="feature_drift"))
    assert [row.alert_id for row in views.held_back()] == ["s"]
    assert views.home().models[0].state == "warning"


def test_windows_of_rows_are_shown_by_their_numbers() -> None:
    """Alerts and spans too: a file without times has no other."""
    plan = small.plan(window={"rows": 200, "min_events": 1}, budget="1 per 100 windows")
    rows = [small.row(0, x=float(n % 7), c="q", b=n % 3 > 0) for n in range(2_000)]
    outputs = small.backtest(plan, rows)
    told = small.alerts(outputs)
    views = Views.of(plan.config)
    for judged in small.verdicts(outputs):
        views.judged(judged)
    for record in told:
        views.alerted(record)
    shown = views.model(small.MODEL)
    assert shown is not None
    assert (shown.axis.starts[-1], shown.axis.ends[-1]) == ("1801", "2000")
    assert views.home().through == "2000"
    budget = shown.model.budget
    assert (budget.allowed, budget.days, budget.windows) == (1.0, None, 100)
    first = min(record.begin + 1 for record in told)
    assert min(int(row.since or "0") for row in shown.alerts) == first
    report = views.report("401", "1000")
    assert report.models[0].axis.ends == ["600", "800", "1000"]


def test_verdicts_that_were_read_are_kept_for_a_while() -> None:
    broker = MemoryBroker()
    broker.create("v", 1)
    values = [msgspec.json.encode(verdict(window=window(hour))) for hour in range(9)]
    for value in (*values, b"no verdict", None):
        broker.append(Message("v", 0, b"", value))
    connections: list[int] = []

    def connect() -> Any:
        connections.append(1)
        return broker.log

    reader = VerdictReader(connect, "v")
    kept, places._KEPT = places._KEPT, 4
    try:
        found = reader.read([Place(0, offset) for offset in range(11)])
        assert [each is not None for each in found.values()] == [True] * 9 + [False] * 2
        broker.delete_before(next(iter(broker.logs)), 11)
        again = reader.read([Place(0, 2), Place(0, 8)])
    finally:
        places._KEPT = kept
    assert again[Place(0, 2)] is None
    assert again[Place(0, 8)] == found[Place(0, 8)]
    assert connections == [1]
    reader.close()


def test_an_answer_does_not_wait_for_a_broker_that_is_away() -> None:
    """It goes without the verdict, which is there for the next question once the broker is."""
    broker, back, done = MemoryBroker(), threading.Event(), threading.Event()
    broker.create("v", 1)
    broker.append(Message("v", 0, b"", msgspec.json.encode(verdict())))

    class Away(MemoryLog):
        def read(self, *places: Any) -> Iterator[MemoryRecord]:
            back.wait(30)
            yield from super().read(*places)
            done.set()

    reader = VerdictReader(lambda: Away(broker), "v", 0.02)
    for _ in range(2):  # the second finds the first still waiting
        assert reader.read([Place(0, 0)]) == {Place(0, 0): None}
    reader.close()
    back.set()
    assert done.wait(30)
    reader.patience = 30.0
    assert reader.read([Place(0, 0)])[Place(0, 0)] == verdict()
    reader.close()
