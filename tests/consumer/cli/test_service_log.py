"""The log lines of a worker with very many models and partitions stay short."""

from __future__ import annotations

import io
import json
from unittest.mock import Mock

import structlog

from driftline.consumer.cli.service_log import NAMED, Reporter
from driftline.consumer.config import Config
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.status import Status

MODELS, PARTITIONS = 20_000, 512


def test_lines_about_a_fleet() -> None:
    kafka, model = {"bootstrap_servers": "localhost:9092"}, {"predictions": "fleet"}
    config = Config.model_validate({"kafka": kafka, "models": {"m": model | {"reference": "m"}}})
    names = [f"model-{number:05}" for number in range(MODELS)]
    applied_to = dict.fromkeys(names, (Mock(),))
    status, stream = Status(Plan(config, {}, versions=applied_to)), io.StringIO()
    panes = PanesPartition(dict.fromkeys(reversed(names), Mock()), {}, 0, 0)
    status.generation = 7
    status.stages = {
        TopicPartition("fleet", number): Mock(spec=InputPartition, failures={})
        for number in range(PARTITIONS)
    } | {TopicPartition("driftline.panes", 0): panes}
    log = structlog.wrap_logger(
        structlog.PrintLogger(stream), [structlog.processors.JSONRenderer()]
    )
    reporter = Reporter(log, status)
    reporter.look(0)
    reporter.look(1)
    ownership, applied = stream.getvalue().splitlines()
    assert max(len(ownership), len(applied)) < 2_000
    assert json.loads(ownership) == {
        "event": "ownership",
        "generation": 7,
        "partitions": sorted(f"fleet[{number}]" for number in range(PARTITIONS))[:NAMED],
        "partitions_count": PARTITIONS,
        "partitions_more": PARTITIONS - NAMED,
        "models": names[:NAMED],
        "models_count": MODELS,
        "models_more": MODELS - NAMED,
    }
    line = json.loads(applied)
    assert (line["models"], line["changed"]) == (names[:NAMED], names[:NAMED])
    assert (line["models_more"], line["changed_more"]) == (MODELS - NAMED, MODELS - NAMED)
    del panes.parts[names[0]]  # it failed
    reporter.look(2)
    assert json.loads(stream.getvalue().splitlines()[2])["models"] == names[1 : NAMED + 1]
