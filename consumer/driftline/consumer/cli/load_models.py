"""What is to be watched: the references of a configuration's models, and the schemas of records."""

from __future__ import annotations

from driftline.consumer.cli.terminal import say
from driftline.consumer.config import Config, Loaded, Problem
from driftline.consumer.log.schema_registry import PATIENCE, SchemaRegistry
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import sort_out, stored_references
from driftline.producer.errors import MissingExtraError, SchemaError


def read_plan(loaded: Loaded) -> Plan:
    """Return what is to be watched. References are looked at, and read whole where they are used.

    Raises:
        ConfigError: a reference cannot be used, or the configuration names what it does not have.
    """
    references, problems = stored_references(loaded)
    config = loaded.config
    plan = Plan(config, references, schemas=schema_source(config))
    for warning in sort_out([*problems, *source_problems(plan, loaded)]):
        say(f"warning  {warning}")
    return plan


def schema_source(config: Config, patience: float = PATIENCE) -> SchemaRegistry | None:
    """Return where the schemas of records are kept; None: nowhere but in files.

    `patience`: seconds to ask again while it is away.
    """
    if config.schema_registry is None:
        return None
    return SchemaRegistry(config.schema_registry, patience)


def source_problems(plan: Plan, loaded: Loaded) -> list[Problem]:
    """Return what is wrong with the sources that are read: a schema, or what reads it is missing.

    Their keys begin with `sources` and the topic.
    """
    problems = []
    for topic in sorted(plan.inputs & plan.config.sources.keys()):
        try:
            plan.opener(topic)
        except SchemaError as error:
            key = ("sources", topic, "schema")
            problems.append(loaded.locations.problem(key, str(error)))
        except MissingExtraError as error:
            problems.append(loaded.locations.problem(("sources", topic), str(error)))
    return problems
