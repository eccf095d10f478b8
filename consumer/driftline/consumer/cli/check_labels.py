"""Recent labels: do they fit, and do they find their predictions?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np

from driftline.consumer.cli.check_events import mappable
from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.config import LabelsConfig, ModelConfig
from driftline.consumer.log.protocol import Record
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.decode import Decoded
from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.input_rows import RecordRows
from driftline.consumer.wire.join_rows import IdArray


def _none() -> IdArray:
    return np.zeros(0, np.uint64)


@dataclass
class LabelSample:
    """Counts of one model's labels among the recent records of its topics.

    Attributes:
        read: records with a value in the topic of labels.
        own: labels of this model among them.
        refused: by reason, those that would be dead letters; none where they stand among events,
            which tell of them.
        details: one example a reason.
        mappable: by reason, those of the refused that a mapping may help.
        labels: ids that its labels name.
        events: ids of its predictions, 0 for none.
    """

    read: int = 0
    own: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)
    mappable: Counter[str] = field(default_factory=Counter)
    labels: IdArray = field(default_factory=_none)
    events: IdArray = field(default_factory=_none)


def sample_labels(
    plan: Plan,
    topic: str,
    records: Sequence[Record],
    decoded: Decoded,
    samples: Mapping[str, LabelSample],
) -> None:
    """Add the records of one topic to the samples, by model.

    Args:
        plan: what is watched.
        topic: where the records come from.
        records: as read.
        decoded: the events among them; of labels that are no events nothing is refused any more.
        samples: one of each model whose labels are read.
    """
    writer = plan.writer(topic, 1, {}, 0)
    if writer is None:
        return
    found, wrong = writer.read_labels(RecordRows(records), decoded.models, lambda _: nullcontext())
    good = {place for rows in found.values() for place in rows.index.tolist()}
    bad = {each.index: each for each in (*decoded.rejected, *wrong) if each.index not in good}
    decoded.rejected = [bad[place] for place in sorted(bad)]
    for name, labels in plan.labelled.items():
        sample, events = samples[name], decoded.models.get(name)
        if events is not None and events.ids is not None:
            sample.events = np.concatenate([sample.events, events.ids])
        if topic != labels.topic:
            continue
        sample.read = len(records) - decoded.tombstones
        sample.own = len(found[name].index)
        sample.labels = found[name].ids
        if not plan.models_of(topic):
            sample.refused = Counter(str(each.reason) for each in decoded.rejected)
            sample.details = {str(each.reason): each.detail for each in decoded.rejected[::-1]}
            sample.mappable = mappable(records, decoded.rejected)


def label_findings(name: str, model: ModelConfig, sample: LabelSample) -> Iterator[Finding]:
    """Yield how many of the recent labels of a model fit, and what is wrong with them."""
    if model.labels is None:
        return
    among_events = model.labels.topic in model.predictions
    yield from _refused(name, model.labels, sample)
    if sample.own:
        fit = f"{sample.own:,} recent labels" if among_events else (
            f"{sample.read - sample.refused.total():,} of {sample.read:,} recent labels"
        )  # fmt: skip
        yield Finding("ok", name, f"{fit} of {model.labels.topic} fit")
    elif sample.read > sample.refused.total():
        text = f"none of {sample.read:,} recent records of {model.labels.topic} is or has a label"
        yield Finding("warning", name, f"{text} of this model")
    if not among_events:
        yield from _ids(name, sample)


def _refused(name: str, labels: LabelsConfig, sample: LabelSample) -> Iterator[Finding]:
    for reason, records in sample.refused.most_common():
        text = f"{records:,} of {sample.read:,} recent labels of {labels.topic} are refused"
        advice = "they will be dead letters"
        if sample.mappable[reason] == sample.read:
            advice = f"map them with sources.{labels.topic}.fields"
        yield Finding("warning", name, f"{text}: {reason}, {sample.details[reason]};\n{advice}")


def _ids(name: str, sample: LabelSample) -> Iterator[Finding]:
    events, without = len(sample.events), int((sample.events == NO_ID).sum())
    if without:
        text = (
            f"{without:,} of {events:,} recent events have no event_id, by which labels find them"
        )
        yield Finding("warning", name, text)
    if sample.own and without < events and not np.isin(sample.labels, sample.events).any():
        yield Finding(
            "warning",
            name,
            f"none of {sample.own:,} recent labels has the event_id of one of {events:,} recent"
            " events:\nif they should come that soon, compare the ids",
        )
