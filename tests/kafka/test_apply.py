"""Models are applied to workers that run: added, changed, removed, without a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.kafka import checkout, deployment
from tests.kafka.checkout import MODEL, Sender, events
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import Grown, TopicReader, wait_until
from tests.kafka.worker import Worker, driftline


def run(*arguments: object) -> list[dict[str, Any]]:
    """Run a verb; return what it prints as JSON."""
    code, out, err = driftline(*arguments, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def documents(reader: TopicReader) -> list[dict[str, Any]]:
    """Return what is published."""
    return [json.loads(record.value or b"") for record in reader.read()]


def test_models_come_change_and_go_while_two_workers_run(
    bootstrap: str, new_topic: NewTopic, prefix: str, tmp_path: Path
) -> None:
    topic = new_topic("events", 2)
    sender = Sender(bootstrap)
    workers_file = tmp_path / "workers.yaml"
    deployment.write_config(workers_file, bootstrap, prefix, {})
    document = json.loads(workers_file.read_text())
    del document["models"]
    workers_file.write_text(json.dumps(document))
    models_file = checkout.write_config(tmp_path / "models.yaml", bootstrap, topic, prefix)
    workers = [Worker(workers_file, tmp_path / f"worker-{n}.log") for n in (0, 1)]
    try:
        for worker in workers:
            worker.start()
        wait_until(lambda: all(w.logged("ownership") for w in workers), "shares")
        (added,) = run("apply", "-f", models_file)
        assert (added["action"], added["name"]) == ("added", MODEL)
        wait_until(
            lambda: sum(topic in name for w in workers for name in w.owned()["partitions"]) == 2,
            "both workers have a partition",
        )
        with (
            TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts,
            TopicReader(bootstrap, f"{prefix}.alerts") as alerts,
        ):
            for partition in (0, 1):
                sender.send(topic, partition, events(0, 45, amount=90.0))
            wait_until(Grown(verdicts, 4 * checkout.FEATURES), "four windows judged")
            (before,) = run("models", "list", "-c", workers_file)

            config = json.loads(models_file.read_text())
            config["models"][MODEL]["thresholds"] = {"ks": {"warning": 0.0001}}
            models_file.write_text(json.dumps(config))
            (changed,) = run("apply", "-f", models_file)
            assert changed["keys"] == ["thresholds.ks"]
            # Events that pass the first pane before a worker knows of it are counted as before.
            wait_until(lambda: all(len(w.logged("models applied")) == 2 for w in workers), "known")
            for partition in (0, 1):
                sender.send(topic, partition, events(45, 115))
            wait_until(Grown(verdicts, 11 * checkout.FEATURES), "eleven windows judged")
            judged = [v for v in documents(verdicts) if v["feature"] == "amount"][-6:]
            states = {v["window"]["end"]: v["state"] for v in judged}
            assert {end for end, state in states.items() if state == "ok"} == {
                end for end in states if end <= changed["since"]
            }
            assert set(states.values()) == {"ok", "warning"}
            assert {v["reference"]["id"] for v in judged} == {before["reference"]}

            code, _, err = driftline("models", "remove", MODEL, "-c", workers_file)
            assert (code, err) == (0, "")
            wait_until(
                lambda: "resolved" in {a["status"] for a in documents(alerts)}, "alerts are over"
            )
            assert run("models", "list", "-c", workers_file) == []
        for worker in workers:
            assert worker.stop() < 5
            assert worker.logged("models applied")[0]["changed"] == [MODEL]
            assert "Traceback" not in worker.text()
    finally:
        for worker in workers:
            worker.close()
