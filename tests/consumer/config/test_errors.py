"""Every error with its exact sentence. The rows below are `models.m` unless they say otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from driftline.consumer.config import ConfigError, Problem, load
from driftline.errors import DriftlineError

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems

TOPIC_RULE = "use 1 to 249 letters, digits, dots, underscores and hyphens"
LEVELS = "known are value, p_value"


@pytest.mark.parametrize(
    ("keys", "place", "message"),
    [
        ("windows: {}", "windows", "unknown key, did you mean window?"),
        (
            "window: {size: 1h}",
            "window.size",
            "unknown key, known are rows, length, every, pane, grace, min_events",
        ),
        ("window: 1h", "window", "must be a map"),
        ("window: ", "window", "has no value"),
        (
            "window: {length: 60}",
            "window.length",
            "a duration needs its unit, for example 60s or 60m",
        ),
        (
            "window: {grace: soon}",
            "window.grace",
            "not a duration; write for example 90s, 5m, 1h30m or 30d",
        ),
        ("window: {length: 0s}", "window.length", "must be above 0"),
        ("window: {every: 7m}", "window.every", "length must be a whole number of every"),
        ("window: {every: 2h}", "window.every", "length must be a whole number of every"),
        ("window: {min_events: 0}", "window.min_events", "must be above 0"),
        ("window: {min_events: 1.5}", "window.min_events", "must be a whole number"),
        ("window: {min_events: true}", "window.min_events", "must be a whole number"),
        ("budget: often", "budget", "write `N per <duration>`, for example 1 per 30d, or off"),
        (
            "budget: 1 per month",
            "budget",
            "write `N per <duration>`, for example 1 per 30d, or off",
        ),
        ("budget: 0 per 30d", "budget", "must be above 0; for no budget at all write off"),
        ("min_rise: 2", "min_rise", "not a share of 0 to 1; write for example 2%"),
        ("min_rise: 200%", "min_rise", "not a share of 0 to 1; write for example 2%"),
        ("min_effect: -1", "min_effect", "must be at least 0"),
        ("min_effect: .inf", "min_effect", "must be a finite number"),
        ("critical_effect: big", "critical_effect", "not a number; write for example 0.05 or 5%"),
        ("critical_effect: true", "critical_effect", "not a number; write for example 0.05 or 5%"),
        ("stale_after: 5", "stale_after", "a duration needs its unit, for example 5s or 5m"),
        (
            "thresholds: {psy: {critical: 1}}",
            "thresholds.psy",
            "unknown detector, did you mean psi?",
        ),
        ("thresholds: {psi: {}}", "thresholds.psi", "set warning or critical"),
        ("thresholds: {psi: 0.1}", "thresholds.psi", "must be a map"),
        (
            "thresholds: {psi: {warning: 2, critical: 1}}",
            "thresholds.psi.critical",
            "lies below warning, so warning could never show",
        ),
        (
            "thresholds: {ks: {warning: 0.01, critical: 0.05, on: p_value}}",
            "thresholds.ks.critical",
            "on p_value critical is the smaller level",
        ),
        (
            "thresholds: {ks: {warning: 0, on: p_value}}",
            "thresholds.ks.warning",
            "a p-value is above 0 and at most 1",
        ),
        (
            "thresholds: {wasserstein: {warning: 0.1, on: p_value}}",
            "thresholds.wasserstein.on",
            "wasserstein has no p-value, use on: value",
        ),
        (
            "thresholds: {ks: {critical: 1, on: p}}",
            "thresholds.ks.on",
            f"unknown value, {LEVELS}",
        ),
        (
            "thresholds: {missing: {critical: 5}}",
            "thresholds.missing.critical",
            "missing is 0 to 1, write 5%",
        ),
        ("thresholds: {ks: {critical: -1}}", "thresholds.ks.critical", "ks is 0 to 1, 0.05 is 5%"),
        (
            "thresholds: {psi: {critical: 1, for: 3 of 2}}",
            "thresholds.psi.for",
            "write `k of n` windows with k at least 1 and not above n: 2 of 3",
        ),
        (
            "thresholds: {psi: {critical: 1, for_: 1 of 2}}",
            "thresholds.psi.for_",
            "unknown key, did you mean for?",
        ),
        ("features: {x: {typ: numeric}}", "features.x.typ", "unknown key, did you mean type?"),
        (
            "features: {x: {type: nummeric}}",
            "features.x.type",
            "unknown value, did you mean numeric?",
        ),
        (
            "features: {x: {weight: 0}}",
            "features.x.weight",
            "must be above 0; to leave a feature out, use ignore",
        ),
        ("features: [x]", "features", "must be a map"),
        (
            "performance: {roc: {max_drop: 1}}",
            "performance.roc",
            "unknown metric, did you mean roc_auc?",
        ),
        (
            "performance: {f1: {}}",
            "performance.f1",
            "set max_drop, critical_drop, min or max",
        ),
        (
            "performance: {f1: {max_drop: -0.1}}",
            "performance.f1.max_drop",
            "a drop is towards worse: write it without a minus",
        ),
        (
            "performance: {f1: {max_drop: 0.2, critical_drop: 0.1}}",
            "performance.f1.critical_drop",
            "lies below max_drop, which could never show",
        ),
        ("performance: {f1: {min: 2, max: 1}}", "performance.f1.min", "lies above max"),
        ("performance: {f1: {min: 90}}", "performance.f1.min", "f1 is 0 to 1, write 90%"),
        ("labels: {horizon: 1d}", "labels.topic", "required key is missing"),
        (
            "labels: {topic: x, by: time}",
            "labels.by",
            "unknown value, known are arrival, prediction",
        ),
        ("labels: a b", "labels.topic", f"not a legal topic name: {TOPIC_RULE}"),
        ("labels: 3", "labels", "must be a map"),
        (
            "labels: driftline.joins",
            "labels",
            "driftline.joins is a topic that Driftline writes itself",
        ),
        ("ignore: {x: y}", "ignore", "must be a list"),
        ("ignore: [3]", "ignore[0]", "must be text; put it in quotes"),
        ("owner: 5", "owner", "must be text; put it in quotes"),
        ("runbook: wiki", "runbook", "not a URL, write for example https://wiki.example/runbook"),
        (
            "runbook: 'file:///x'",
            "runbook",
            "not a URL, write for example https://wiki.example/runbook",
        ),
        (
            "runbook: 'https://me:pw@wiki.example/x'",
            "runbook",
            "a URL that others see must not hold a login: remove the part before @",
        ),
    ],
)
def test_model(problems: Problems, keys: str, place: str, message: str) -> None:
    text = (
        "kafka: {bootstrap_servers: localhost:9092}\nmodels:\n  m:\n"
        f"    predictions: t\n    reference: r.json\n    {keys}\n"
    )
    assert problems(text) == [f"driftline.yaml:6: models.m.{place}: {message}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kafka: {}", "4: kafka.bootstrap_servers: required key is missing"),
        (
            "kafka: {bootstrap_servers: []}",
            "4: kafka.bootstrap_servers: name at least one broker as host:port",
        ),
        (
            "kafka: {bootstrap_servers: kafka-1}",
            "4: kafka.bootstrap_servers: write each broker as host:port, for example kafka-1:9092",
        ),
        (
            "kafka: {bootstrap_servers: 'k:70000'}",
            "4: kafka.bootstrap_servers: write each broker as host:port, for example kafka-1:9092",
        ),
        (
            "kafka: {bootstrap_servers: 'k:1', start: noon}",
            "4: kafka.start: write earliest, latest, a time such as 2026-11-01T00:00:00Z, or -24h",
        ),
        (
            "kafka: {bootstrap_servers: 'k:1', tls: }",
            "4: kafka.tls: has no value: write {} for TLS with the system's authorities",
        ),
        (
            "kafka: {bootstrap_servers: 'k:1', tls: {cafile: x}}",
            "4: kafka.tls.cafile: unknown key, did you mean ca_file?",
        ),
        (
            "kafka: {bootstrap_servers: 'k:1', options: {group_id: x}}",
            "4: kafka.options.group_id: has its own key, use kafka.group",
        ),
        (
            "kafka: {bootstrap_servers: 'k:1', options: {enable_auto_commit: true}}",
            "4: kafka.options.enable_auto_commit:"
            " is set by Driftline, whose promises rest on it: remove it",
        ),
        (
            "kafka: {bootstrap_servers: 'k:1', options: {client_id: [x]}}",
            "4: kafka.options.client_id: must be text, a number, true or false",
        ),
    ],
)
def test_kafka(problems: Problems, text: str, line: str) -> None:
    model = "models:\n  m: {predictions: t, reference: r.json}\n\n"
    assert problems(model + text) == [f"driftline.yaml:{line}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kafak: {}", "3: kafak: unknown key, did you mean kafka?"),
        ("version: 2", "3: version: this Driftline reads version 1 only"),
        ("version: one", "3: version: must be a whole number"),
        ("output: {prefix: a b}", f"3: output.prefix: not a legal topic name: {TOPIC_RULE}"),
        (
            f"output: {{prefix: {'x' * 238}}}",
            f"3: output.prefix: not a legal topic name: {TOPIC_RULE}",
        ),
        ("output: {partitions: 0}", "3: output.partitions: must be above 0"),
        ("output: {create_topics: maybe}", "3: output.create_topics: must be true or false"),
        ("sources: {a b: {}}", f"3: sources.a b: not a legal topic name: {TOPIC_RULE}"),
        (
            "sources: {t: {fields: {prediction.scor: x}}}",
            "3: sources.t.fields.prediction.scor:"
            " not a field of an event, did you mean prediction.score?",
        ),
        (
            "sources: {t: {fields: {model: {valu: x}}}}",
            "3: sources.t.fields.model:"
            " write a dotted path, or {value: X} for a value that never changes",
        ),
        (
            "sources: {t: {fields: {event_id: a..b}}}",
            "3: sources.t.fields.event_id: the path 'a..b' has an empty part",
        ),
        (
            "sources: {t: {fields: {prediction: a, prediction.score: b}}}",
            "3: sources.t.fields:"
            " prediction and prediction.score are both named: leave one of them out",
        ),
        (
            "sources: {t: {timestamp_unit: m}}",
            "3: sources.t.timestamp_unit: unknown value, did you mean ms?",
        ),
        (
            "limits: {idle_after: off}",
            "3: limits.idle_after: not a duration; write for example 90s, 5m, 1h30m or 30d",
        ),
        ("limits: {max_event_bytes: -1}", "3: limits.max_event_bytes: must be above 0"),
        ("http: {port: 70000}", "3: http.port: must be at most 65535"),
        ("http: {host: 5}", "3: http.host: must be text; put it in quotes"),
        ("http: 9108", "3: http: must be a map"),
        ("metrics: {max_serie: 5}", "3: metrics.max_serie: unknown key, did you mean max_series?"),
        (
            "log: {level: loud}",
            "3: log.level: unknown value, known are debug, info, warning, error",
        ),
        ("log: {level: warn}", "3: log.level: unknown value, did you mean warning?"),
        ("defaults: 5", "3: defaults: must be a map"),
        ("defaults: {windows: {}}", "3: defaults.windows: unknown key, did you mean window?"),
        (
            "defaults: {predictions: [a b]}",
            f"3: defaults.predictions: not a legal topic name: {TOPIC_RULE}",
        ),
        ("include: 5", "3: include: must be a list"),
    ],
)
def test_section(problems: Problems, text: str, line: str) -> None:
    head = (
        "kafka: {bootstrap_servers: localhost:9092}\nmodels: {m: {predictions: t, reference: r}}\n"
    )
    assert problems(head + text) == [f"driftline.yaml:{line}"]


@pytest.mark.parametrize(
    ("models", "line"),
    [
        ("models: {}", "2: models: name at least one model"),
        ("models:", "2: models: has no value"),
        ("", " models: required key is missing"),
        ("models: {m: }", "2: models.m: has no value"),
        ("models: {m: {reference: r}}", "2: models.m.predictions: required key is missing"),
        ("models: {m: {predictions: t}}", "2: models.m.reference: required key is missing"),
        ("models: {m: {predictions: t, reference: ''}}", "2: models.m.reference: has no value"),
        ("models: {m: {predictions: t, reference: 5}}", "2: models.m.reference: must be a path"),
        (
            "models: {m: {predictions: [], reference: r}}",
            "2: models.m.predictions: name at least one topic",
        ),
        (
            "models: {m: {predictions: [t, t], reference: r}}",
            "2: models.m.predictions: the same topic is named twice",
        ),
        (
            "models: {m: {predictions: driftline.alerts, reference: r}}",
            "2: models.m.predictions: driftline.alerts is a topic that Driftline writes itself",
        ),
        (
            "models: {m/x: {predictions: t, reference: r}}",
            f"2: models.m/x: not a legal model name: {TOPIC_RULE}",
        ),
    ],
)
def test_models(problems: Problems, models: str, line: str) -> None:
    text = f"kafka: {{bootstrap_servers: localhost:9092}}\n{models}\n"
    assert problems(text) == [f"driftline.yaml:{line}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", " the file is empty"),
        ("# only a comment\n", " the file is empty"),
        ("---\n", " the file is empty"),
        ("- a\n", "1: not a map of keys and values"),
        ("a: b: c\n", "1: not valid YAML: mapping values are not allowed here"),
        ("a:\n\tb: c\n", "2: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: [1\nb: 2\n", "2: not valid YAML: expected ',' or ']', but got ':'"),
        ("a: *b\n", "1: not valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 1\n", "2: not valid YAML: but found another document"),
        ("a: \x00\n", " not valid YAML: unreadable character"),
    ],
)
def test_not_a_configuration(problems: Problems, text: str, line: str) -> None:
    assert problems(text) == [f"driftline.yaml:{line}"]


def test_no_such_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load("conf/driftline.yaml", environ={})
    assert str(caught.value) == "conf/driftline.yaml: no such file"
    with pytest.raises(ConfigError, match=r"^\.: cannot be read: Is a directory$"):
        load(".", environ={})


def test_not_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("driftline.yaml").write_bytes(b"models: \xff\n")
    with pytest.raises(ConfigError, match=r"^driftline\.yaml: not a text file in UTF-8$"):
        load("driftline.yaml", environ={})


def test_all_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    text = """\
log: {level: loud}
kafka: {start: noon, bootstrap_servers: 'k:1'}
kafka: {}
models:
  a: {predictions: t, reference: r, budget: often, windows: {}}
  a b: {predictions: t}
