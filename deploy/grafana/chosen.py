# ruff: noqa: INP001 - of a script, not a package
"""What one chooses on the dashboards, and how expressions take it."""

from __future__ import annotations

from deploy.grafana.panels import PROMETHEUS, Json

JOB = 'job=~"$job", namespace=~"$namespace"'
MODEL = f'{JOB}, model=~"$model"'
STREAM = f'{MODEL}, segment=~"$segment"'
FEATURE = f'{STREAM}, feature=~"$feature"'
WORKER = f'{JOB}, instance=~"$instance"'
# The whole model has no segment: as a value of the variable it needs a name.
_SEGMENTS = (
    "query_result(group by (pick, shown) ("
    f'label_replace(label_replace(driftline_window_events{{{MODEL}, segment!=""}},'
    ' "pick", "$1", "segment", "(.+)"), "shown", "$1", "segment", "(.+)")'
    f" or label_replace(label_replace(driftline_model_info{{{MODEL}}},"
    ' "pick", "^$", "model", ".*"), "shown", "the whole model", "model", ".*")))'
)
_WHOLE: Json = {"text": "the whole model", "value": "^$"}
_SEGMENT_NAMES = '/pick="(?<value>[^"]+)",\\s*shown="(?<text>[^"]+)"/'


def of_models() -> list[Json]:
    """Return the variables of the dashboard of models."""
    scores = f"driftline_drift_score{{{MODEL}}}"
    return [
        *_both(),
        _one("segment", "Segment", _SEGMENTS, regex=_SEGMENT_NAMES) | {"current": _WHOLE},
        _any("feature", "Feature", f"label_values({scores}, feature)"),
        _severities(),
    ]


def of_workers() -> list[Json]:
    """Return the variables of the dashboard of workers."""
    running = f"driftline_build_info{{{JOB}}}"
    return [*_both(), _any("instance", "Worker", f"label_values({running}, instance)")]


def _both() -> list[Json]:
    of_job = 'driftline_build_info{job=~"$job"}'
    return [
        _datasource(),
        _any("job", "Job", "label_values(driftline_build_info, job)"),
        _any("namespace", "Namespace", f"label_values({of_job}, namespace)"),
        _any("model", "Model", f"label_values(driftline_model_info{{{JOB}}}, model)"),
        _one("page", "Page", f"label_values(driftline_page_info{{{JOB}}}, url)", hide=2),
    ]


def _one(name: str, label: str, query: str, hide: int = 0, regex: str = "") -> Json:
    """Return a variable with one value, which Prometheus has."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": PROMETHEUS,
        "query": {"query": query, "refId": name},
        "regex": regex,
        "refresh": 2,
        "hide": hide,
        "sort": 1,
        "multi": False,
        "includeAll": False,
        "options": [],
    }


def _any(name: str, label: str, query: str) -> Json:
    """Return a variable with any number of values, at first all."""
    everything = {"text": ["All"], "value": ["$__all"]}
    several = {"multi": True, "includeAll": True, "allValue": ".*", "current": everything}
    return _one(name, label, query) | several


def _severities() -> Json:
    """Return the variable of severities."""
    values = ("critical", "warning")
    return {
        "type": "custom",
        "name": "severity",
        "label": "Severity",
        "query": ",".join(values),
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "options": [{"text": name, "value": name, "selected": False} for name in values],
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _datasource() -> Json:
    """Return the variable of the Prometheus that is asked."""
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "refresh": 1,
        "options": [],
        "current": {"text": "Driftline", "value": "driftline"},
    }
