"""What the command line prints, over files, over the logs of the other runs, and for mistakes."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.consumer.cli.bad_files import rows
from tests.consumer.cli.conftest import ANALYSIS_ROWS, CAR_LOAN, REFERENCE_ROWS
from tests.consumer.cli.test_backtest_compare import CONFIG as COMPARED
from tests.consumer.cli.test_backtest_compare import answers
from tests.consumer.cli.test_backtest_compare import write as write_csv
from tests.consumer.cli.test_init import FLIGHTS
from tests.consumer.golden.everything import everything, troubles
from tests.consumer.golden.outputs import DATA, Outputs
from tests.consumer.service.rig import Rig
from typer.main import get_command

from driftline.consumer.cli import app, main
from driftline.consumer.cli.progress import LINES
from driftline.consumer.log import kafka_python
from driftline.detectors import DETECTORS
from driftline.detectors.outcomes import METRICS

TRUTH_ROWS = DATA / "car_loan_analysis_target.csv.gz"
WIDTH = "100"
_BYTES = re.compile(r"\d+(?:\.\d)? (?:kB|MB)")  # of what is packed: every zlib has its own
_LABELLED = (
    CAR_LOAN.replace(
        "models:", "  truth: {fields: {event_id: id, actual: repaid}}\nmodels:"
    ).replace(".gz", "")
    + "    labels: {topic: truth, horizon: 40d}\n"
    + "    performance: {accuracy: {max_drop: 0.01, for: 2 of 3}}\n"
)
MISTAKES = {
    "unknown keys": (
        "kafka: {bootstrap_server: k:1}\nmodels:\n  m: {predictions: t, referense: r}\n"
    ),
    "values": (
        "kafka: {bootstrap_servers: k:1, start: soon}\nmodels:\n  m:\n    predictions: t\n"
        "    reference: r.json\n    window: {length: 1h, every: 7m, min_events: few}\n"
        "    thresholds: {ks: {warning: 5}, wasserstein: {warning: 1, on: p_value}, psy: 1}\n"
        "    performance: {accuracy: {max_drop: 5}, auc: {min: 0.5}}\n    budget: 1 a month\n"
    ),
    "labels": (
        "kafka: {bootstrap_servers: k:1}\nmodels:\n  m:\n    predictions: t\n"
        "    reference: r.json\n    labels: {topic: l, horizon: 1d, maturity: 2d}\n"
        "comparisons: {c: {champion: m, challenger: n}}\n"
    ),
    "no YAML": "kafka: {bootstrap_servers: [k:1\n",
    "no reference": (
        "kafka: {bootstrap_servers: k:1}\nmodels:\n  m: {predictions: t, reference: r.json}\n"
    ),
}
BROKER = ("--bootstrap-servers", "kafka:9092")


class Screen:
    """Calls `driftline` in the present folder and keeps what it prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, *arguments: object, shown: bool = True) -> str:
        """Call it; return what went to stdout."""
        words = ["driftline", *map(str, arguments)]
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            patch.object(sys, "argv", words),
            patch.object(LINES, "clock", lambda: 0.0),  # a slow machine prints no more
        ):
            try:
                main()
            except SystemExit as ended:
                code = ended.code or 0
        text = _BYTES.sub("N MB", out.getvalue())
        if shown:
            self.lines += [f"$ {' '.join(words)}", *text.splitlines()]
            self.lines += [f"2> {line}" for line in err.getvalue().splitlines()]
            self.lines += [f"exit code {code}", ""]
        return text


