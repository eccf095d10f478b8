"""Whatever stands in the file: a configuration, or errors with a place and a sentence each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.config import ConfigError, load, show

WORDS = """
version include kafka bootstrap_servers group start tls ca_file sasl mechanism password options
output prefix partitions sources fields timestamp_unit defaults models predictions labels topic
reference window length every budget thresholds psi missing critical for on features weight
ignore segments performance roc_auc max_drop runbook limits http port log level event_id t m
"""
NAMES = st.sampled_from(WORDS.split())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 10**400),
    st.floats(),
    st.sampled_from(
        ["", "off", "1h", "5%", "1 per 30d", "2 of 3", "t", "localhost:9092", "*", "x y"]
    ),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
SECTIONS = st.dictionaries(NAMES, VALUES, max_size=6)
MODELS = st.dictionaries(NAMES, SECTIONS, max_size=2)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "driftline.yaml"


@given(values=SECTIONS, models=MODELS | VALUES, defaults=SECTIONS, variable=NAMES, text=st.text())
def test_a_configuration_or_errors(
    file: Path, values: dict[str, Any], models: Any, defaults: Any, variable: str, text: str
) -> None:
    kafka = {"bootstrap_servers": "localhost:9092"}
    values = {"kafka": kafka, **values, "models": models, "defaults": defaults}
    file.write_text(json.dumps(values))
    environ = {f"DRIFTLINE__{variable.upper()}": text}
    try:
        shown = show(load(file, environ=environ))
    except ConfigError as error:
        messages = [problem.message for problem in error.problems]
    else:
        messages = [shown.splitlines()[0]]
    assert messages
    assert all(message and "\n" not in message for message in messages)


@given(text=st.text())
def test_any_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    assert caught.value.problems
