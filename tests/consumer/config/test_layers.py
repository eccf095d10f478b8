"""Command line, environment, file, default: and what `include` and `defaults` add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from driftline.consumer.config import Budget

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

KAFKA = "kafka: {bootstrap_servers: localhost:9092}\n"
MODEL = "models:\n  car-loan: {predictions: t, reference: r.json}\n"
HOUR, DAY = 3_600_000, 86_400_000


def test_order(read: Read) -> None:
    port = "http: {port: 1}\n"
    environ = {"DRIFTLINE__HTTP__PORT": "2"}
    overrides = {"http": {"port": 3}}
    assert read(KAFKA + MODEL).config.http.port == 9108
    assert read(KAFKA + MODEL + port).config.http.port == 1
    assert read(KAFKA + MODEL + port, environ).config.http.port == 2
    assert read(KAFKA + MODEL + port, environ, overrides).config.http.port == 3
    # What a higher layer does not name stays.
    assert read(KAFKA + MODEL + port, environ, overrides).config.http.host == "127.0.0.1"


def test_stages_are_those_of_one_worker(read: Read) -> None:
    assert read(KAFKA + MODEL).config.stages == ("sketch", "join", "judge")
    text = KAFKA + MODEL + "stages: [judge, join, judge]\n"
    assert read(text).config.stages == ("join", "judge")
    environ = {"DRIFTLINE__STAGES": "judge, sketch"}
    assert read(text, environ).config.stages == ("sketch", "judge")
    assert read(text, environ, {"stages": "sketch"}).config.stages == ("sketch",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[judge, count]", "count is no stage, they are sketch, join, judge"),
        ("[]", "name at least one of sketch, join, judge"),
        ("5", "must be a list"),
    ],
)
def test_stages_that_are_none(problems: Problems, text: str, line: str) -> None:
    assert problems(f"{KAFKA}{MODEL}stages: {text}\n") == [f"driftline.yaml:4: stages: {line}"]


def test_environment_notations(read: Read) -> None:
    config = read(
        MODEL,
        {
            "DRIFTLINE__KAFKA__BOOTSTRAP_SERVERS": "a:1,b:2",
            "DRIFTLINE__KAFKA__TLS": "{}",
            "DRIFTLINE__MODELS__CAR_LOAN__PREDICTIONS": '["t", "u"]',
            "DRIFTLINE__MODELS__CAR_LOAN__BUDGET": "2 per 1w",
            "DRIFTLINE__MODELS__CAR_LOAN__MIN_RISE": "5%",
            "DRIFTLINE__MODELS__CAR_LOAN__WINDOW__LENGTH": "6h",
            "DRIFTLINE__MODELS__CAR_LOAN__STALE_AFTER": "off",
            "DRIFTLINE__OUTPUT__CREATE_TOPICS": "true",
            "DRIFTLINE__LIMITS__MAX_EVENT_BYTES": "1000",
            "DRIFTLINE__METRICS__MAX_SERIES": "",
            "DRIFTLINE_TEST_BOOTSTRAP": "not ours",
            "PATH": "/bin",
        },
    ).config
    assert config.kafka.bootstrap_servers == ("a:1", "b:2")
    assert config.kafka.tls is not None
    assert config.output.create_topics
    assert config.limits.max_event_bytes == 1000
    assert config.metrics.max_series == 200
    model = config.models["car-loan"]
    assert model.predictions == ("t", "u")
    assert model.budget == Budget(2, 7 * DAY)
    assert model.min_rise == 0.05
    assert model.window.length == 6 * HOUR
    assert model.stale_after is None


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("KAFKA__GROUPE", "x", "KAFKA__GROUPE: unknown key, did you mean group?"),
        ("HTTP__PORT", "x", "HTTP__PORT: must be a whole number"),
        ("DEFAULTS", f'{{"min_effect": 1{"0" * 400}}}', "DEFAULTS: must be a finite number"),
        ("HTTP", "{x", "HTTP: begins like JSON but is not valid JSON"),
        (
            "MODELS__CAR_LOANS__BUDGET",
            "off",
            "MODELS__CAR_LOANS__BUDGET: the file has no model car_loans, did you mean car-loan?",
        ),
        (
            "SOURCES__X__TIMESTAMP_UNIT",
            "s",
            "SOURCES__X__TIMESTAMP_UNIT: the file has no source x, there are none",
        ),
        (
            "KAFKA__SASL__USERNAME",
            "x",
            "KAFKA__SASL.mechanism: required key is missing",
        ),
    ],
)
def test_environment_errors(problems: Problems, name: str, value: str, line: str) -> None:
    found = problems(KAFKA + MODEL, {f"DRIFTLINE__{name}": value})
    assert found == [f"environment: DRIFTLINE__{line}"]


def test_command_line_errors(problems: Problems) -> None:
    assert problems(KAFKA + MODEL, overrides={"http": {"port": -1}, "models": {"x y": {}}}) == [
        "command line: models.x y: not a legal model name:"
        " use 1 to 249 letters, digits, dots, underscores and hyphens",
        "command line: models.x y.predictions: required key is missing",
        "command line: models.x y.reference: required key is missing",
        "command line: http.port: must be at least 0",
    ]


def test_defaults_are_merged_key_by_key(read: Read) -> None:
    text = (
        KAFKA
        + """