@contextlib.contextmanager
def empty(folder: Path) -> Iterator[Screen]:
    """Stand in a folder of one's own, with nothing in the environment that changes a screen."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("DRIFTLINE", "NO_COLOR"))}
    folder.mkdir(parents=True)
    with patch.dict(os.environ, {**own, "COLUMNS": WIDTH}, clear=True), contextlib.chdir(folder):
        yield Screen()


def help_of_every_verb(screen: Screen) -> None:
    """`--help` of everything, and calls that are not right."""

    def ask(words: tuple[str, ...], command: Any) -> None:
        screen(*words, "--help")
        for name, each in sorted(getattr(command, "commands", {}).items()):
            ask((*words, name), each)

    ask((), get_command(app))
    for wrong in ("", "frobnicate", "alerts show", "check --nonsense", "replay --rate fast"):
        screen(*wrong.split())


def mistakes(screen: Screen) -> None:
    """Configurations with something wrong."""
    screen("check", "--offline")
    for title, text in MISTAKES.items():
        Path("driftline.yaml").write_text(text, encoding="utf-8")
        screen.lines.append(f"--- {title}")
        screen("check", "--offline")
        screen("config", "show")
    screen("run")
    screen("backtest")
    screen("backtest", "--input", "none.csv", "--config", "none.yaml")


def configuration(screen: Screen) -> None:
    """What holds, with all defaults."""
    Path("driftline.yaml").write_text(_LABELLED, encoding="utf-8")
    screen("config", "show")
    screen("config", "show", "--json")


def schema(screen: Screen) -> None:
    """The JSON schema, without detectors and metrics that are written only where one names them."""
    screen("config", "schema")
    named = {name for name, detector in DETECTORS.items() if not detector.always}
    named |= {name for name, metric in METRICS.items() if not metric.always}
    screen.lines = [line for line in screen.lines if line.strip(' ",') not in named]


def alerts_tail(screen: Screen) -> None:
    """Alerts of the other runs, a line each."""
    for rig in _logs(screen):
        screen("alerts", "tail", "--no-follow", *BROKER)
        if rig is troubles():
            screen("alerts", "tail", "--no-follow", "--since", "2020-01-01T00:00:00Z", *BROKER)


def alerts_show(screen: Screen) -> None:
    """One alert of each sort in full."""
    for rig in _logs(screen):
        seen = set()
        for alert in rig.alerts():
            what = (alert["kind"], alert["type"], alert["detector"], not alert["segment"])
            if what not in seen:
                screen("alerts", "show", alert["alert_id"], *BROKER)
            seen.add(what)


def dead_letters(screen: Screen) -> None:
    """Dead letters of the other runs."""
    for _ in _logs(screen):
        screen("dead-letter", "show", "--values", *BROKER)
        screen("dead-letter", "show", "--json", "--limit", 5, *BROKER)


def _logs(screen: Screen) -> Iterator[Rig]:
    """Let `driftline` read the logs of one run after the other."""
    for title, rig in (("everything", everything()), ("troubles", troubles())):
        screen.lines.append(f"--- {title}")
        with patch.object(kafka_python, "connect", lambda config, rig=rig: rig.broker):
            yield rig


def comparisons(screen: Screen) -> None:
    """`backtest --compare`: of the same events, of others, of a configuration."""
    a = write_csv(Path("a.csv"), answers(0.85, 1, range(800)))
    b = write_csv(Path("b.csv"), answers(0.92, 2, range(800)))
    c = write_csv(Path("c.csv"), answers(0.92, 2, range(800, 1_600)))
    for other in (b, c):
        both = ("--compare", a, other, "--actual", "y_true")
        screen("backtest", *both)
        screen("backtest", *both, "--json")
    Path("driftline.yaml").write_text(COMPARED, encoding="utf-8")
    sided = [
        {
            "id": row["event_id"], "time": row["time"], "km": row["km"], "said": row["y_pred"],
            "truth": row["y_true"], "version": 1 + row["km"] % 2,
        }
        for row in answers(0.9, 3, range(800))
    ]  # fmt: skip
    write_csv(Path("in.csv"), sided)
    screen("backtest", "--input", "in.csv", "--compare", "m@1", "m@2", "--actual", "truth")


def a_file_alone(screen: Screen) -> None:
    """Without a configuration, and `init` of the same file."""
    Path("quiet.csv").write_text(rows(4_000), encoding="utf-8")
    screen("backtest", "--input", "quiet.csv", "--verdicts")
    screen("init", "--from", "quiet.csv")
    screen.lines += Path("driftline.yaml").read_text(encoding="utf-8").splitlines()


def flights(screen: Screen) -> Outputs:
    """`init`, `check` and `backtest` of the flights."""
    Path(FLIGHTS.name).symlink_to(FLIGHTS)
    screen("init", "--from", FLIGHTS.name, "--model", "flights", "--topic", "ml.flights")
    screen.lines += Path("driftline.yaml").read_text(encoding="utf-8").splitlines()
    screen("check", "--offline")
    screen("backtest", "--input", FLIGHTS.name)
    records = screen("backtest", "--input", FLIGHTS.name, "--json", "--verdicts", shown=False)
    reference = gzip.decompress(Path("references/flights.json.gz").read_bytes())
    return {
        "flights/records": records.splitlines(),
        "flights/reference": reference.decode().splitlines(),
    }


def car_loan(screen: Screen) -> Outputs:
    """`reference build` and `backtest` of the car loans, with and without labels."""
    for file in (ANALYSIS_ROWS, REFERENCE_ROWS, TRUTH_ROWS):
        Path(file.name).symlink_to(file)
    Path("driftline.yaml").write_text(CAR_LOAN.replace(".gz", ""), encoding="utf-8")
    build = ("reference", "build", "--model", "car-loan", "--output", "car-loan.json")
    screen(*build, "--input", REFERENCE_ROWS.name, "--config", "driftline.yaml")
    screen("backtest", "--input", ANALYSIS_ROWS.name, "--verdicts")
    Path("driftline.yaml").write_text(_LABELLED, encoding="utf-8")
    late = ("backtest", "--input", ANALYSIS_ROWS.name, "--labels", TRUTH_ROWS.name)
    screen(*late)
    records = screen(*late, "--json", "--verdicts", shown=False)
    return {
        "car loan/records": records.splitlines(),
        "car loan/reference": Path("car-loan.json").read_text(encoding="utf-8").splitlines(),
    }


SCREENS: dict[str, Callable[[Screen], Outputs | None]] = {
    "help": help_of_every_verb,
    "mistakes": mistakes,
    "configuration": configuration,
    "schema": schema,
    "alerts tail": alerts_tail,
    "alerts show": alerts_show,
    "dead letters": dead_letters,
    "comparisons": comparisons,
    "a file alone": a_file_alone,
    "flights": flights,
    "car loan": car_loan,
}


def screens(folder: Path) -> Outputs:
    """What is printed, and the files that are written; `folder`: empty, to work in."""
    found: Outputs = {}
    for number, (title, show) in enumerate(SCREENS.items()):
        with empty(folder / str(number)) as screen:
            found |= show(screen) or {}
            found[f"screens/{title}"] = screen.lines
    return found
