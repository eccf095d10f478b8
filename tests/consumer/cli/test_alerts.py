"""`driftline alerts`: the examples of the documentation, and what is in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.records import accuracy, alert, labels_stopped, verdict

from driftline.consumer.cli.alert_log import find_alert, find_verdict
from driftline.consumer.cli.alert_text import Share, alert_in_full, alert_line, bars
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.config import OutputConfig
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import Message, Record, TopicPartition
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert, Verdict, Window
from driftline.consumer.wire.subject import identity

IN_FULL = """\
FIRING  critical  car-loan / car_value                                    owner credit   https://wiki.example/car-loan
car_value rose: median 43,485, normally 21,902, since 2019-03-27 00:00 UTC. 4 other features changed too: loan_length, repaid_loan_on_prev_car, salary_range, prediction.score.

                       normally     now
  up to 11744            10.0 %   0.0 %       |
  11744 to 13494         10.0 %   0.3 %       |
  13494 to 15624         10.0 %   0.9 %       |
  15624 to 18283         10.0 %   2.2 %  #    |
  18283 to 21902         10.0 %   5.9 %  ###  |
  21902 to 26738         10.0 %   8.0 %  #### |
  26738 to 33619         10.0 %  13.8 %  #####|##
  33619 to 44064         10.0 %  20.8 %  #####|#####
  44064 to 60684         10.0 %  22.1 %  #####|######
  above 60684            10.0 %  26.0 %  #####|########      | normally

991 events, 2019-04-02 to 2019-04-08, version 1, reference 12d664886f4460a1 (50,000 events)
rule budget: 1 per 30d, min_effect: 0.02    ks 0.431 (limit 0.052), effect 1.53"""  # noqa: E501


def test_an_alert_in_full() -> None:
    assert alert_in_full(alert(), verdict()) == IN_FULL


def test_where_there_is_a_page_its_address_is_shown() -> None:
    url = "https://drift.example/alerts/56f29dcfdc4e44e8"
    linked = msgspec.structs.replace(alert(), links={"page": url})
    assert alert_in_full(linked, verdict()) == f"{IN_FULL}\npage {url}"
    assert alert_line(linked) == f"{alert_line(alert())}  {url}"


def test_without_its_verdict_an_alert_shows_the_bins_it_names() -> None:
    text = alert_in_full(alert(), None)
    assert "  above 60684            10.0 %  26.0 %  #####|########\n" in text
    assert text.count(" %  ") >= 5
    assert "(the bins that contributed most)" in text
    assert "44064" not in text


def test_an_alert_on_a_rate_shows_what_became_of_the_events() -> None:
    counts = {"valid": 941, "missing": 50, "absent": 0, "invalid": 0}
    bad = msgspec.structs.replace(
        alert(), kind="data_quality", counts=counts, top=[], owner=None, runbook=None
    )
    text = alert_in_full(bad, verdict())
    assert "\n\n  valid               941   95.0 %\n  missing              50    5.0 %\n" in text
    assert text.splitlines()[0] == "FIRING  critical  car-loan / car_value"


def test_an_alert_on_the_whole_model_has_no_bins() -> None:
    window = Window("2019-04-02T06:30:00Z", "2019-04-03T00:00:00Z", 0)
    stale = msgspec.structs.replace(
        alert(), kind="stale", feature=None, top=[], detector=None, effect=None, window=window,
        versions={}, rule="stale_after: 1 day",
    )  # fmt: skip
    assert alert_in_full(stale, None).endswith(
        "\n\n2019-04-02 06:30 to 2019-04-03, reference 12d664886f4460a1 (50,000 events)\n"
        "rule stale_after: 1 day"
    )


ACCURACY = """\
FIRING  warning  car-loan / performance.accuracy                          owner credit   https://wiki.example/car-loan
accuracy fell to 0.915 (95 % interval 0.896 to 0.931), normally 0.944, on 991 labelled of 991 events, since 2019-04-08 00:00 UTC. 5 features changed before it.

  now           0.915  95 % interval 0.896 to 0.931
  normally      0.944
  limit         0.934
  predictions   991 labelled, 0 waiting, 0 expired

