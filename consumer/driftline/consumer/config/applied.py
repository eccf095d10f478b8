"""Parts of a configuration as texts, as they are applied to a running service: JSON, defaults in.

>>> from driftline.consumer.config import ModelConfig
>>> model = ModelConfig(predictions=("t",), reference="r.json", window={"length": "2h"})
>>> found = read_model(write_model(model))
>>> found.window == model.window, found.reference.layout
(True, 'applied')
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from driftline.consumer.config.comparison import ComparisonConfig
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.settings import Config
from driftline.consumer.config.source import SourceConfig

_WITH_IT = "applied"  # stands where a model names its references: they are applied with it


def write_model(model: ModelConfig) -> str:
    """Return the keys of a model, without where its references lie."""
    reference = model.reference.model_copy(update={"layout": _WITH_IT})
    model = model.model_copy(update={"reference": reference, "references": {}})
    values = model.model_dump(mode="json", by_alias=True)
    if values["labels"] is not None and values["labels"]["by"] == "arrival":
        del values["labels"]["maturity"]  # which only windows by prediction have
    if model.window.rows is None:
        del values["window"]["rows"]
    return _text(values)


def read_model(text: str) -> ModelConfig:
    """Undo `write_model`."""
    return ModelConfig.model_validate_json(text)


def write_section(section: BaseModel) -> str:
    """Return the keys of a source or a comparison."""
    return _text(section.model_dump(mode="json", by_alias=True))


def read_source(text: str) -> SourceConfig:
    """Undo `write_section` of a source."""
    return SourceConfig.model_validate_json(text)


def read_comparison(text: str) -> ComparisonConfig:
    """Undo `write_section` of a comparison."""
    return ComparisonConfig.model_validate_json(text)


def changed_keys(before: str, after: str) -> list[str]:
    """Return the keys whose values differ between two texts of `write_model`.

    >>> changed_keys('{"window": {"length": "1h"}, "owner": "a"}', '{"window": {"length": "2h"}}')
    ['owner', 'window.length']
    """
    old, new = json.loads(before), json.loads(after)
    return sorted(_changed(old, new, ""))


def with_applied(
    config: Config,
    models: Mapping[str, ModelConfig],
    sources: Mapping[str, SourceConfig],
    comparisons: Mapping[str, ComparisonConfig],
) -> Config:
    """Return a deployment's configuration with what was applied to it.

    A source in the deployment's own file holds, because what it names lies beside that.
    """
    page = config.ui.url
    shown = {name: m if page is None else m.on_page(page) for name, m in sorted(models.items())}
    parts = {
        "models": shown,
        "sources": {**sources, **config.sources},
        "comparisons": dict(sorted(comparisons.items())),
    }
    return config.model_copy(update=parts)


def _changed(old: Any, new: Any, at: str) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            key
            for name in {**old, **new}
            for key in _changed(old.get(name), new.get(name), f"{at}.{name}" if at else name)
        ]
    return [] if old == new else [at]


def _text(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
