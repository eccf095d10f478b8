"""The retraining example, end to end: drift, an alert, a better model, a reference, and quiet.

Once as plain functions, and once as a job of Dagster, which `make test-retraining` installs.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from tests.kafka import deployment
from tests.kafka.checkout import Sender
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import wait_until
from tests.kafka.worker import Worker

from driftline.consumer.alerts import AlertRecord, Choice, subscribe
from driftline.detectors import Reference

EXAMPLE = Path(__file__).parents[2] / "examples" / "retraining"
MODEL = "churn"
START = 1_600_000_000  # s since 1970, a multiple of a window
A_SECOND = 10  # events
NORMAL, DRIFTED = (0.0, (1.5, -1.0)), (2.0, (-1.0, -1.0))  # mean of usage; weights of the truth
NORMAL_FOR, QUIET_FOR, DRIFT_FOR, AFTER_FOR = 400, 60, 120, 80  # seconds


def example(name: str) -> ModuleType:
    """Import a file of the example as it stands; it has its neighbours by their names."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    yield example("steps")
    sys.modules.pop("steps")


@dataclass(frozen=True)
class Drawn:
    """Events of one state of the world."""

    times: NDArray[np.int64]
    inputs: NDArray[np.float64]
    actual: NDArray[np.int64]


def draw(begin: int, seconds: int, world: tuple[float, tuple[float, float]]) -> Drawn:
    """Draw events from a second on; the columns of inputs are price and usage."""
    rng, (mean, weights) = np.random.default_rng(abs(begin)), world
    n = seconds * A_SECOND
    inputs = rng.normal([0.0, mean], 1.0, (n, 2)).round(4)
    margin = (inputs - [0.0, mean]) @ np.array(weights[::-1])
    actual = (rng.random(n) < 1.0 / (1.0 + np.exp(-margin))).astype(np.int64)
    return Drawn(START + begin + np.arange(n) // A_SECOND, inputs, actual)


@dataclass
class World:
    """A service with a model, its worker, and what it predicts."""

    steps: Any
    service: Any
    worker: Worker
    sender: Sender
    bootstrap: str
    prefix: str
    second: int = 0
    applied: int = 0  # changes of models that the worker knew of before the second model
    unlabelled: list[bytes] = field(default_factory=list)

    def predict(self, seconds: int, world: tuple[float, tuple[float, float]]) -> None:
        """Let the model that serves answer events, which are sent; their labels wait."""
        drawn = draw(self.second, seconds, world)
        model = self.steps.Model.load(self.service.serving)
        values = []
        for i, score in enumerate(model.score(drawn.inputs).tolist()):
            name, time = f"{self.second}-{i}", int(drawn.times[i])
            values.append(
                {
                    "event_id": name, "timestamp": time, "model": MODEL,
                    "model_version": str(model.version),
                    "features": {"price": drawn.inputs[i, 0], "usage": drawn.inputs[i, 1]},
                    "prediction": {"score": score, "label": str(int(score >= 0.5))},
                }
            )  # fmt: skip
            label = {"event_id": name, "timestamp": time, "actual": str(drawn.actual[i])}
            self.unlabelled.append(json.dumps({**label, "model": MODEL}).encode())
        self.second += seconds
        self.sender.send(f"{self.prefix}.churn", 0, [json.dumps(v).encode() for v in values])

    def label(self) -> None:
        """Send the labels of all that was predicted."""
        self.sender.send(f"{self.prefix}.labels", 0, self.unlabelled)
        self.unlabelled = []

    def alerts(self, kinds: tuple[str, ...] = ("feature_drift",)) -> dict[str, AlertRecord]:
        """Return the newest record of each alert, of those on the distribution of a feature."""
        choice = Choice(kinds=kinds, since=0)
        with subscribe(self.bootstrap, f"{self.prefix}.alerts", choice) as found:
            return {record.alert.alert_id: record for record in found.poll()}

    def statuses(self) -> set[str]:
        return {record.alert.status for record in self.alerts().values()}


def write_normal(path: Path) -> None:
    """Write what the first model is trained on, as `driftline export` would."""
    drawn = draw(-NORMAL_FOR, NORMAL_FOR, NORMAL)
    columns = {
        "event_id": [f"n{i}" for i in range(drawn.times.size)],
        "timestamp": pa.array(drawn.times * 1_000, pa.timestamp("ms", "UTC")),
        "features.price": drawn.inputs[:, 0],
        "features.usage": drawn.inputs[:, 1],
        "actual": [str(each) for each in drawn.actual],
    }
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def world(
    steps: Any, tmp_path: Path, bootstrap: str, prefix: str, new_topic: NewTopic
) -> Iterator[World]:
    """A worker whose file names no models; the first model and its reference are applied."""
    for topic in ("churn", "labels"):
        new_topic(topic)
    service = steps.Service(
        tmp_path / "models.yaml", MODEL, tmp_path / "churn.json.gz", tmp_path / "runs"
    )
    service.folder.mkdir()
    model = {
        "predictions": f"{prefix}.churn", "labels": f"{prefix}.labels",
        "reference": "churn.json.gz",
        "window": {"length": "10s", "grace": "0s", "min_events": 50},
    }  # fmt: skip
    deployment.write_config(service.config, bootstrap, prefix, {MODEL: model})
    document = json.loads(service.config.read_text())
    del document["models"]
    (tmp_path / "driftline.yaml").write_text(json.dumps(document))
    rows = service.folder / "normal.parquet"
    write_normal(rows)
    first = steps.train(rows, None).model
    steps.rebuild(service, rows, first, service.folder / "first.json.gz")
    worker = Worker(tmp_path / "driftline.yaml", tmp_path / "worker.log")
    worker.start()
    try:
        wait_until(lambda: bool(worker.logged("ownership")), "topics are there")
        steps.deploy(service, first, service.folder / "first.json.gz")
        steps.hand_over(service)
        wait_until(lambda: MODEL in worker.owned()["models"], "the model is judged")
        wait_until(lambda: bool(worker.logged("models applied")), "the line")
        known = len(worker.logged("models applied"))
        yield World(steps, service, worker, Sender(bootstrap), bootstrap, prefix, applied=known)
    finally:
        worker.close()


def drifted(world: World) -> tuple[AlertRecord, str]:
    """Let the world change; return the alert, and the id of the reference until then."""
    world.predict(QUIET_FOR, NORMAL)
    world.predict(DRIFT_FOR, DRIFTED)
    wait_until(lambda: bool(world.alerts()), "an alert")
    (alert,) = (one for one in world.alerts().values() if one.alert.feature == "usage")
    assert alert.alert.summary.startswith("churn: usage rose: median ")
    return alert, reference_of(world)


def reference_of(world: World) -> str:
    return Reference.from_json(gzip.decompress(world.service.reference.read_bytes())).id


def is_in_service(world: World, before: str) -> None:
    """The second model serves, its reference holds, and what alarmed is normal."""
    model = world.steps.Model.load(world.service.serving)
    assert model.version == 2
    assert np.sign(model.weights).tolist() == np.sign(DRIFTED[1]).tolist()
    now = reference_of(world)
    assert now != before
    # Events that pass before the worker knows of it are compared with the reference of before.
    wait_until(lambda: len(world.worker.logged("models applied")) > world.applied, "it is known")
    world.predict(AFTER_FOR, DRIFTED)
    wait_until(lambda: world.statuses() == {"resolved"}, "the alerts are over")
    assert {record.alert.reference.id for record in world.alerts().values()} == {now}


def test_the_steps(world: World) -> None:
    alert, before = drifted(world)
    with pytest.raises(world.steps.NotYetError, match="no row has a label, 300 are needed"):
        world.steps.retrain(world.service, alert.value, "run")
    assert reference_of(world) == before
    world.label()
    trained = world.steps.retrain(world.service, alert.value, "run")
    assert trained.loss < trained.before - 0.3
    is_in_service(world, before)
    with pytest.raises(world.steps.NotBetterError, match=r"log loss 0\.\d+ on the newest rows"):
        world.steps.train(world.service.folder / "run.parquet", trained.model)
    with pytest.raises(RuntimeError, match=r"^driftline export: "):
        world.steps.driftline("export")


@pytest.fixture
def flow(steps: Any) -> Iterator[Any]:
    if importlib.util.find_spec("dagster") is None:
        reason = "Dagster is missing: run  make test-retraining"
        if os.environ.get("DRIFTLINE_RETRAINING"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield example("flow")
    sys.modules.pop("flow")


def records(requests: list[Any]) -> set[str]:
    """Return the alerts that runs are about, as published."""
    return {each.run_config["ops"]["exported"]["config"]["record"] for each in requests}


@pytest.mark.filterwarnings("ignore")  # Dagster's own
def test_the_flow(flow: Any, world: World) -> None:
    """A tick of the sensor finds the alert, its run does all steps; none finds it twice."""
    import dagster

    alert, before = drifted(world)
    world.label()
    service = world.service
    retraining = flow.Retraining(
        config=str(service.config), model=MODEL, reference=str(service.reference),
        folder=str(service.folder),
    )  # fmt: skip
    resources = {"retraining": retraining}
    with dagster.DagsterInstance.ephemeral() as instance:

        def tick(cursor: str | None) -> Any:
            context = dagster.build_sensor_context(instance, cursor, resources=resources)
            return flow.drifted.evaluate_tick(context)

        # Others may come meanwhile, on what the labels show.
        known = world.alerts(flow.KINDS)
        first = tick(None)
        asked = {request.tags["driftline/alert"]: request for request in first.run_requests}
        assert known.keys() <= asked.keys() <= world.alerts(flow.KINDS).keys()
        assert not records(tick(first.cursor).run_requests) & records(first.run_requests)
        request = asked[alert.alert.alert_id]
        assert request.run_key == alert.alert.incident_id
        ran = flow.retrain.execute_in_process(
            run_config=request.run_config, resources=resources, instance=instance
        )
    assert ran.success
    assert world.steps.Model.load(Path(ran.output_for_node("trained"))).version == 2
    is_in_service(world, before)