991 events, 2019-04-14 to 2019-04-20, version 1, reference 12d664886f4460a1 (50,000 events)
rule accuracy: max_drop 0.01, for 2 of 3    accuracy 0.915 (limit 0.934)"""  # noqa: E501


def test_an_alert_on_performance_shows_the_interval_and_what_is_normal() -> None:
    assert alert_in_full(accuracy(), None) == ACCURACY
    estimated = msgspec.structs.replace(
        accuracy(), feature="performance.estimated_accuracy", counts=None, threshold=None
    )
    shown = alert_in_full(estimated, None).split("\n\n")[1]
    assert shown == "  now           0.915  95 % interval 0.896 to 0.931\n  normally      0.944"


def test_a_metric_without_an_interval() -> None:
    gap = msgspec.structs.replace(
        accuracy(), feature="performance.estimate_gap", detector="estimate_gap", value=-0.031,
        interval=None, normal=0.0, threshold=None,
    )  # fmt: skip
    shown = alert_in_full(gap, None).split("\n\n")[1].splitlines()
    assert shown[:2] == ["  now           -0.031", "  normally      0"]


def test_an_alert_on_labels_is_one_of_the_whole_model() -> None:
    text = alert_in_full(labels_stopped(), None)
    assert text.splitlines()[0].startswith("FIRING  warning  car-loan   ")
    assert text.endswith("\nrule labels: half as many, or twice as late as usual, for 2 of 3")


@pytest.mark.parametrize(
    ("most", "longest"), [(1.0, 20), (0.26, 13), (0.04, 20), (0.002, 4), (0.0, 0)]
)
def test_bars_fit_beside_their_labels(most: float, longest: int) -> None:
    assert bars([Share("a", 0.0, most)]).count("#") == longest


def test_one_line() -> None:
    assert alert_line(alert()).startswith(
        "2019-04-08 00:00  FIRING    critical  car-loan: car_value rose: median 43,485, normally"
    )
    resolved = msgspec.structs.replace(alert(), status="resolved", severity="warning")
    assert alert_line(resolved).startswith("2019-04-08 00:00  RESOLVED  warning   car-loan:")


class Log:
    """The topics of one deployment in memory."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(now=1_000_000_000)
        for name in ("alerts", "verdicts", "dead-letter"):
            self.broker.create(f"driftline.{name}", 3)
        self.output = OutputLog(MemoryLog(self.broker), OutputConfig())

    def write(self, *records: Alert | Verdict) -> None:
        for record in records:
            name, key = (
                ("alerts", record.alert_id)
                if isinstance(record, Alert)
                else ("verdicts", record.stream)
            )
            value = msgspec.json.encode(record)
            partition = partition_of(key, 3)
            self.broker.append(Message(f"driftline.{name}", partition, key.encode(), value))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    made = Log()
    monkeypatch.setattr(kafka_python, "connect", lambda config: made.broker)
    return made


def record(number: int, revision: int = 1, **changes: object) -> Alert:
    alert_id = identity("car-loan", f"f{number}", "feature_drift", "2019-03-27T00:00:00Z")
    return msgspec.structs.replace(
        alert(), alert_id=alert_id, revision=revision, feature=f"f{number}", **changes
    )


def day(number: int) -> Window:
    return Window(f"2019-04-0{number}T00:00:00Z", f"2019-04-0{number + 1}T00:00:00Z", 991)


BROKER = ("--bootstrap-servers", "kafka:9092")
ONCE = ("alerts", "tail", "--no-follow", *BROKER)


def lines(*alerts: Alert) -> str:
    return "".join(alert_line(each) + "\n" for each in alerts)


def test_the_present_is_the_highest_revision_of_each_alert(driftline: Driftline, log: Log) -> None:
    newest, gone = record(1, 3, window=day(4)), record(2, 2, status="resolved", window=day(5))
    other = record(3, window=day(2))
    log.write(record(1, 1), newest, record(1, 2), record(2, 1), gone, other, other)
    assert driftline(*ONCE).out == lines(other, newest)


def test_what_comes_is_told_once(
    driftline: Driftline, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(record(1))
    late = [record(1, 2, status="resolved", window=day(5)), record(4, window=day(4))]
    rounds = iter([late, [late[0], late[0]], [record(1)], []])

    def sleep(seconds: float) -> None:
        more = next(rounds)
        log.write(*more)
        if not more:
            raise KeyboardInterrupt  # the usual way to end it

    monkeypatch.setattr("time.sleep", sleep)
    ran = driftline("alerts", "tail", *BROKER)
    assert (ran.code, ran.out) == (0, lines(record(1), late[1], late[0]))


def test_with_a_time_everything_since_then_is_told(driftline: Driftline, log: Log) -> None:
    first, gone = record(1, window=day(1)), record(1, 2, status="resolved", window=day(3))
    log.write(first, gone, record(2, window=day(4)))
    ran = driftline(*ONCE, "--since", "2019-04-04T00:00:00Z")
    assert ran.out == lines(gone, record(2, window=day(4)))
    ran = driftline(*ONCE, "--since", "2019-05-01T00:00:00Z")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), 3),
        (("--model", "car-loan"), 2),
        (("--model", "churn"), 1),
        (("--model", "churn", "--model", "car-loan"), 3),
        (("--severity", "warning"), 3),
        (("--severity", "critical"), 2),
        (("--model", "churn", "--severity", "critical"), 0),
    ],
)
def test_alerts_can_be_chosen(
    driftline: Driftline, log: Log, options: tuple[str, ...], told: int
) -> None:
    log.write(record(1), record(2), record(3, model="churn", severity="warning"))
    assert driftline(*ONCE, *options).out.count("\n") == told


