"""What workers' metrics tell of the monitor: a real scrape, and what cannot be one."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.views.flow import Scrape, pipeline_view
from driftline.consumer.views.pipeline import ModelFlow, PartitionRow, WorkerRow

SCRAPE = (Path(__file__).parents[1] / "http" / "scrape.txt").read_text("utf-8")
PROCESS = "process_resident_memory_bytes 1.5e+08\nprocess_cpu_seconds_total 12.5\n"
OTHER = """\
driftline_worker_ready 0
driftline_events_counted_total{model="loan"} 10
driftline_watermark_timestamp_seconds{model="loan"} 1.59999999e+09
driftline_last_event_timestamp_seconds{model="loan"} 1.6000001e+09
driftline_consumer_lag{topic="in",partition="1"} 400
driftline_dead_letters_total{reason="malformed"} 1
driftline_labels_total{model="loan"} 7
driftline_labels_joined_total{model="loan"} 6
driftline_join_rows_total{model="loan",outcome="expired"} 2
driftline_join_rows_total{model="loan",outcome="unmatched"} 1
driftline_predictions_waiting{model="loan"} 3
driftline_model_failed{model="loan"} 1
"""


def test_a_worker_by_its_metrics() -> None:
    view = pipeline_view([Scrape("10.0.0.1:9108", SCRAPE + PROCESS)], [], "name them")
    assert (view.available, view.hint, view.held_back) == (True, None, [])
    assert view.workers == [WorkerRow("10.0.0.1:9108", True, "VERSION", 1.5e8, 12.5, None)]
    assert view.partitions == [PartitionRow("in", 0, 17, "10.0.0.1:9108")]
    assert view.rejected == {"malformed": 2}
    assert view.skipped == {"unknown_model": 3}
    churn, loan = view.models
    assert (churn.model, churn.counted, churn.watermark, churn.joined) == ("churn", 0, None, {})
    assert loan == ModelFlow(
        model="loan",
        watermark="2020-09-13T12:26:50Z",
        last_event="2020-09-13T12:26:57.500Z",
        counted=90,
        late=5,
        passed_over=0,
        labels=0,
        waiting=0,
        joined={},
        reference="REFERENCE",
        failed=False,
    )


def test_workers_add_up() -> None:
    view = pipeline_view([Scrape("a", SCRAPE), Scrape("b", OTHER)], [], "")
    assert [row.ready for row in view.workers] == [True, False]
    assert [(row.lag, row.worker) for row in view.partitions] == [(400, "b"), (17, "a")]
    assert view.rejected == {"malformed": 3}
    (loan,) = [flow for flow in view.models if flow.model == "loan"]
    assert (loan.counted, loan.labels, loan.waiting, loan.failed) == (100, 7, 3, True)
    assert loan.joined == {"joined": 6, "expired": 2, "unmatched": 1}
    assert (loan.watermark, loan.last_event) == ("2020-09-13T12:26:30Z", "2020-09-13T12:28:20Z")


def test_what_is_no_worker() -> None:
    scrapes = [Scrape("a", error="no answer"), Scrape("b", "<html>"), Scrape("c", "up 1\n")]
    view = pipeline_view(scrapes, [], "name them")
    assert (view.available, view.hint, view.models) == (False, None, [])
    no_worker = "this is no worker: it does not answer with metrics"
    assert [row.error for row in view.workers] == ["no answer", no_worker, no_worker]


def test_without_workers_it_says_what_to_do() -> None:
    assert pipeline_view([], [], "name them").hint == "name them"
