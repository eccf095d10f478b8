"""Retraining after an alert, a function a step: any orchestrator, or none, can call them.

    alert -> export -> train -> rebuild -> deploy -> hand_over

Needs `driftline[files]`: rows are read as Parquet. The model is a logistic regression whose numbers
stand in a JSON file; another one is another `Model`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PREFIX = "features."
LEAST = 300  # rows with labels to train on
HELD_OUT = 0.25  # the newest of them, on which both models are compared


class NotYetError(Exception):
    """Too few labels have come: try again later."""


class NotBetterError(Exception):
    """The new model is no better than the one that serves: a person must look."""


@dataclass(frozen=True)
class Service:
    """What is retrained, and where its parts are.

    Attributes:
        config: the configuration that names the model, `driftline.yaml`.
        model: its name there.
        reference: the file that it names as the model's reference.
        folder: the model in service, training sets and candidates.
    """

    config: Path
    model: str
    reference: Path
    folder: Path

    @property
    def serving(self) -> Path:
        """The model that serves: the server reads this file."""
        return self.folder / "model.json"


@dataclass(frozen=True)
class Model:
    """A logistic regression.

    Attributes:
        version: what events have as `model_version`.
        features: their names, in the order of the weights.
        weights: of each feature.
        intercept: of the margin.
    """

    version: int
    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def score(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of class 1 for rows of inputs, shape (n,)."""
        margin = inputs @ np.array(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-margin)), np.float64)

    def save(self, path: Path) -> None:
        """Write it, all of it or nothing."""
        part = path.with_name(f".{path.name}.part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(part, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            found["version"], tuple(found["features"]), tuple(found["weights"]), found["intercept"]
        )


@dataclass(frozen=True)
class Trained:
    """A candidate, and why it may serve.

    Attributes:
        model: the candidate.
        rows: rows with labels that it was trained on.
        loss: its log loss on the newest rows, which it was not trained on.
        before: the log loss there of the model that serves; None of the first one.
    """

    model: Model
    rows: int
    loss: float
    before: float | None


def export(service: Service, alert: bytes, rows: Path) -> None:
    """Write the rows since an alert began, until now, with the labels that came, as Parquet.

    Args:
        service: the model.
        alert: the record of the alert, as it was published.
        rows: where to.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    driftline(
        "export", "-", "--config", str(service.config), "--until", now, "--output", str(rows),
        given=alert,
    )  # fmt: skip


def train(rows: Path, before: Model | None) -> Trained:
    """Train a model on rows that have a label; the newest quarter of them judges it.

    Args:
        rows: what `export` wrote.
        before: the model that serves, None of the first one.

    Raises:
        NotYetError: fewer than 300 rows have a label.
        NotBetterError: on the newest rows it is no better than the one that serves.
    """
    table = pq.read_table(rows)
    if "actual" not in table.column_names:  # not one has come
        raise NotYetError(f"no row has a label, {LEAST} are needed")
    table = table.filter(pc.is_valid(table["actual"])).sort_by("timestamp")
    if table.num_rows < LEAST:
        raise NotYetError(f"{table.num_rows} rows have a label, {LEAST} are needed")
    names = features_of(table)
    inputs, actual = inputs_of(table, names), np.array(table["actual"].to_pylist()).astype(float)
    newest = int(table.num_rows * (1.0 - HELD_OUT))
    scaler, fitted = StandardScaler(), LogisticRegression()
    make_pipeline(scaler, fitted).fit(inputs[:newest], actual[:newest])
    weights = fitted.coef_[0] / scaler.scale_
    model = Model(
        1 if before is None else before.version + 1,
        tuple(names),
        tuple(weights.tolist()),
        float(fitted.intercept_[0] - weights @ scaler.mean_),
    )
    loss = float(log_loss(actual[newest:], model.score(inputs[newest:]), labels=[0.0, 1.0]))
    known = None
    if before is not None:
        own = inputs_of(table, before.features)[newest:]
        known = float(log_loss(actual[newest:], before.score(own), labels=[0.0, 1.0]))
        if loss >= known:
            raise NotBetterError(f"log loss {loss:.3f} on the newest rows, before {known:.3f}")
    return Trained(model, newest, loss, known)


def rebuild(service: Service, rows: Path, model: Model, reference: Path) -> None:
    """Build a reference of the rows as the new model answers them.

    Args:
        service: the model.
        rows: what `export` wrote.
        model: the new one.
        reference: where to.
    """
    table = pq.read_table(rows)
    score = model.score(inputs_of(table, model.features))
    answers = {
        "prediction.score": pa.array(score),
        "prediction.label": pa.array(np.where(score >= 0.5, "1", "0").tolist()),
        "model_version": pa.array([str(model.version)] * table.num_rows),
    }
    for name, column in answers.items():
        place = table.schema.get_field_index(name)
        table = (
            table.append_column(name, column)
            if place < 0
            else table.set_column(place, name, column)
        )
    scored = rows.with_name(f"{rows.stem}-scored.parquet")
    pq.write_table(table, scored)
    driftline(
        "reference", "build", "--model", service.model, "--input", str(scored),
        "--positive-label", "1", "--output", str(reference),
    )  # fmt: skip


def deploy(service: Service, model: Model, reference: Path) -> None:
    """Let the new model serve, and put its reference where the configuration names it."""
    os.replace(reference, service.reference)
    model.save(service.serving)


def hand_over(service: Service) -> None:
    """Let the workers compare with the new reference from the next pane on, without a restart."""
    driftline("apply", "-f", str(service.config))


def retrain(service: Service, alert: bytes, name: str) -> Trained:
    """Run all steps for one alert.

    Args:
        service: the model.
        alert: the record of the alert, as it was published.
        name: of this run, for its files.
    """
    rows, reference = service.folder / f"{name}.parquet", service.folder / f"{name}.json.gz"
    before = Model.load(service.serving) if service.serving.exists() else None
    export(service, alert, rows)
    trained = train(rows, before)
    rebuild(service, rows, trained.model, reference)
    deploy(service, trained.model, reference)
    hand_over(service)
    return trained


def driftline(*arguments: str, given: bytes | None = None) -> None:
    """Run a verb of Driftline; what it says stands in the error.

    Raises:
        RuntimeError: it failed.
    """
    ran = subprocess.run(["driftline", *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607 (a fixed program)
    if ran.returncode:
        raise RuntimeError(f"driftline {arguments[0]}: {ran.stderr.decode().strip()}")


def features_of(table: pa.Table) -> list[str]:
    """Return the names of the inputs of rows, in order; they are numbers."""
    return sorted(
        name.removeprefix(PREFIX) for name in table.column_names if name.startswith(PREFIX)
    )


def inputs_of(table: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """Return inputs as rows of numbers, shape (n, features)."""
    return np.column_stack([table[f"{PREFIX}{name}"].to_numpy().astype(float) for name in names])