http: {port: x}
"""
    assert problems(text, environ={"DRIFTLINE__HTTP__PROT": "1"}) == [
        "driftline.yaml:1: log.level: unknown value, known are debug, info, warning, error",
        "driftline.yaml:2: kafka.start: write earliest, latest, a time such as"
        " 2026-11-01T00:00:00Z, or -24h",
        "driftline.yaml:3: kafka: given twice, first in line 2",
        "driftline.yaml:5: models.a.budget:"
        " write `N per <duration>`, for example 1 per 30d, or off",
        "driftline.yaml:5: models.a.windows: unknown key, did you mean window?",
        f"driftline.yaml:6: models.a b: not a legal model name: {TOPIC_RULE}",
        "driftline.yaml:6: models.a b.reference: required key is missing",
        "driftline.yaml:7: http.port: must be a whole number",
        "environment: DRIFTLINE__HTTP__PROT: unknown key, did you mean port?",
    ]


def test_config_error() -> None:
    problems = [
        Problem("driftline.yaml", 41, ("models", "price-quote", "windows"), "unknown key"),
        Problem("environment", None, ("DRIFTLINE__X",), "unknown key", "warning"),
    ]
    error = ConfigError(problems)
    assert isinstance(error, DriftlineError)
    assert error.problems == problems
    assert str(error) == (
        "driftline.yaml:41: models.price-quote.windows: unknown key\n"
        "environment: DRIFTLINE__X: unknown key"
    )
