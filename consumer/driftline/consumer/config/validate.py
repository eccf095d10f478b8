"""From a tree to a `Config`: every error as a sentence at its file and line."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from driftline.consumer.config.errors import Key, Problem
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.names import hint
from driftline.consumer.config.notation import AS_WRITTEN, Located
from driftline.consumer.config.settings import Config
from driftline.consumer.config.table_names import metric_hint
from driftline.consumer.config.tree import Locations, Node

AnySection = TypeVar("AnySection", bound=BaseModel)

_SENTENCES = {
    "missing": "required key is missing",
    "model_type": "must be a map",
    "model_attributes_type": "must be a map",
    "dict_type": "must be a map",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a path",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
_KEY_WORDS = {"thresholds": "detector", "performance": "metric"}


def validate(root: Node, locations: Locations) -> tuple[Config | None, list[Problem]]:
    """Return the configuration of a tree, or None and what is wrong with it."""
    problems: list[Problem] = []
    defaults = root.get("defaults")
    if defaults and isinstance(defaults.value, dict):
        try:
            _read(ModelConfig, _complete(defaults.plain()))
        except ValidationError as error:
            problems += _problems(error, ("defaults",), locations)
    try:
        config = _read(Config, root.plain())
    except ValidationError as error:
        return None, problems + _problems(error, (), locations)
    return config, problems


def _read(section: type[AnySection], values: Any) -> AnySection:
    return section.model_validate(values, context=AS_WRITTEN, by_alias=True, by_name=False)


def _complete(defaults: dict[str, Any]) -> dict[str, Any]:
    """Add what every model has of its own, so that only the defaults' own errors remain."""
    own: dict[str, Any] = {"predictions": "x", "reference": "x"}
    if isinstance(defaults.get("labels"), dict):
        # By prediction all keys of labels have a meaning; a model's own `by` may be that.
        labels = {"topic": "x", "by": "prediction", **defaults["labels"]}
        defaults = {**defaults, "labels": labels}
    return own | defaults


def _problems(error: ValidationError, above: Key, locations: Locations) -> list[Problem]:
    found = []
    for detail in error.errors(include_url=False):
        path: Key = (*above, *detail["loc"])
        kind = detail["type"]
        cause = detail.get("ctx", {}).get("error")
        if kind == "default_factory_not_called":
            continue  # it needs another key, whose own error is in the list
        if isinstance(cause, Located):
            found += [locations.problem((*path, *below), text) for below, text in cause.problems]
        elif kind == "extra_forbidden":
            name = str(path[-1])
            known = _keys(path[:-1])
            found.append(locations.problem(path, f"unknown key, {hint(name, known)}"))
        elif path[-1] == "[key]" and cause is None:
            path = path[:-1]
            noun = _KEY_WORDS[str(path[-2])]
            names = get_args(get_args(_annotation(path[:-1]))[0])
            name = str(path[-1])
            advice = metric_hint(name) if noun == "metric" else hint(name, names)
            found.append(locations.problem(path, f"unknown {noun}, {advice}"))
        else:
            path = path[:-1] if path[-1] == "[key]" else path
            found.append(locations.problem(path, _sentence(detail, cause)))
    return found


def _sentence(detail: Any, cause: object) -> str:
    kind = detail["type"]
    if detail["input"] is None and kind != "missing" and cause is None:
        return "has no value"
    if cause is not None:
        return str(cause)
    if kind == "literal_error":
        expected = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"unknown value, {hint(str(detail['input']), expected)}"
    sentence = _SENTENCES.get(kind)
    return sentence.format(**detail.get("ctx", {})) if sentence else str(detail["msg"])


def _annotation(path: Key) -> Any:
    """Return the type of the section at a path: a model, or a map of them."""
    kind: Any = Config
    if path[:1] == ("defaults",):
        kind, path = ModelConfig, path[1:]
    for step in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(step)].annotation
        else:
            kind = get_args(kind)[-1]
        kind = _bare(kind)
    return kind


def _bare(kind: Any) -> Any:
    """Take `Annotated` and `| None` off a type."""
    while get_origin(kind) is Annotated or type(None) in get_args(kind):
        kind = get_args(kind)[0]
    return kind


def _keys(path: Key) -> list[str]:
    return [
        str(field.validation_alias or name)
        for name, field in _annotation(path).model_fields.items()
        if name not in ("password", "basic_auth")  # not a key of the file
    ]