def test_what_is_no_alert_is_passed_over(driftline: Driftline, log: Log) -> None:
    log.broker.append(Message("driftline.alerts", 0, b"x", b"not an alert"))
    log.broker.append(Message("driftline.alerts", 0, b"x", None))
    log.write(record(1))
    ran = driftline(*ONCE)
    assert (ran.code, ran.out) == (0, lines(record(1)))


def of_window(found: Alert) -> Verdict:
    window, reference = found.window, found.reference.id
    verdict_id = identity(found.stream, found.feature or "", *window.times, reference)
    return msgspec.structs.replace(
        verdict(), verdict_id=verdict_id, feature=found.feature or "", window=window
    )


def test_an_alert_is_found_by_the_beginning_of_its_id_with_its_verdict(log: Log) -> None:
    wanted = record(1, 2)
    log.write(of_window(record(2)), of_window(wanted), record(1), wanted, record(2))
    found = find_alert(log.output, wanted.alert_id[:6])
    assert found.alert == wanted
    assert find_verdict(log.output, found) == of_window(wanted)


def test_only_the_verdicts_near_an_alert_are_read(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, whole = [], log.output.read_after

    def read_after(partition: TopicPartition, time: int) -> Iterator[Record]:
        for each in whole(partition, time):
            read.append(each.timestamp - log.broker.now)
            yield each

    monkeypatch.setattr(log.output, "read_after", read_after)
    now = log.broker.now
    for minute in range(-60, 61):
        log.broker.now = now + 60_000 * minute
        log.write(of_window(record(2)))
    log.broker.now = now
    log.write(record(1))
    found = find_alert(log.output, record(1).alert_id)
    assert find_verdict(log.output, found) is None
    assert (min(read), max(read)) == (-10 * 60_000, 11 * 60_000)


def test_a_verdict_that_is_gone(log: Log) -> None:
    log.write(of_window(record(1)), record(1))
    found = find_alert(log.output, record(1).alert_id)
    assert find_verdict(log.output, found) == of_window(record(1))
    log.broker.delete_before(
        next(p for p, kept in log.broker.logs.items() if kept and "verd" in p.topic), 1
    )
    assert find_verdict(log.output, found) is None


def test_an_id_that_is_unknown_or_short(log: Log) -> None:
    log.write(record(1), record(2))
    with pytest.raises(CommandError, match=r"zz: no such alert in driftline\.alerts"):
        find_alert(log.output, "zz")
    with pytest.raises(CommandError, match=r"2 alerts in driftline\.alerts begin so"):
        find_alert(log.output, "")


def test_the_verbs(driftline: Driftline, log: Log) -> None:
    ran = driftline("alerts", "tail", "--no-follow", *BROKER)
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing fires now\n")
    log.write(of_window(record(1)), record(1))
    ran = driftline("alerts", "tail", "--no-follow", *BROKER)
    assert (ran.code, ran.out, ran.err) == (0, alert_line(record(1)) + "\n", "")
    ran = driftline("alerts", "tail", "--no-follow", "--json", *BROKER)
    assert json.loads(ran.out)["alert_id"] == record(1).alert_id
    ran = driftline("alerts", "show", record(1).alert_id, *BROKER)
    assert "#####|########      | normally" in ran.out
    ran = driftline("alerts", "show", "nothing", *BROKER)
    assert (ran.code, ran.out) == (2, "")


def test_a_deployment_that_is_not_there(driftline: Driftline, log: Log) -> None:
    log.broker.infos.clear()
    ran = driftline("alerts", "tail", *BROKER)
    assert (ran.code, ran.err) == (
        2,
        "driftline.alerts does not exist: check output.prefix, or run  driftline topics create\n",
    )
