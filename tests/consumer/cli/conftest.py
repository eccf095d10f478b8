"""The command line as a user has it: arguments in, exit code, stdout and stderr out."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from driftline.consumer.cli import main
from driftline.consumer.cli.progress import LINES
from driftline.detectors.reference import Reference
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

DATA = Path(__file__).parents[2] / "data"
REFERENCE_ROWS = DATA / "car_loan_reference.csv.gz"
ANALYSIS_ROWS = DATA / "car_loan_analysis.csv.gz"

CAR_LOAN = """\
kafka: {bootstrap_servers: "localhost:9092"}
sources:
  ml.predictions:
    fields:
      timestamp: timestamp
      event_id: id
      prediction.score: y_pred_proba
      prediction.label: y_pred
      actual: repaid
      model_version: {value: "1"}
      features: "*"
models:
  car-loan:
    predictions: ml.predictions
    reference: car-loan.json.gz
    window: {length: 6d}
    owner: credit
    runbook: https://wiki.example/car-loan
"""


@dataclass(frozen=True)
class Ran:
    """What a call of `driftline` gave."""

    code: int
    out: str
    err: str


Driftline = Callable[..., Ran]


@pytest.fixture
def driftline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Driftline:
    """Run `driftline` in a folder of its own: `driftline("check", "--offline")`."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "DRIFTLINE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    # On a slow machine no more is printed than on a fast one.
    monkeypatch.setattr(LINES, "clock", lambda: 0.0)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["driftline", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        assert code is None or isinstance(code, int)
        return Ran(code or 0, out, err)

    return run


@pytest.fixture(scope="session")
def car_loan() -> Reference:
    """The reference of the examples in the documentation: every distinct value is kept."""
    mapping = Mapping(
        {
            "timestamp": "timestamp",
            "event_id": "id",
            "prediction.score": "y_pred_proba",
            "prediction.label": "y_pred",
            "actual": "repaid",
            "features": "*",
        }
    )
    settings = ReferenceSettings("car-loan", grid=None)
    return reference_from_rows(read_rows(REFERENCE_ROWS), mapping, settings).reference


@pytest.fixture(scope="session")
def packed_car_loan(car_loan: Reference) -> bytes:
    """The same as a file."""
    return gzip.compress(car_loan.to_json(), 1)


@pytest.fixture
def car_loan_folder(tmp_path: Path, packed_car_loan: bytes) -> Path:
    """The working folder with `driftline.yaml` and the reference it names."""
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    (tmp_path / "car-loan.json.gz").write_bytes(packed_car_loan)
    return tmp_path
