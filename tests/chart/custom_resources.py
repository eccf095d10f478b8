"""What the chart uses of the custom resources of others, as their references describe it.

Their own schemas have hundreds of kilobytes. Here stands each field that the chart may write, and
no other is allowed: so a name that is misspelt, or stands at the wrong place, is found.
Sources: the API reference of the Prometheus operator (monitoring.coreos.com/v1), and KEDA's pages
on ScaledObject (keda.sh/v1alpha1) and on the scaler `kafka`.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}


def fields(required: str, **found: Any) -> dict[str, Any]:
    """Return the schema of an object with these fields and no other."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": found,
        "required": required.split(),
    }


RULE = fields(
    "expr", alert=TEXT, record=TEXT, expr=TEXT, keep_firing_for=DURATION, labels=TEXTS,
    annotations=TEXTS, **{"for": DURATION},
)  # fmt: skip
SPECS = {
    "ServiceMonitor": fields(
        "selector endpoints",
        selector=fields("matchLabels", matchLabels=TEXTS),
        endpoints={
            "type": "array",
            "items": fields(
                "port",
                port=TEXT,
                path=TEXT,
                interval=DURATION,
                relabelings={
                    "type": "array",
                    "items": fields(
                        "action targetLabel",
                        action={"const": "replace"},
                        targetLabel=TEXT,
                        replacement=TEXT,
                    ),
                },
            ),
        },
    ),
    "PrometheusRule": fields(
        "groups",
        groups={
            "type": "array",
            "items": fields(
                "name rules",
                name=TEXT,
                interval=DURATION,
                rules={"type": "array", "items": RULE},
            ),
        },
    ),
    "ScaledObject": fields(
        "scaleTargetRef triggers",
        scaleTargetRef=fields("name", apiVersion=TEXT, kind=TEXT, name=TEXT),
        minReplicaCount=COUNT,
        maxReplicaCount=COUNT,
        cooldownPeriod=COUNT,
        triggers={
            "type": "array",
            "minItems": 1,
            "items": fields(
                "type metadata",
                type={"const": "kafka"},
                metadata=fields(
                    "bootstrapServers consumerGroup topic",
                    bootstrapServers=TEXT,
                    consumerGroup=TEXT,
                    topic=TEXT,
                    lagThreshold={"type": "string", "pattern": "^[0-9]+$"},
                ),
                authenticationRef=fields("name", name=TEXT),
            ),
        },
    ),
}
VERSIONS = {
    "ServiceMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "ScaledObject": "keda.sh/v1alpha1",
}
SCHEMAS = {
    kind: fields(
        "apiVersion kind metadata spec",
        apiVersion={"const": VERSIONS[kind]},
        kind={"const": kind},
        metadata=fields("name labels", name=TEXT, labels=TEXTS),
        spec=spec,
    )
    for kind, spec in SPECS.items()
}
"""Kind to the schema of what the chart renders of it."""
