"""What answers at once: errors, the version, help, mistakes and a broker that is away need no
numerical library and no Kafka client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOADED = "{'numpy', 'scipy', 'sklearn', 'pyarrow', 'pandas', 'kafka'} & sys.modules.keys()"
LINES = """\
--version
--help
--colour
bactest
run --help
run --wait soon
backtest --input
backtest --compare A
check --off-line
alerts tail --severity loud
alerts tail --since yesterday
alerts exec --timeout long -- true
alerts snooze 12ab
alerts notify
alerts notify --to here
reference build --model m --output r.json --first 0
reference show none.json
reference diff none.json other.json
replay --topic t --rate fast
init
topics --help
report --since then --json
report
dead-letter show --limit 0
dead-letter replay --since then
config schema --json
schema alerts
demo --hours 2
ui --host 0.0.0.0 --bootstrap-servers localhost:1
ui --token-file none --bootstrap-servers localhost:1
alerts tail --wait 0 --bootstrap-servers localhost:1
alerts show 12ab --bootstrap-servers localhost:1
alerts acknowledge 12ab --bootstrap-servers localhost:1
report --json --bootstrap-servers localhost:1
explain 12ab --against yesterday
explain 12ab --bootstrap-servers localhost:1
export 12ab --output rows.xls
export 12ab --output rows.csv --bootstrap-servers localhost:1
dead-letter show --bootstrap-servers localhost:1
dead-letter replay --bootstrap-servers localhost:1
init --from-topic t --bootstrap-servers localhost:1
replay --topic t --generate 1 --bootstrap-servers localhost:1
reference build --from-topic t --first 9 --model m --output r.json --bootstrap-servers localhost:1
"""


def run(program: str, folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()[-1]


def test_the_errors_of_every_package(root: Path, sources: list[Path], tmp_path: Path) -> None:
    parts = [path.relative_to(root).with_suffix("").parts[1:] for path in sources]
    names = [".".join(part).removesuffix(".__init__") for part in parts]
    errors = [name for name in names if name.endswith(".errors")]
    assert "driftline.errors" in errors
    assert run(f"import sys, {', '.join(errors)}; print({LOADED})", tmp_path) == "set()"


def test_a_configuration_and_whoever_reads_alerts(tmp_path: Path) -> None:
    program = f"import sys, driftline.consumer.config, driftline.consumer.alerts; print({LOADED})"
    assert run(program, tmp_path) == "set()"


def test_the_command_line(tmp_path: Path) -> None:
    """One process for all lines: what one of them loads, stays loaded."""
    program = f"""
import sys
from driftline.consumer.cli import main
for line in {LINES.splitlines()}:
    sys.argv[1:] = line.split()
    try:
        main()
    except SystemExit as end:
        assert end.code in (0, 2, 75), line
    if {LOADED}:
        break
print(line, {LOADED})
"""
    assert run(program, tmp_path) == f"{LINES.splitlines()[-1]} set()"


@pytest.mark.parametrize("verb", ["backtest --input", "init --from"])
def test_a_file_that_cannot_be_used_is_refused_without_the_judge(verb: str, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    program = f"""
import sys
from driftline.consumer.cli import main
sys.argv[1:] = "{verb} two.csv".split()
try:
    main()
except SystemExit as end:
    assert end.code == 2
heavy = ("scipy", "driftline.consumer.judge.model", "driftline.consumer.service.plan",
         "driftline.consumer.config.model", "driftline.detectors.reference")
print([name for name in heavy if name in sys.modules])
"""
    assert run(program, tmp_path) == "[]"


def test_a_report_needs_nothing_that_serves(tmp_path: Path) -> None:
    program = """
import sys

for name in ("starlette", "uvicorn", "sse_starlette"):
    sys.modules[name] = None
import driftline.consumer.cli.report_log
from driftline.consumer import report

report({"age": [1.0, 2.0] * 50}, {"age": [3.0, 4.0] * 50}).save("r.html")
print(len(open("r.html").read()) > 50_000)
"""
    assert run(program, tmp_path) == "True"
