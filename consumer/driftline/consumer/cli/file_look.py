"""A first look at a file, printed, before what judges it or describes it is loaded."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.cli.screen import Screen
from driftline.consumer.offline.assumptions import Assumptions
from driftline.consumer.offline.first_look import FirstLook, look_alone, look_for_topic
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.window_options import WindowOptions
from driftline.producer.files.given import Input
from driftline.producer.records.time_form import GivenTimes


def alone(
    file: Path, model: str | None, truth: GivenTruth, wanted: WindowOptions, times: GivenTimes
) -> FirstLook:
    """Look at a file that is its own reference; see `look_alone`."""
    return look_alone(file, model, Screen(), truth, wanted, times)


def for_topic(file: Input, model: str | None, truth: GivenTruth, times: GivenTimes) -> Assumptions:
    """Look at a file of events that a topic will have; see `look_for_topic`."""
    return look_for_topic(file, model, Screen(), truth, times)
