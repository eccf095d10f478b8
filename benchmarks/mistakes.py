"""What the answer to a mistake costs: CPU seconds of each command that fails.

Run: python -m benchmarks.mistakes [--repeat N] [WORD ...]

Each command runs in a process of its own, in a folder with files that are wrong in many ways, and
must end with exit code 2 (75 where no broker is there); of N runs the cheapest counts, as a busy
machine makes the others dearer. With words only the commands that hold one of them run. Printed
are the CPU seconds of user and system, and what was answered, first by where the mistake is.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from enum import Enum
from pathlib import Path

DRIFTLINE = (sys.executable, "-c", "from driftline.consumer.cli import main; main()")


class Mistake(Enum):
    """Where a mistake is, which says what must be loaded to find it."""

    IN_OPTIONS = "in the options, or a file is not there"
    IN_CONFIGURATION = "in the configuration"
    IN_DATA = "in what a file holds"
    OF_BROKER = "the broker is away"


FILES = {
    "good.yaml": "kafka: {bootstrap_servers: localhost:1}\n"
    "models: {m: {predictions: t, reference: r.json.gz}}\n",
    "rows.yaml": "kafka: {bootstrap_servers: localhost:1}\n"
    "models: {m: {predictions: t, reference: r.json.gz, window: {rows: 500}}}\n",
    "unknown.yaml": "kafka: {bootstrap_servers: localhost:1}\nmodles: {}\n",
    "address.yaml": "kafka: {bootstrap_servers: localhost}\n"
    "models: {m: {predictions: t, reference: r.json.gz}}\n",
    "broken.yaml": "models: [m\n",
    "empty.csv": "",
    "two.csv": "a,b\n1,2\n3,4\n",
    "texts.csv": "name\n" + "".join(f"n{i}\n" for i in range(300)),
    "untimed.csv": "a\n" + "".join(f"{i % 7}\n" for i in range(300)),
    "torn.parquet": "no Parquet",
    "rows.txt": "a,b\n1,2\n",
}
"""Name to text."""

_IN_OPTIONS = """\
--colour
bactest
run --wait soon
check --off-line
check --plan --rate foo
backtest
backtest --input missing.csv
backtest --input empty.csv
backtest --input rows.txt
backtest --input two.csv --compare A
backtest --input two.csv --window soon
backtest --input two.csv --rows 0
backtest --input two.csv --rows 100 --window 6h
backtest --input two.csv --budget lots
backtest --input two.csv --timezone Nowhere
backtest --input two.csv --labels missing.csv
backtest --input two.csv --reference missing.json
reference build --model m --output r.json
reference build --input missing.csv --model m --output r.json
reference build --input two.csv --model m --output r.txt
reference build --input two.csv --model m --output r.json --grid fine
reference build --input two.csv --model m --output r.json --type a=date
reference build --from-topic t --model m --output r.json
reference build --from-topic t --model m --output r.json --first 9
init
init --from missing.csv
replay --topic t
replay --topic t --input missing.csv
replay --topic t --input two.csv
replay --topic t --rate fast
alerts tail
alerts tail --since yesterday
alerts show 12ab
alerts exec -- true
alerts exec --timeout long -- true
alerts notify --to http://localhost:1
alerts notify --to localhost
dead-letter show
dead-letter replay
dead-letter replay --since then
dead-letter show --reason late
dead-letter show --since 1h --until 2h
demo --hours 2
"""
_IN_CONFIGURATION = """\
run
check
config show
topics create
topics check
run --config missing.yaml
run --config unknown.yaml
run --config broken.yaml
run --config address.yaml
run --config rows.yaml
run --config good.yaml
run --config good.yaml --take-over u
check --config good.yaml --plan --rate u=1/s
check --config missing.yaml
check --config unknown.yaml
check --offline --config good.yaml
check --config good.yaml --bootstrap-servers nowhere
config show --config unknown.yaml
topics create --config missing.yaml
topics check --config unknown.yaml
backtest --input two.csv --config missing.yaml
backtest --input two.csv --config unknown.yaml
backtest --input two.csv --config good.yaml
backtest --input two.csv --config good.yaml --model n
backtest --input two.csv --config good.yaml --rows 9
reference build --input two.csv --model n --output r.json --config good.yaml
init --from two.csv --bootstrap-servers nowhere
init --from two.csv --output good.yaml
init --from two.csv --model a/b
replay --topic t --input two.csv --bootstrap-servers nowhere
alerts tail --bootstrap-servers nowhere
alerts show 12ab --config missing.yaml
dead-letter show --config missing.yaml
"""
_IN_DATA = """\
backtest --input two.csv
backtest --input texts.csv
backtest --input torn.parquet
init --from two.csv
init --from texts.csv
init --from untimed.csv
"""
_OF_BROKER = """\
check --config good.yaml
topics create --config good.yaml
alerts tail --no-follow --wait 0 --config good.yaml
dead-letter show --config good.yaml
init --from-topic t --bootstrap-servers localhost:1
replay --topic t --input two.csv --config good.yaml
"""
COMMANDS = {
    line: where
    for where, lines in zip(
        Mistake, (_IN_OPTIONS, _IN_CONFIGURATION, _IN_DATA, _OF_BROKER), strict=True
    )
    for line in lines.splitlines()
}
"""What is given to `driftline`, to where the mistake is."""


def prepare(folder: Path) -> None:
    """Write the files that the commands name."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")


def cost(line: str, folder: Path) -> tuple[float, str]:
    """Run a command that fails; return its CPU seconds, and the last line of what it answers."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("DRIFTLINE")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [*DRIFTLINE, *line.split()],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode not in (2, 75):
        raise SystemExit(f"driftline {line}: exit code {ran.returncode}\n{ran.stderr}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, (ran.stderr or ran.stdout).strip().splitlines()[-1]


def main() -> None:
    """Run all commands, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, metavar="N")
    parser.add_argument("words", nargs="*", metavar="WORD")
    given = parser.parse_args()
    chosen = {
        line: where
        for line, where in COMMANDS.items()
        if not given.words or any(word in line for word in given.words)
    }
    costs: dict[Mistake, list[float]] = {where: [] for where in Mistake}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        cost("--colour", folder)  # writes the bytecode, which no later one does
        for line, where in chosen.items():
            least, answer = min(cost(line, folder) for _ in range(given.repeat))
            costs[where].append(least)
            print(f"{least:6.2f}  {line:<74}  {answer[:90]}", flush=True)
    print("\nCPU s of the dearest")
    for where, found in costs.items():
        if found:
            print(f"{max(found):6.2f}  {where.value} ({len(found)} commands)")


if __name__ == "__main__":
    main()
