"""What installed packages add to a table: in one order, or one sentence that says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.installed import install

from driftline.detectors import DETECTORS, Detector
from driftline.detectors.outcomes import METRICS, Metric
from driftline.detectors.tables import Table, code_of
from driftline.errors import PluginError

DETECTOR = """
from driftline.detectors import Detector
from driftline.detectors.registry import Rate, Scale

DETECTOR = Detector("NAME", "why?", ("numeric",), Scale("distance", 0.0, 1.0), LAW, USE)
def figures(samples): ...
def quiet_share(level, window): ...
"""
METRIC = """
from driftline.detectors.outcomes.metrics import Metric, MetricScale

METRIC = Metric("NAME", "words", "classes", MetricScale("share", 0.0, 1.0, -1), None)
def figure(layout, counts): ...
"""


def filled(text: str, name: str, law: str = "None", use: str = "'named'") -> str:
    return text.replace("NAME", name).replace("LAW", law).replace("USE", use)


def tables() -> tuple[Table[Detector], Table[Metric]]:
    """The two tables as a process that starts has them."""
    assert isinstance(DETECTORS, Table)
    assert isinstance(METRICS, Table)
    return (
        Table(DETECTORS.own.values(), DETECTORS.group),
        Table(METRICS.own.values(), METRICS.group),
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_without_a_package_there_are_ours() -> None:
    detectors, metrics = tables()
    assert [*detectors] == [*DETECTORS]
    assert len(metrics) == len(METRICS)
    ks = detectors["ks"]
    assert code_of(ks, ks.own_module).__name__ == "driftline.detectors.features.ks"


def test_lines_of_packages_follow_ours_by_their_names(site: Path) -> None:
    for package, names in (("one", ("zeta", "beta")), ("two", ("gamma",))):
        modules = {f"{package}_{name}.py": filled(DETECTOR, name) for name in names}
        points = {name: f"{package}_{name}" for name in names}
        install(site, package, modules, {"driftline.detectors": points})
    install(site, "three", {"m.py": filled(METRIC, "gain")}, {"driftline.metrics": {"gain": "m"}})
    detectors, metrics = tables()
    assert [*detectors] == [*DETECTORS, "beta", "gamma", "zeta"]
    assert [*metrics] == [*METRICS, "gain"]
    assert code_of(detectors["beta"], "no").__name__ == "one_beta"
    assert metrics["gain"].module == "m"
    assert detectors["ks"] == DETECTORS["ks"]


ONE = filled(DETECTOR, "own", "'law'")
REFUSED: dict[str, tuple[str, str, str]] = {
    "a name of ours": ("psi", filled(DETECTOR, "psi"), "has the name of one of Driftline's own"),
    "a name of alerts": ("joint", filled(DETECTOR, "joint"), "has a name that alerts have"),
    "no name": ("Own-1", filled(DETECTOR, "Own-1"), "needs a name of small letters"),
    "another name": ("own", filled(DETECTOR, "other"), "calls itself other: give both one name"),
    "a module that fails": (
        "own",
        "import nothing_of_that_name",
        "cannot be loaded: Modu",
    ),
    "no line": ("own", "DETECTOR = 5", "has no DETECTOR, a driftline.detectors.registry.Detector"),
    "no figures": ("own", ONE.replace("def figures", "def f"), "has no function figures in"),
    "no law": ("own", ONE.replace("def quiet_share", "def q"), "has no function quiet_share in"),
    "no types": ("own", ONE.replace('("numeric",)', '("text",)'), "must have types, of numeric"),
    "always": ("own", filled(DETECTOR, "own", use="'always'"), "must have use='named', so that"),
    "a rate": ("own", filled(DETECTOR, "own", use='rate=Rate(("missing",), "m")'), "cannot count"),
    "a table": ("own", "from driftline.detectors import DETECTORS\n[*DETECTORS]", "uses the table"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used_is_one_sentence(what: str, site: Path) -> None:
    name, text, why = REFUSED[what]
    module = f"module_{[*REFUSED].index(what)}"  # what was imported once stays so
    install(site, "acme-checks", {f"{module}.py": text}, {"driftline.detectors": {name: module}})
    detectors, metrics = tables()
    if what == "a table":
        assert isinstance(DETECTORS, Table)
        text = text.replace("import DETECTORS", "import DETECTORS as D").replace(
            "[*DETECTORS]", "import tests.detectors.test_plugins as t\n[*t.AGAIN[0]]"
        )
        (site / f"{module}.py").write_text(text)
        AGAIN.append(Table((), DETECTORS.group))
    with pytest.raises(PluginError) as error:
        len(detectors)
    sentence = str(error.value)
    assert sentence.startswith(f"the detector {name} of the package acme-checks {why}"), sentence
    assert sentence.endswith("; mend the package, or uninstall it")
    assert "\n" not in sentence
    assert len(metrics) == len(METRICS)


AGAIN: list[Table[Detector]] = []


def test_a_name_of_two_packages_is_refused(site: Path) -> None:
    for package in ("acme", "beta"):
        modules = {f"twice_{package}.py": filled(DETECTOR, "own")}
        install(site, package, modules, {"driftline.detectors": {"own": f"twice_{package}"}})
    with pytest.raises(PluginError, match="own of the package beta is there twice: twice_acme;"):
        _ = tables()[0]["ks"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (("NAME", "estimate_gap"), "has the name of an estimate"),
        (("NAME", "estimated_f1"), "has the name of an estimate"),
        (('"classes"', '"clusters"'), "must have a family, one of classes, scores, prob"),
        (("figure(", "measure("), "has no function figure in metric_3"),
    ],
)
def test_metrics_are_refused_likewise(changed: tuple[str, str], why: str, site: Path) -> None:
    name = changed[1] if changed[0] == "NAME" else "own"
    module = f"metric_{sum(map(ord, why + name)) if 'function' not in why else 3}"
    text = filled(METRIC.replace(*changed), name)
    install(site, "acme", {f"{module}.py": text}, {"driftline.metrics": {name: module}})
    with pytest.raises(PluginError, match=f"the metric {name} of the package acme {why}"):
        len(tables()[1])


CONFIG = """\
kafka: {bootstrap_servers: "localhost:1"}
models: {m: {predictions: in, reference: m.json}}
"""
PROGRAM = """
import sys
from driftline.consumer.cli import main
for line in (["--help"], ["run", "--config", "driftline.yaml"], ["check", "--offline"]):
    sys.argv[1:] = line
    try:
        main()
    except SystemExit as end:
        print("exit", end.code)
    print("plugins", "driftline.detectors.plugins" in sys.modules)
"""


def test_a_worker_does_not_start_and_check_says_the_same(tmp_path: Path) -> None:
    """Help reads no package; what reads the configuration ends with the sentence."""
    site = tmp_path / "site"
    points = {"driftline.detectors": {"own": "broken"}}
    install(site, "acme", {"broken.py": "raise ValueError('no')"}, points)
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{PROGRAM}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    ends = [line for line in ran.stdout.splitlines() if line.startswith(("exit", "plugins"))]
    assert ends == ["exit 0", "plugins False", *(["exit 2", "plugins True"] * 2)], ran.stderr
    said = "the detector own of the package acme cannot be loaded: ValueError: no; mend the package"
    assert ran.stderr.count(said) == 2
    assert "Traceback" not in ran.stderr
