"""The topics that Driftline writes: how they must be, and what is wrong with those that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftline.consumer.log.protocol import TopicInfo, TopicSpec

HOUR = 3_600_000
DAY = 24 * HOUR
ALERTS_KEPT = 30 * DAY
ALERTS_NEEDED = 8 * DAY
"""An alert that fires is written again every week, so that it stays in its topic."""
VERDICTS_KEPT = 90 * DAY
"""The page, the API and reports look back as far as verdicts are kept; nothing else reads them."""
PANES_KEPT = 7 * DAY
PANES_TIMES, JOINS_TIMES = 2, 3
"""How many times the longest that a model looks back panes and joins are kept."""

FLEET = 1_000
"""Models; where there are more, topics made now have more partitions, and horizons of all models
are sent together."""
_USUAL, _OF_FLEETS = 6, 64
# Each partition of panes is judged by one worker. Those of joins are not among them: how far a
# topic was read is sent to every one of them, for each model.
_MORE_FOR_FLEETS = ("panes", "verdicts", "state")

_COMPACTED = ("state", "control", "models")
_NOT_NEEDED = ("control", "models")
_OF_ONE_PARTITION = ("models",)  # its order is that in which models were applied


def partitions_for(name: str, models: int) -> int:
    """Return how many partitions an output topic gets where the configuration names no number.

    Never changed later: `models` that come to be more stay in the partitions that there are.

    >>> [partitions_for(name, 20_000) for name in ("panes", "joins")], partitions_for("panes", 9)
    ([64, 6], 6)
    """
    return _OF_FLEETS if models > FLEET and name in _MORE_FOR_FLEETS else _USUAL


def output_topics(
    prefix: str, partitions: int | None, longest: int, models: int = 0
) -> list[TopicSpec]:
    """Return the output topics.

    Args:
        prefix: `output.prefix`; topics are `<prefix>.alerts` and so on.
        partitions: Number of partitions of each; None: as `partitions_for` the `models` says.
        longest: The longest window, rolling reference or label horizon of any model, in ms. Panes
            are kept twice as long, so that every window can be counted again. Joins are kept three
            times as long: a row that waits may share its id with one of a horizon before.
        models: Number of models in the configuration.

    >>> for spec in output_topics("driftline", 6, 14 * DAY):
    ...     print(spec.name, spec.cleanup_policy, spec.configs.get("retention.ms"))
    driftline.alerts delete 2592000000
    driftline.verdicts delete 7776000000
    driftline.panes delete 2419200000
    driftline.joins delete 3628800000
    driftline.state compact None
    driftline.dead-letter delete None
    driftline.control compact None
    driftline.models compact None
    """
    panes, joins = (
        {"retention.ms": str(max(PANES_KEPT, n * longest))} for n in (PANES_TIMES, JOINS_TIMES)
    )
    configs = {
        "alerts": {"retention.ms": str(ALERTS_KEPT)},
        "verdicts": {"retention.ms": str(VERDICTS_KEPT)},
        "panes": panes,
        "joins": joins,
        # Only segments that are closed are compacted: by default after a week or 1 GiB, and a
        # restarted worker would read all of that.
        "state": {"segment.ms": str(HOUR), "min.cleanable.dirty.ratio": "0.1"},
        "dead-letter": {},
        "control": {},
        "models": {},
    }
    return [
        TopicSpec(
            f"{prefix}.{name}",
            1 if name in _OF_ONE_PARTITION else partitions or partitions_for(name, models),
            {"cleanup.policy": "compact" if name in _COMPACTED else "delete", **more},
            name not in _NOT_NEEDED,
        )
        for name, more in configs.items()
    ]


def missing_topics(specs: Sequence[TopicSpec], found: Mapping[str, TopicInfo]) -> list[TopicSpec]:
    """Return those of `specs` that do not exist."""
    return [spec for spec in specs if spec.name not in found]


def check_topics(specs: Sequence[TopicSpec], found: Mapping[str, TopicInfo]) -> list[str]:
    """Say what is wrong with the topics that `specs` describe, one sentence with its fix each.

    That one which no worker needs is missing is not wrong.

    >>> specs = output_topics("driftline", 6, 0)[:2]
    >>> check_topics(specs, {"driftline.alerts": TopicInfo("driftline.alerts", "id", 6, "delete")})
    ['driftline.verdicts is missing: run  driftline topics create']
    """
    problems = []
    for spec in specs:
        info = found.get(spec.name)
        if info is None:
            if not spec.needed:
                continue
            problems.append(f"{spec.name} is missing: run  driftline topics create")
        elif info.cleanup_policy not in (spec.cleanup_policy, ""):  # empty: may not be seen
            problems.append(
                f"{spec.name} has cleanup.policy={info.cleanup_policy}, it must be"
                f" {spec.cleanup_policy}: run  kafka-configs.sh --alter --entity-type topics"
                f" --entity-name {spec.name} --add-config cleanup.policy={spec.cleanup_policy}"
            )
    return problems
