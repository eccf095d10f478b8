"""`config show`: the effective configuration, which is itself a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.consumer.config import show

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Read

SMALL = """\
kafka: {bootstrap_servers: 'k:1', tls: {ca_file: ca.pem}, options: {client_id: null}}
sources: {t: {fields: {model: {value: null}, features: '*'}}}
models:
  m:
    predictions: t
    reference: refs/r.json
    budget: off
    stale_after: 36h
    thresholds: {missing: {critical: 5%, for: 2 of 3}}
"""


def test_text(read: Read) -> None:
    loaded = read({"conf/driftline.yaml": SMALL}, offline=True)
    assert (
        show(loaded)
        == """\
version: 1
stages:
- sketch
- join
- judge
kafka:
  bootstrap_servers:
  - k:1
  group: driftline
  start: -1d
  tls:
    ca_file: ca.pem
  max_batch_bytes: 67108864
  static_membership: false
  client: kafka-python
  options:
    client_id: null
output:
  prefix: driftline
  create_topics: false
  merge_panes: false
sources:
  t:
    fields:
      model:
        value: null
      features: '*'
    timestamp_unit: auto
    missing: []
    coerce: false
    format: auto
    names: []
models:
  m:
    predictions:
    - t
    reference: refs/r.json
    references: {}
    window:
      length: 1h
      every: 1h
      grace: 1m
      min_events: 500
    seasons:
      timezone: UTC
    budget: 'off'
    min_effect: 0.02
    min_rise: 0.02
    critical_effect: 0.25
    thresholds:
      missing:
        critical: 0.05
        for: 2 of 3
        'on': value
    features: {}
    ignore: []
    segments: []
    releases:
    - model_version
    performance: {}
    stale_after: 1d12h
    show_values: false
comparisons: {}
limits:
  max_ahead: 5m
  idle_after: 1m
  max_event_bytes: 262144
  max_waiting: 10000000
  max_waiting_bytes: 1073741824
http:
  host: 127.0.0.1
  port: 9108
ui:
  host: 127.0.0.1
  port: 9110
  workers: []
  windows: 200
metrics:
  max_series: 200
log:
  level: info
  format: auto
"""
    )


def test_what_is_shown_reads_back(read: Read, three_models: dict[str, str]) -> None:
    for files in ({"conf/driftline.yaml": SMALL}, three_models):
        loaded = read(files, offline=True)
        main = next(iter(files))
        again = read({main: show(loaded)}, offline=True)
        worked_in: dict[str, object] = {"include": (), "defaults": {}}
        assert again.config == loaded.config.model_copy(update=worked_in)
        assert show(again) == show(loaded)
