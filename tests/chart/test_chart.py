"""The Helm chart: linted, rendered for three sets of values, and valid by Kubernetes' schemas."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from driftline.consumer.cli import app
from driftline.consumer.config import load

from .conftest import CHART, KUBERNETES, ROOT, VALUES, Helm, Manifest, Render
from .custom_resources import SCHEMAS

GOLDEN = Path(__file__).with_name("smallest.rendered.yaml")


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield the pods with the name of their container."""
    for each in of_kind(manifests, "Deployment", "StatefulSet", "Job"):
        spec = each["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        yield container["name"], spec


@pytest.mark.parametrize("values", VALUES)
def test_it_is_linted(helm: Helm, values: str) -> None:
    ran = helm("lint", "--strict", "--quiet", str(CHART), "--values", str(VALUES[values]),
               "--kube-version", KUBERNETES)  # fmt: skip
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("values", VALUES)
def test_manifests_are_valid(render: Render, values: str) -> None:
    manifests = render(values)
    assert len(manifests) >= 5
    for each in manifests:
        if schema := SCHEMAS.get(each["kind"]):
            jsonschema.validate(each, schema)
        else:
            kubernetes_validate.validate(each, KUBERNETES, strict=True)
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(set(names)) == len(names)


def test_every_kind_that_the_chart_has_is_rendered(render: Render) -> None:
    found = {each["kind"] for values in VALUES for each in render(values)}
    assert found == {
        "ConfigMap", "Deployment", "Ingress", "Job", "NetworkPolicy", "PodDisruptionBudget",
        "Service", "ServiceAccount", "StatefulSet", *SCHEMAS,
    }  # fmt: skip


@pytest.mark.parametrize("values", VALUES)
def test_commands_are_verbs_with_options_that_exist(render: Render, values: str) -> None:
    for name, pod in pods(render(values)):
        (container,) = pod["containers"]
        assert container["command"] == ["driftline"], name
        parse(container["args"])


def parse(arguments: list[str]) -> None:
    """Read a command line as `driftline` does, and run nothing."""
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context("driftline", [*arguments])


def test_what_is_no_verb_and_no_option_is_found() -> None:
    for arguments in (["walk"], ["run", "--walk"], ["topics", "walk"]):
        with pytest.raises(Exception, match="walk"):
            parse(arguments)


@pytest.mark.parametrize("values", [name for name in VALUES if name != "scaled"])
def test_the_configuration_is_read_as_it_was_given(
    render: Render, values: str, tmp_path: Path
) -> None:
    for name in ("ca.pem", "kafka-password"):
        (tmp_path / "secrets").mkdir(exist_ok=True)
        (tmp_path / "secrets" / name).write_text("secret")
    (given,) = {each["data"]["driftline.yaml"] for each in of_kind(render(values), "ConfigMap")}
    assert given == yaml.safe_load(VALUES[values].read_text())["config"]
    (tmp_path / "driftline.yaml").write_text(given)
    (worker,) = (pod for name, pod in pods(render(values)) if name == "worker")
    environment = {each["name"]: each["value"] for each in worker["containers"][0]["env"]}
    config = load(tmp_path / "driftline.yaml", environ=environment, offline=True).config
    assert (config.http.host, config.http.port) == ("0.0.0.0", 9108)
    assert config.kafka.static_membership


@pytest.mark.parametrize("values", VALUES)
def test_no_pod_can_more_than_it_must(render: Render, values: str) -> None:
    for name, pod in pods(render(values)):
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"] == {
            "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }  # fmt: skip
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        written = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
        assert set(written) <= {"/tmp", "/var/lib/driftline"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_user_is_that_of_the_image() -> None:
    assert "USER 10001:10001" in (ROOT / "Dockerfile").read_text()


def test_rules_are_those_of_prometheus(render: Render) -> None:
    (found,) = of_kind(render("production"), "PrometheusRule")
    assert found["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    assert os.path.samefile(CHART / "files" / "rules.yml", ROOT / "deploy/prometheus/rules.yml")
    (monitor,) = of_kind(render("production"), "ServiceMonitor")
    (job,) = monitor["spec"]["endpoints"][0]["relabelings"]
    assert job["replacement"] == "driftline"  # as the rules call it


def test_selectors_and_names_lead_to_what_is_meant(render: Render) -> None:
    manifests = render("production")
    labels = [
        each["spec"]["template"]["metadata"]["labels"].items()
        for each in of_kind(manifests, "Deployment", "StatefulSet")
    ]
    for service in of_kind(manifests, "Service"):
        assert sum(service["spec"]["selector"].items() <= each for each in labels) == 1
    (budget,) = of_kind(manifests, "PodDisruptionBudget")
    selected = budget["spec"]["selector"]["matchLabels"].items()
    assert sum(selected <= each for each in labels) == 1
    (ingress,) = of_kind(manifests, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]["name"]
    assert backend in {service["metadata"]["name"] for service in of_kind(manifests, "Service")}
    (scaled,) = of_kind(render("scaled"), "ScaledObject")
    (workers,) = of_kind(render("scaled"), "Deployment")
    assert scaled["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]
    assert "replicas" not in workers["spec"]  # KEDA says how many


def test_the_page_may_read_what_workers_say(render: Render) -> None:
    """Whoever else may is named; where nobody is, all may."""

    def peers(*settings: str) -> list[Any]:
        policies = of_kind(render("scaled", *settings), "NetworkPolicy")
        (own,) = (each for each in policies if each["metadata"]["name"].endswith("-workers"))
        found = own["spec"]["ingress"][0].get("from", [])
        return [each.get("podSelector", {}).get("matchLabels", {}) for each in found]

    assert peers() == [{}]
    pages = peers("ui.enabled=true", "ui.behindProxy=true")
    assert [each.get("app.kubernetes.io/component") for each in pages] == [None, "ui"]
    assert peers("networkPolicy.metricsFrom=null") == []


def test_another_configuration_starts_the_pods_again(render: Render) -> None:
    def marks(*settings: str) -> set[str]:
        found = of_kind(render("smallest", *settings), "Deployment", "StatefulSet")
        pods = [each["spec"]["template"]["metadata"]["annotations"] for each in found]
        return {annotations["checksum/config"] for annotations in pods}

    (before,), (after,) = marks(), marks("config=kafka: {}")
    assert before != after


@pytest.mark.parametrize(
    ("values", "setting", "sentence"),
    [
        ("smallest", "workers.replica=3", "additional properties 'replica' not allowed"),
        ("smallest", "workers.kind=DaemonSet", "value must be one of 'StatefulSet', 'Deployment'"),
        ("smallest", "config=", "config is missing: --set-file config=driftline.yaml"),
        ("smallest", "ui.behindProxy=false", "the page needs a token (secret and ui.tokenKey)"),
        ("production", "secret=", "ui.tokenKey is a key of the Secret that `secret` names"),
        ("production", "notify.urlsSecret=", "notify.urlsSecret is missing"),
        ("production", "ui.ingress.host=", "ui.ingress.host is missing"),
        ("scaled", "keda.bootstrapServers=", "keda.bootstrapServers is missing"),
        ("scaled", "keda.topics=null", "keda.topics is missing"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    helm: Helm, values: str, setting: str, sentence: str
) -> None:
    ran = helm("template", "drift", str(CHART), "--values", str(VALUES[values]), "--set", setting,
               "--kube-version", KUBERNETES)  # fmt: skip
    assert ran.returncode == 1
    assert sentence in ran.stderr


def test_the_installation_of_the_readme_can_be_rendered(helm: Helm, tmp_path: Path) -> None:
    text = (CHART / "README.md").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^helm install (.+)$", text, re.MULTILINE)
    (tmp_path / "driftline.yaml").write_text("kafka: {bootstrap_servers: kafka:9092}")
    line = line.replace("driftline.yaml", str(tmp_path / "driftline.yaml"))
    line = line.replace("deploy/helm/driftline", str(CHART))
    ran = helm("template", "--kube-version", KUBERNETES, *shlex.split(line))
    assert ran.returncode == 0, ran.stderr


def test_every_value_is_in_the_readme() -> None:
    text = (CHART / "README.md").read_text()
    for name in yaml.safe_load((CHART / "values.yaml").read_text()):
        assert f"| `{name}" in text, name


def test_the_smallest_set_is_rendered_as_before(render: Render) -> None:
    """Where it changes on purpose: write what helm renders to that file."""
    assert list(yaml.safe_load_all(GOLDEN.read_text())) == render("smallest")
