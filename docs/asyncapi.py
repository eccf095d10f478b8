# ruff: noqa: INP001 - a script, not a package
"""The topics that users write and read, as an AsyncAPI document: `docs/generate.py` writes it.

Channels and what is in them stand here; schemas, how topics are kept and the headers' names are
those of the code, and a test compares the headers with those of real records.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, get_args

import yaml

from driftline.consumer.log.topics import output_topics
from driftline.consumer.wire.kinds import Reason
from driftline.consumer.wire.meaning import Contract
from driftline.consumer.wire.schemas import schema_of

Part = dict[str, Any]
NOTE = "# Written by docs/generate.py from the code: change that, then run it again.\n"
RECORDS: tuple[Contract, ...] = ("event", "label", "verdict", "alert", "control")

CLOUD_EVENT = {
    "ce_specversion": "1.0",
    "ce_id": "`<alert_id>.<revision>`.",
    "ce_source": "`/driftline/<kafka.group>`.",
    "ce_type": "io.driftline.alert.v1",
    "ce_subject": "The stream; of one feature `<stream>/<feature>`.",
    "ce_time": "End of the window, RFC 3339.",
    "content-type": "application/json",
}
"""Headers of alerts, as CloudEvents 1.0 has them in binary mode: the value, or what it is."""

DEAD_LETTER = {
    "topic": "Topic of the record.",
    "partition": "Its partition.",
    "offset": "Its offset; of a batch that could not be unpacked that of the first record.",
    "timestamp": "Its timestamp, ms since 1970.",
    "reason": "Why it was refused.",
    "detail": "What is wrong, without any value of the record.",
    "index": "Of one of several events of the record: its place.",
    "last_offset": "Of a batch that could not be unpacked: offset of its last record.",
    "dropped": "What was left out, because the letter would have been too large.",
    "length": "Of a value that was cut: how many bytes it had.",
    "sha256": "Of a value that was cut: the digest of the whole.",
}
"""Headers `driftline.error.*` of dead letters; the first six are in each."""

CHANNELS: dict[str, tuple[str, tuple[str, ...], str, str, str]] = {
    "predictions": ("event", ("receive",), "{predictions}", "Any.",
                    "Events, one for each prediction, in any topics of yours."),
    "labels": ("label", ("receive",), "{labels}", "Any.",
               "The ground truth of events, known later; it may be the topic of the events."),
    "verdicts": ("verdict", ("send",), "{prefix}.verdicts", "The stream.",
                 "What the detectors said of every feature in every window."),
    "alerts": ("alert", ("send",), "{prefix}.alerts", "The alert_id.",
               "Each alert as it fires, becomes worse, goes on and ends."),
    "control": ("control", ("receive", "send"), "{prefix}.control", "The alert_id.",
                "What people say of alerts; the newest record of an alert holds all of it."),
    "dead-letter": ("dead-letter", ("send",), "{prefix}.dead-letter", "That of the record.",
                    "Records that could not be used, as they were, with the reason in headers."),
}  # fmt: skip
"""Channel to its message, what Driftline does with it, address, key and description."""

PARAMETERS = {
    "predictions": {"description": "models.<name>.predictions of the configuration."},
    "labels": {"description": "models.<name>.labels.topic of the configuration."},
    "prefix": {"description": "output.prefix of the configuration.", "default": "driftline"},
}


def asyncapi() -> str:
    """Return the document, as YAML."""
    topics = {spec.name: spec.configs for spec in output_topics("driftline", 6, 0)}
    channels, operations = {}, {}
    for name, (message, actions, address, _, description) in CHANNELS.items():
        parameter = address[1 : address.index("}")]
        channels[name] = {
            "address": address,
            "description": description,
            "messages": {message: {"$ref": f"#/components/messages/{message}"}},
            "parameters": {parameter: dict(PARAMETERS[parameter])},
        }
        if configs := topics.get(address.replace("{prefix}", "driftline")):
            channels[name]["bindings"] = {"kafka": {"topicConfiguration": _kept(configs)}}
        for action in actions:
            channel = {"$ref": f"#/channels/{name}"}
            operations[f"{action}-{name}"] = {"action": action, "channel": channel}
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Driftline",
            "version": version("driftline"),
            "description": "What Driftline reads from Kafka and what it writes there for others."
            " `receive` and `send` are what Driftline does.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": _messages(), "schemas": _schemas()},
    }
    return NOTE + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _kept(configs: Any) -> Part:
    """Return how a topic is kept, in the types of the Kafka binding."""
    kept: Part = {"cleanup.policy": [configs["cleanup.policy"]]}
    if "retention.ms" in configs:
        kept["retention.ms"] = int(configs["retention.ms"])
    return kept


def _messages() -> Part:
    messages = {}
    for message, _, _, key, _ in CHANNELS.values():
        messages[message] = {
            "name": message,
            "bindings": {"kafka": {"key": {"type": "string", "description": key}}},
            "payload": {"$ref": f"#/components/schemas/{message}"},
        }
    messages["alert"]["headers"] = _headers(CLOUD_EVENT, len(CLOUD_EVENT))
    letter = {f"driftline.error.{name}": text for name, text in DEAD_LETTER.items()}
    headers = _headers(letter, 6)
    headers["properties"]["driftline.error.reason"]["enum"] = list(get_args(Reason))
    messages["dead-letter"] |= {"headers": headers, "contentType": "application/octet-stream"}
    return messages


def _headers(texts: dict[str, str], required: int) -> Part:
    """Return the schema of headers; a text that ends without a full stop is the value."""
    fields = {
        name: {"type": "string", "description": text}
        if text.endswith(".")
        else {"type": "string", "const": text}
        for name, text in texts.items()
    }
    return {"type": "object", "properties": fields, "required": list(texts)[:required]}


def _schemas() -> Part:
    found: Part = {}
    for name in RECORDS:
        schema = schema_of(name)
        parts = schema.pop("$defs", {})
        own = {key: value for key, value in schema.items() if key[0] != "$" and key != "version"}
        found[name] = _placed(own, name)
        found |= {f"{name}.{part}": _placed(inner, name) for part, inner in parts.items()}
    found["dead-letter"] = {"description": "The record's value, as it was.", "type": "string"}
    return found


def _placed(part: Any, name: str) -> Any:
    """Return a part of a schema whose references lead to where its pieces stand in the document.

    AsyncAPI has the JSON Schema of draft 7: a tuple is an array whose `items` are a list.
    """
    if isinstance(part, list):
        return [_placed(each, name) for each in part]
    if not isinstance(part, dict):
        return part
    placed = {}
    for key, value in part.items():
        if key == "$ref":
            owner = value.replace("#/$defs/", f"{name}.").replace("#/", f"{name}/")
            placed[key] = f"#/components/schemas/{owner}"
        elif key == "prefixItems":
            placed["items"] = _placed(value, name)
        elif key != "items" or value is not False:
            placed[key] = _placed(value, name)
    return placed
