"""A detector of another package in a worker: it judges, and fires, as any of ours does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chi2_contingency
from tests.examples.test_own_detector import MODULES, PROJECT
from tests.installed import install
from tests.kafka import checkout
from tests.kafka.checkout import MODEL, Sender, event, events
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import TopicReader, wait_until
from tests.kafka.worker import Worker, driftline

from driftline.consumer.service.reference_outline import parse_reference


def test_a_worker_fires_by_it(
    bootstrap: str,
    new_topic: NewTopic,
    prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic, sender = new_topic("events"), Sender(bootstrap)
    path = checkout.write_config(tmp_path / "driftline.yaml", bootstrap, topic, prefix)
    config = json.loads(path.read_text())
    config["models"][MODEL] |= {"budget": "off", "thresholds": {"g_test": {"critical": 60}}}
    path.write_text(json.dumps(config))
    code, said, error = driftline("check", "--offline", "--config", path)
    assert (code, "g_test" in said + error) == (2, True)  # it is not installed yet
    site = install(tmp_path / "site", PROJECT["name"], MODULES, PROJECT["entry-points"])
    monkeypatch.setenv("PYTHONPATH", str(site))
    worker = Worker(path, tmp_path / "worker.log")
    features = {"amount": 50.0, "channel": "web"}
    only_web = [event(second, i, features=features) for second in range(20, 40) for i in range(10)]
    try:
        worker.start()
        worker.wait_until_ready()
        sender.send(topic, 0, events(0, 20) + only_web)
        with TopicReader(bootstrap, f"{prefix}.alerts") as reader:

            def fired() -> list[dict[str, Any]]:
                found = [json.loads(record.value or b"") for record in reader.read()]
                return [alert for alert in found if alert["feature"] == "channel"]

            wait_until(lambda: bool(fired()), "the alert")
            alert = fired()[0]
            assert (alert["detector"], alert["rule"]) == ("g_test", "g_test: critical 60")
        with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
            found = [json.loads(record.value or b"") for record in verdicts.read()]
        judged = {v["window"]["start"]: v for v in found if v["feature"] == "channel"}
        verdict = judged[alert["window"]["start"]]
        assert verdict["state"] == "critical"
        reference = parse_reference((tmp_path / "checkout.json").read_bytes())
        begin = reference.layout.starts[reference.layout.position["channel"]]
        normal = reference.counts_of(None)[begin : begin + 3]  # app, shop, web
        assert normal.sum() == 2_000
        wanted = chi2_contingency([normal, [0, 0, 100]], correction=False, lambda_="log-likelihood")
        assert verdict["detectors"]["g_test"]["value"] == pytest.approx(wanted.statistic, rel=1e-5)
    finally:
        worker.close()
