"""The commands that README and docs show, and what each needs to be run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from .pages import PAGES, README
from .shell import Shell

NOT_RUN = {
    "git clone <this repository> driftline && cd driftline": "the address is the reader's",
    "make demo": "installs from the network; `driftline demo`, which it runs, is run",
    "make test": "runs this test",
    "make kafka": "the Kafka tests run its program, deploy/kafka/broker.py",
    "make bench": "takes minutes; tests/kafka/test_bench_small.py runs it small",
    "pip install --no-deps driftline": "installs from the network; `make wheel` does",
    "pip install kafka-python>=3.0.12,<3.2 msgspec>=0.20": "test_alone.py has these",
    "docker compose up -d --wait": "needs a Docker engine; `make stack-test` runs it",
    "docker compose exec driftline driftline alerts tail": "needs that stack",
    "docker compose --profile grafana up -d --wait": "needs a Docker engine and Grafana's image",
    "driftline ui": "serves until it is stopped; tests/kafka/test_page.py starts and stops it",
    "driftline backtest --input last-quarter.csv --ui": "so; tests/consumer/cli/test_ui.py does",
    "driftline demo --ui": "so; tests/consumer/cli/test_ui.py does",
    "amtool config routes show --config.file=deploy/alertmanager/alertmanager.yml": (
        "tests/monitoring/test_routes.py tries the routes"
    ),
    "docker build -t registry.example/driftline:0.1.0 . && docker push"
    " registry.example/driftline:0.1.0": "needs a Docker engine and a registry",
    "kubectl create configmap references --from-file=references/": "needs a cluster",
    "openssl rand -hex 32 > page-token": "not every machine has openssl",
    "kubectl create secret generic driftline --from-file=kafka-password"
    " --from-file=page-token": "needs a cluster",
    "helm install driftline deploy/helm/driftline --set-file config=driftline.yaml"
    " --set image.repository=registry.example/driftline,references.configMap=references"
    " --set secret=driftline,ui.tokenKey=page-token": (
        "needs a cluster; tests/chart renders the chart with such values"
    ),
}
"""Commands of the pages that no test of this folder can run, each with the reason."""
# What a command shows when it has done its work.
SHOWS = {
    "demo": r"^In 18 hours nothing else alerted\.",
    "backtest": r"^(driftline|last-quarter|car-loan|\w+)   [0-9,]+ events, .* windows of ",
    "explain": r"^The rows tell the two apart: AUC ",
    "export": r"^drifted\.parquet   [0-9,]+ rows, ",
    "init": r"^driftline\.yaml .* model last-quarter, topic last-quarter\.predictions,",
    "reference show": r"^reference [0-9a-f]{16}, layout [0-9a-f]{16}: model last-quarter, ",
    "reference diff": r"^other layouts: windows over both are insufficient",
    "reference": (
        r"^references/((car-loan(-3\.2)?|coarse)\.json\.gz .*[0246],000 events, (9|10)"
        r"|orders\.json\.gz .* 1,200 events, 6"
        r"|reviews\.json\.gz .* 6,000 events, 10"
        r"|visits(-berlin)?\.json\.gz .* 14,\d{3} events, 3) features$"
    ),
    "check --plan": r"^sketch +[0-9.]+ ",
    "check": r"^no errors",
    "config show": r"^models:$",
    "config schema": r'^ +"\$schema": ',
    "schema": r'^ +"\$schema": ',
}


@dataclass(frozen=True)
class Command:
    """A command of a page, as a shell splits it, and what the page shows of what it prints."""

    page: str
    words: tuple[str, ...]
    shown: str = ""

    @property
    def line(self) -> str:
        """The command without its comment."""
        return " ".join(self.words)

    @property
    def arguments(self) -> list[str]:
        """What follows `driftline`."""
        return list(self.words[1:])

    @property
    def needs_broker(self) -> bool:
        """Whether it connects to Kafka."""
        verb = self.words[1]
        if verb == "check":
            return not {"--offline", "--partitions"} & {*self.words}
        if verb in ("explain", "export"):
            return "--input" not in self.words
        if verb in ("reference", "init"):
            return "--from-topic" in self.words
        return verb in (
            "accept", "topics", "run", "replay", "alerts", "report", "dead-letter", "apply",
            "models",
        )  # fmt: skip


def _of(page: str, text: str, shown: str) -> list[Command]:
    """Return the commands of a block; what stands below it is what the last of them prints."""
    lines = text.replace("\\\n", " ").splitlines()
    split = [words for line in lines if (words := shlex.split(line, comments=True))]
    return [
        Command(page, tuple(words), shown if number == len(split) else "")
        for number, words in enumerate(split, 1)
    ]


_SESSION = re.compile(r"^```sh\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
COMMANDS = [
    command
    for page in (README, *PAGES.values())
    for block, shown in _SESSION.findall(page.text)
    for command in _of(page.name, block, shown)
]
"""Every command, in the order of the pages."""

DRIFTLINE = [
    command
    for command in COMMANDS
    if command.words[0] == "driftline" and command.line not in NOT_RUN
]


def of_page(page: str, *, broker: bool) -> list[Command]:
    """Return the `driftline` commands of a page that need a broker, or those that need none."""
    return [each for each in DRIFTLINE if each.page == page and each.needs_broker == broker]


def pages(*, broker: bool) -> list[str]:
    """Return the pages with such commands."""
    return list(dict.fromkeys(each.page for each in DRIFTLINE if each.needs_broker == broker))


def run(command: Command, shell: Shell) -> str:
    """Run a command that needs no broker, and return what it printed.

    It must have done its work, and have printed what the page shows: parts one after the other,
    with `...` for what is left out between them; lines may be broken elsewhere.
    """
    ran = shell.inside(command.arguments)
    assert ran.returncode == 0, (command.line, ran.stdout, ran.stderr)
    shown = SHOWS.get(" ".join(command.words[1:3])) or SHOWS[command.words[1]]
    assert re.search(shown, ran.stdout, re.MULTILINE), (command.line, ran.stdout)
    printed = " ".join((ran.stderr + ran.stdout).split())
    parts = re.split(r"^\.\.\.$", command.shown, flags=re.MULTILINE)
    for part in filter(None, (" ".join(part.split()) for part in parts)):
        before, found, printed = printed.partition(part)
        assert found, (command.line, part, before)
    return ran.stdout
