"""Whatever the operator gets wrong: exit code 2, what to do on stderr, never a traceback."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import CAR_LOAN, Driftline

VERBS = [
    "run",
    "check",
    "reference build",
    "replay",
    "backtest",
    "topics create",
    "topics check",
    "alerts tail",
    "alerts show",
    "alerts acknowledge",
    "alerts snooze",
    "alerts false-alarm",
    "alerts notify",
    "config show",
    "config schema",
    "schema",
    "dead-letter show",
    "dead-letter replay",
]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(driftline: Driftline, verb: str) -> None:
    ran = driftline(*verb.split(), "--help")
    assert ran.code == 0
    assert f"Usage: driftline {verb} [OPTIONS]" in ran.out


@pytest.mark.parametrize("verb", [*VERBS, "", "topics", "reference"])
def test_a_wrong_option(driftline: Driftline, verb: str) -> None:
    ran = driftline(*verb.split(), "--nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert "No such option: --nonsense" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "frobnicate",
        "topics delete",
        "alerts show",
        "schema alerts",
        "replay --topic t",
        "replay --rate fast",
    ],
)
def test_a_wrong_call(driftline: Driftline, arguments: str) -> None:
    ran = driftline(*arguments.split())
    assert ran.code == 2
    assert "Traceback" not in ran.err


CONFIGURED = [
    "run",
    "check --offline",
    "topics create",
    "topics check",
    "config show",
]
BROKER = [*CONFIGURED, "alerts tail", "alerts show x", "dead-letter show", "dead-letter replay"]


@pytest.mark.parametrize("arguments", CONFIGURED)
def test_no_configuration(driftline: Driftline, arguments: str) -> None:
    ran = driftline(*arguments.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "there is no driftline.yaml in this folder; give --config FILE\n"


@pytest.mark.parametrize("arguments", BROKER)
def test_a_bad_configuration(driftline: Driftline, tmp_path: Path, arguments: str) -> None:
    """Every error at once, each with file, line and the nearest name."""
    (tmp_path / "driftline.yaml").write_text(
        "kafka: {bootstrap_server: k:1}\nmodels:\n  m: {predictions: t, referense: r}\n"
    )
    ran = driftline(*arguments.split(), "-c", "driftline.yaml")
    text = ran.out if arguments.startswith("check") else ran.err
    assert ran.code == 2
    assert "did you mean bootstrap_servers?" in text
    assert "did you mean reference?" in text
    assert text.count("driftline.yaml:3") >= 1
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("arguments", [*BROKER[1:], "replay -i rows.csv --topic t"])
def test_a_broker_that_is_not_there(driftline: Driftline, tmp_path: Path, arguments: str) -> None:
    # Port 9 is `discard`: nothing listens there on a machine of today.
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN.replace("localhost:9092", "127.0.0.1:9"))
    (tmp_path / "rows.csv").write_text("ts,km\n1600000000,1\n")
    if arguments == "config show":
        return
    wait = ["--wait", "0"] if arguments == "alerts tail" else []
    ran = driftline(*arguments.replace(" --offline", "").split(), *wait)
    check = arguments.startswith("check")
    assert ran.code == (2 if check else 75)  # an outage is nobody's mistake
    assert "127.0.0.1:9: connection refused" in (ran.out if check else ran.err)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist: build it with driftline reference build"),
        ("{", "the reference is not valid JSON"),
        ('{"schema": "driftline.reference.v9"}', "this version reads 'driftline.reference.v2'"),
        ("[" * 900 + "]" * 900, "the reference "),
        ("[" * 100_000, "the reference is not valid JSON"),
        ('{"schema": "driftline.reference.v1", "id": "x", "y": NaN}', "does not match its id"),
        (
            '{"schema": "driftline.reference.v1", "y": ' + "[" * 700 + "]" * 700 + "}",
            "does not match its id",
        ),
    ],
)
def test_run_refuses_a_reference_that_does_not_parse(
    driftline: Driftline, tmp_path: Path, content: str | None, said: str
) -> None:
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN.replace(".json.gz", ".json"))
    if content is not None:
        (tmp_path / "car-loan.json").write_text(content)
    ran = driftline("run")
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("driftline.yaml:15: models.car-loan.reference: ")
    assert said in line


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.symlink_to("/dev/zero"), "it is a pipe or a device, not a file"),
        (os.mkfifo, "it is a pipe or a device, not a file"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_bytes(gzip.compress(b"{" * 9_000_000)), "unpacks to more than 1"),
        (lambda path: path.write_bytes(b"{}"), "Not a gzipped file"),
        (lambda path: path.write_bytes(gzip.compress(b"{}")[:-4]), "end-of-stream marker"),
    ],
)  # fmt: skip
def test_a_reference_file_that_is_none(
    driftline: Driftline, tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    make(tmp_path / "car-loan.json.gz")
    (tmp_path / "x.csv").write_text("a\n1\n")
    for verb in (("run",), ("backtest", "--input", "x.csv")):
        ran = driftline(*verb)
        assert (ran.code, ran.out) == (2, "")
        line = ran.err.splitlines()[-1]
        assert line.startswith("driftline.yaml:15: models.car-loan.reference: car-loan.json.gz ")
        assert said in line


@pytest.mark.usefixtures("car_loan_folder")
def test_run_refuses_names_that_the_reference_lacks(driftline: Driftline, tmp_path: Path) -> None:
    more = "    segments: [chanel]\n    features: {car_valeu: {weight: 2}}\n    ignore: [debug_*]\n"
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN + more)
    ran = driftline("run")
    assert (ran.code, ran.err.splitlines()) == (
        2,
        [
            "driftline.yaml:20: models.car-loan.features.car_valeu: not in the reference;"
            " did you mean car_value?",
            "driftline.yaml:19: models.car-loan.segments[0]: the reference has no segments of"
            " chanel; build it with chanel among the segments",
        ],
    )


def test_a_defect_of_ours_is_no_error_of_the_operator(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("driftline.consumer.config.schema", fail)
    ran = driftline("config", "schema")
    assert ran.code == 70
    assert "ZeroDivisionError" in ran.err


def test_help_needs_no_heavy_library() -> None:
    program = (
        "import sys, driftline.consumer.cli; print(*sys.modules)"  # as `driftline --help` does
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "scipy", "pyarrow", "kafka", "pydantic", "structlog", "rich"}
    assert heavy & set(ran.stdout.split()) == set()


def test_run_loads_nothing_that_only_reads_files() -> None:
    program = (
        "import sys, driftline.consumer.cli.service, driftline.consumer.cli.logs,"
        " driftline.consumer.cli.load_models; print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"pyarrow", "sklearn", "pandas", "driftline.producer.files.rows"}
    assert heavy & set(ran.stdout.split()) == set()
