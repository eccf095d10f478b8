"""docker-compose.yml: what can be told without a Docker engine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.tool import tool

from driftline.consumer.config import load

from .compose import FILE, ROOT, addresses, program, services

SERVICES = services()
HEALTHY = ["kafka", "driftline", "ui", "prometheus", "alertmanager"]
RUNNING = [*HEALTHY, "replay"]
ONCE = ["input-topic", "reference", "output-topics"]
ASKED_FOR = ["grafana"]  # with a profile
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+|[\w./-]+(:[\w.-]+)?@sha256:[0-9a-f]{64}")
each_service = pytest.mark.parametrize("name", SERVICES)


def mounts(name: str) -> dict[str, tuple[str, str]]:
    """Path in the container to what is mounted there and how."""
    entries = [entry.split(":") for entry in SERVICES[name].get("volumes", [])]
    return {inside: (outside, "".join(how)) for outside, inside, *how in entries}


def test_every_service_either_runs_or_ends() -> None:
    assert sorted(SERVICES) == sorted(RUNNING + ONCE + ASKED_FOR)
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ASKED_FOR


def test_what_ends_is_waited_for() -> None:
    """`up --wait` takes any other service that ends for one that failed."""
    waits = [service.get("depends_on", {}) for service in SERVICES.values()]
    assert {name for wait in waits for name in wait} >= set(ONCE)


def test_one_service_builds_the_image_and_the_others_take_it() -> None:
    ours = {name: s for name, s in SERVICES.items() if s["image"].startswith("driftline:")}
    assert [name for name, service in ours.items() if "build" in service] == ["driftline"]
    assert len({service["image"] for service in ours.values()}) == 1
    assert {service["pull_policy"] for service in ours.values()} == {"never"}


def test_the_image_reads_all_that_extras_bring() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = re.search(r'^ARG EXTRAS="([a-z ]+)"$', text, re.MULTILINE)
    assert brought is not None
    chosen = {"references", "confluent"}  # by whoever builds it
    elsewhere = {"dev", "docs", "spark"}  # Spark brings itself, where it runs
    others = project["optional-dependencies"].keys() - {*elsewhere, *chosen}
    assert {*brought[1].split()} == others
    for extra in others | chosen:
        assert f"requirements-{extra}.txt" in text
        assert (ROOT / f"requirements-{extra}.txt").exists()


def test_what_the_image_is_made_of_is_not_ignored() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M) for name in line.split()
    }
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}


def test_the_image_says_what_it_is() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]+)"', text))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert labels["version"] == project["version"]
    assert labels["description"] == project["description"]
    assert labels["licenses"] == project["license"]
    assert labels["title"] == "Driftline"
    (base,) = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    assert labels["base.name"] == f"docker.io/library/{base}"
    assert SERVICES["driftline"]["image"] == f"driftline:{project['version']}"


@pytest.mark.parametrize(
    ("image", "pinned"),
    [("a/b:1.2.3", True), ("a/b:v0.28.1", True), ("a/b@sha256:" + "0" * 64, True)]
    + [(image, False) for image in ("a/b", "a/b:latest", "a/b:1", "a/b:3-latest", "a/b:1.2")],
)
def test_what_is_pinned(image: str, pinned: bool) -> None:
    assert (PINNED.fullmatch(image) is not None) == pinned


@each_service
def test_the_image_is_pinned(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


def test_images_of_the_dockerfile_are_one_and_pinned() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    images = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    (image,) = images
    assert re.fullmatch(r"python:3\.\d+-slim", image)
    assert "# syntax" not in text  # it would name one more image to pull
    assert re.search(r"^USER (?!0|root)\d+:\d+$", text, re.MULTILINE)
    assert "HEALTHCHECK" not in text  # only one of the verbs serves a port


@each_service
def test_no_service_has_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    # Kafka's image writes the broker's configuration into its own file system when it starts.
    assert service.get("read_only", False) == (name != "kafka")
    # The other images name a user that is not root themselves.
    assert str(service.get("user", "1")).split(":")[0] not in ("0", "root")
    assert "user" in service or service["image"].startswith(("driftline:", "apache/kafka:"))


@each_service
def test_ports_are_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_what_people_look_at_has_a_port() -> None:
    assert all(SERVICES[name]["ports"] for name in HEALTHY + ASKED_FOR)


def test_readme_names_every_port() -> None:
    ports = {
        port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])
    }
    assert {url.split(":")[2].split("/")[0] for url in addresses()} == ports - {"9092"}


@each_service
def test_files_of_the_repository_are_mounted_read_only_and_exist(name: str) -> None:
    for outside, how in mounts(name).values():
        if outside.startswith("."):
            assert (ROOT / outside).exists()
            assert how == "ro"


@each_service
def test_every_verb_of_driftline_finds_the_configuration(name: str) -> None:
    """The image names the file for all of them: without it each would end with an error."""
    if SERVICES[name]["image"].startswith("driftline:") and name != "input-topic":
        assert mounts(name)["/etc/driftline/driftline.yaml"]


@each_service
def test_nothing_waits_for_a_service_that_cannot_tell(name: str) -> None:
    """One that runs is waited for until it is healthy, one that ends until it has succeeded."""
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_healthy" if other in HEALTHY else "service_completed_successfully"
        assert wait == {"condition": wanted}


@pytest.mark.parametrize("name", HEALTHY + ASKED_FOR)
def test_what_serves_a_port_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["interval"] == "2s"
    assert check["test"]


def test_prometheus_reads_the_rules_and_tells_alertmanager() -> None:
    mounted = mounts("prometheus")
    config_file = "/etc/prometheus/prometheus.yml"
    assert f"--config.file={config_file}" in SERVICES["prometheus"]["command"]
    assert mounted[config_file] == ("./deploy/prometheus/prometheus.yml", "ro")
    config: Any = yaml.safe_load((ROOT / mounted[config_file][0]).read_text(encoding="utf-8"))
    rules = [str(Path(config_file).parent / name) for name in config["rule_files"]]
    assert [mounted[path][0] for path in rules] == ["./deploy/prometheus/rules.yml"]
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "driftline"  # DriftlineDown asks for it
    (told,) = config["alerting"]["alertmanagers"]
    targets = [*job["static_configs"][0]["targets"], *told["static_configs"][0]["targets"]]
    published = {
        name: [port.split(":")[-1] for port in SERVICES[name]["ports"]] for name in HEALTHY
    }
    for target in targets:
        name, port = target.split(":")
        assert port in published[name]


def test_grafana_finds_its_files_and_its_prometheus() -> None:
    mounted = mounts("grafana")
    folder = ROOT / mounted["/etc/grafana/provisioning"][0]
    read = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in folder.glob("*/*.yml")]
    (source,) = [one for document in read for one in document.get("datasources", [])]
    (provider,) = [one for document in read for one in document.get("providers", [])]
    prometheus = {f"http://{name}:{SERVICES[name]['ports'][0].split(':')[-1]}" for name in HEALTHY}
    assert source["url"] in prometheus
    dashboards = Path(provider["options"]["path"])
    there = {path.name for path in (ROOT / mounted[str(dashboards)][0]).iterdir()}
    assert there == {"models.json", "workers.json"}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == str(dashboards / "models.json")


def test_who_looks_at_grafana_may_change_nothing() -> None:
    settings = SERVICES["grafana"]["environment"]
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert settings["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


def test_the_configuration_fits_the_services(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "compose" / "driftline.yaml").read_text(encoding="utf-8")
    (tmp_path / "driftline.yaml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "driftline.yaml", environ={}, offline=True).config
    (model,) = config.models.values()
    assert config.kafka.bootstrap_servers == ("kafka:19092",)
    built = next(a for a in SERVICES["reference"]["command"] if a.startswith("--output="))
    assert built == f"--output={model.reference.layout}"
    (port,) = SERVICES["ui"]["ports"]
    assert port == f"127.0.0.1:{config.ui.port}:{config.ui.port}"
    assert config.ui.url == f"http://localhost:{config.ui.port}"
    (worker,) = SERVICES["driftline"]["ports"]
    assert config.ui.workers == (f"http://driftline:{worker.rpartition(':')[2]}",)
    server, topic, _ = SERVICES["input-topic"]["command"]
    assert (server,) == config.kafka.bootstrap_servers
    assert (topic,) == model.predictions
    (replay,) = SERVICES["replay"]["command"]
    assert f"--topic={topic} " in replay


def test_compose_takes_the_file() -> None:
    command = program()
    if command is None:
        pytest.skip("docker compose (version 2 or newer) is not installed")
    ran = subprocess.run(
        [*command, "-f", str(FILE), "config", "--quiet"], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("promtool", "check config deploy/prometheus/prometheus.yml"),
        ("amtool", "check-config deploy/alertmanager/alertmanager.yml"),
        ("hadolint", "Dockerfile"),
        ("compose-lint", "docker-compose.yml"),
    ],
)
def test_their_own_tools_take_the_files(name: str, arguments: str) -> None:
    command = [tool(name), *arguments.split()]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