defaults:
  window: {length: 6h, every: 30m}
  budget: 1 per 7d
  thresholds: {missing: {critical: 5%}}
  labels: {horizon: 30d}
models:
  a: {predictions: t, reference: r}
  b: {predictions: t, reference: r, window: {every: 1h}, budget: off, labels: truth}
  c: {predictions: t, reference: r, thresholds: {ks: {warning: 0.2}, missing: {critical: 1%}}}
"""
    )
    models = read(text).config.models
    assert (models["a"].window.length, models["a"].window.every) == (6 * HOUR, HOUR // 2)
    assert (models["b"].window.length, models["b"].window.every) == (6 * HOUR, HOUR)
    assert models["a"].budget == Budget(1, 7 * DAY)
    assert models["b"].budget is None
    assert set(models["c"].thresholds) == {"ks", "missing"}
    assert models["c"].thresholds["missing"].critical == 0.01
    # A horizon for all does not give labels to those that have none.
    assert models["a"].labels is None
    assert models["b"].labels is not None
    assert (models["b"].labels.topic, models["b"].labels.horizon) == ("truth", 30 * DAY)


def test_default_labels_in_short_form(read: Read) -> None:
    text = KAFKA + MODEL.replace("r.json", "r.json, labels: {horizon: 1d}")
    labels = read(text + "defaults: {labels: truth}\n").config.models["car-loan"].labels
    assert labels is not None
    assert (labels.topic, labels.horizon) == ("truth", DAY)


def test_an_error_in_defaults_shows_once(problems: Problems) -> None:
    text = (
        KAFKA
        + """defaults:
  window: {length: 1}
  budget: often
models:
  a: {predictions: t, reference: r}
  b: {predictions: t, reference: r, budget: off, window: {length: 1h}}
"""
    )
    assert problems(text) == [
        "driftline.yaml:3: defaults.window.length: a duration needs its unit, for example 1s or 1m",
        "driftline.yaml:4: defaults.budget:"
        " write `N per <duration>`, for example 1 per 30d, or off",
    ]


def test_environment_wins_over_the_models_of_the_file(read: Read) -> None:
    text = KAFKA + MODEL.replace("r.json", "r.json, owner: file")
    environ = {"DRIFTLINE__DEFAULTS__OWNER": "default"}
    assert read(text, environ).config.models["car-loan"].owner == "file"
    environ |= {"DRIFTLINE__MODELS__CAR_LOAN__OWNER": "environment"}
    assert read(text, environ).config.models["car-loan"].owner == "environment"


def test_include(read: Read) -> None:
    loaded = read(
        {
            "conf/driftline.yaml": KAFKA + "include: [teams/*.yaml, '*.yaml', more/x.yaml]\n",
            "conf/teams/b.yaml": "models: {b: {predictions: u, reference: ref/b.json}}\n",
            "conf/teams/a.yaml": MODEL + "sources: {t: {timestamp_unit: s}}\n",
            "conf/more/x.yaml": "# one\nmodels: {x: {predictions: x, reference: /x.json}}\n",
        }
    )
    assert loaded.files == (
        "conf/driftline.yaml",
        "conf/teams/a.yaml",
        "conf/teams/b.yaml",
        "conf/more/x.yaml",
    )
    models = loaded.config.models
    assert list(models) == ["car-loan", "b", "x"]
    assert models["b"].reference.layout == "conf/teams/ref/b.json"
    assert models["x"].reference.layout == "/x.json"
    assert loaded.config.sources["t"].timestamp_unit == "s"
    assert loaded.locations.origin(("models", "b", "reference")).file == "conf/teams/b.yaml"


def test_include_errors(problems: Problems) -> None:
    files = {
        "driftline.yaml": KAFKA + "include: [a.yaml, none.yaml]\n" + MODEL,
        "a.yaml": MODEL + "http: {port: 1}\nsources: 3\n",
    }
    assert problems(files) == [
        "driftline.yaml:2: include[1]: none.yaml: no such file",
        "a.yaml:2: models.car-loan: given twice, first in driftline.yaml:4",
        "a.yaml:3: http: an included file may hold models and sources only",
        "a.yaml:4: sources: must be a map",
    ]


def test_an_included_file_that_is_no_yaml(problems: Problems) -> None:
    files = {"driftline.yaml": KAFKA + "include: a.yaml\n" + MODEL, "a.yaml": "models: {\n"}
    assert problems(files) == [
        "a.yaml:2: not valid YAML: expected the node content, but found '<stream end>'"
    ]


def test_warnings(read: Read) -> None:
    text = KAFKA + MODEL + "include: [teams/*.yaml]\nsources: {x: {}}\n"
    assert [str(warning) for warning in read(text).warnings] == [
        "driftline.yaml:4: include[0]: teams/*.yaml matches no file",
        "driftline.yaml:5: sources.x: no model reads this topic",
    ]


def test_paths_of_the_environment_are_relative_to_the_working_directory(read: Read) -> None:
    files = {"conf/driftline.yaml": KAFKA + MODEL}
    environ = {"DRIFTLINE__MODELS__CAR_LOAN__REFERENCE": "new.json"}
    assert read(files).config.models["car-loan"].reference.layout == "conf/r.json"
    assert read(files, environ).config.models["car-loan"].reference.layout == "new.json"
