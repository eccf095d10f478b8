"""Recent records of the input topics: do they fit, and are they enough?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from driftline.consumer.cli.check_findings import DAY, Finding
from driftline.consumer.cli.check_texts import cells, numbers_as_text
from driftline.consumer.config import ModelConfig
from driftline.consumer.log.protocol import Record, TopicPartition, Unread
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.decode import Decoded, Rejected
from driftline.consumer.wire.text import plural, some
from driftline.detectors.counts import ABSENT, INVALID
from driftline.producer.records.durations import format_duration
from driftline.producer.records.timestamp import EARLIEST

_HOUR = 3_600_000
_LENGTHS = [hours * _HOUR for hours in (1, 2, 3, 6, 12)] + [days * DAY for days in (1, 2, 3, 7, 14)]
_LENGTHS += [30 * DAY, 90 * DAY]
_ENOUGH_FOR_A_RATE = 20


@dataclass
class Sample:
    """Counts of the recent records of one model's topics.

    Attributes:
        read: records with a value; they may be of any model of the topic.
        refused: by reason, records that would be dead letters.
        details: one example a reason.
        own: events of this model.
        hourly: its events an hour, None where too few records tell.
        mappable: by reason, those of the refused that were read and have another shape: a mapping
            may help.
        failed: the error of Driftline's own that its events raised; empty without.
        absent, invalid: by feature, its events without the key, or with a value that does not fit.
        texts: topic to its events in which a feature has a number as text, by feature.
    """

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)
    mappable: Counter[str] = field(default_factory=Counter, init=False)
    own: int = 0
    hourly: float | None = None
    failed: str = ""
    absent: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    texts: dict[str, Counter[str]] = field(default_factory=dict, init=False)


def decode(plan: Plan, topic: str, records: Sequence[Record]) -> Decoded:
    """Return the events among the records of one topic."""
    values = [record.value for record in records]
    if not plan.models_of(topic):
        return Decoded(tombstones=values.count(None))
    return plan.decoder(topic).decode(values, [record.timestamp for record in records])


def sample_topic(
    plan: Plan, topic: str, records: Sequence[Record], decoded: Decoded
) -> dict[str, Sample]:
    """Return the counts of one topic's records and of the events among them, by model."""
    samples = {}
    texts = numbers_as_text(plan, topic, records, decoded)
    for name in plan.models_of(topic):
        sample = samples[name] = Sample(
            read=len(records) - decoded.tombstones,
            refused=Counter(str(bad.reason) for bad in decoded.rejected),
            details={str(bad.reason): bad.detail for bad in reversed(decoded.rejected)},
            failed=repr(decoded.failed[name]) if name in decoded.failed else "",
        )
        sample.mappable = mappable(records, decoded.rejected)
        rows = decoded.models.get(name)
        if rows is None:
            continue
        sample.own = len(rows.index)
        sample.hourly = hourly_rate([records[i] for i in rows.index.tolist()])
        layout = plan.references[name].layout
        sample.absent = cells(layout, rows, ABSENT)
        sample.invalid = cells(layout, rows, INVALID)
        if texts.get(name):
            sample.texts = {topic: texts[name]}
    return samples


def mappable(records: Sequence[Record], refused: Sequence[Rejected]) -> Counter[str]:
    """Count those of the refused records, by reason, that are JSON objects of another shape."""
    return Counter(
        str(bad.reason)
        for bad in refused
        if bad.reason == "schema" and not isinstance(records[bad.index].value, Unread)
    )


def hourly_rate(records: Iterable[Record]) -> float | None:
    """Return how many events come in an hour, by the records' timestamps in each partition.

    None with fewer than 20 records, or where they do not span any time.
    """
    times: defaultdict[TopicPartition, list[int]] = defaultdict(list)
    for record in records:
        if record.timestamp >= EARLIEST:  # else the record has no time
            times[TopicPartition(record.topic, record.partition)].append(record.timestamp)
    if sum(map(len, times.values())) < _ENOUGH_FOR_A_RATE:
        return None
    # The sample is the end of each partition: a partition with more events has a shorter one.
    spans = [(len(own) - 1, max(own) - min(own)) for own in times.values()]
    if any(span <= 0 for events, span in spans if events):
        return None
    return sum(events * _HOUR / span for events, span in spans if events)


def merge(samples: Iterable[Sample]) -> Sample:
    """Return the counts of all topics of a model together."""
    whole = Sample()
    for sample in samples:
        whole.read += sample.read
        whole.own += sample.own
        whole.failed = whole.failed or sample.failed
        whole.refused.update(sample.refused)
        whole.mappable.update(sample.mappable)
        whole.absent.update(sample.absent)
        whole.invalid.update(sample.invalid)
        whole.details |= sample.details
        whole.texts |= sample.texts
        if sample.hourly is not None:
            whole.hourly = (whole.hourly or 0.0) + sample.hourly
    return whole


def describe(sample: Sample) -> str:
    """Return how many of the recent events fit.

    >>> describe(Sample(read=1_000, refused=Counter(schema=10)))
    '990 of 1,000 recent events fit'
    """
    if not sample.read:
        return "no recent events"
    return f"{sample.read - sample.refused.total():,} of {sample.read:,} recent events fit"


def event_findings(name: str, model: ModelConfig, sample: Sample) -> Iterator[Finding]:
    """Yield what is wrong with the recent events of a model, or with how many there are."""
    topics = " and ".join(model.predictions)
    if sample.failed:
        text = f"recent events of {topics} cannot be read, by an error of Driftline's own"
        yield Finding("error", name, f"{text}: {sample.failed};\nreport it")
        return
    for reason, events in sample.refused.most_common():
        text = f"{events:,} of {sample.read:,} recent events of {topics} are refused: {reason}"
        if sample.mappable[reason] == sample.read:
            advice = f"map them with sources.{model.predictions[0]}.fields"
        elif reason == "too_far_ahead":
            advice = (
                "they will be dead letters; if their times are local ones, give the zone with"
                f" sources.{model.predictions[0]}.timezone"
            )
        else:
            advice = "they will be dead letters"
        yield Finding("warning", name, f"{text}, {sample.details[reason]};\n{advice}")
    if sample.read > sample.refused.total() and not sample.own:
        text = f"none of {sample.read:,} recent events of {topics} is of this model"
        yield Finding("warning", name, text)
    for topic, texts in sample.texts.items():
        watched = sorted(feature for feature in texts if not model.is_ignored(feature))
        if watched:
            many = f"{max(texts[each] for each in watched):,} of {sample.own:,} recent events"
            text = f"{some(watched, 5)}: numbers come as text in {many}"
            yield Finding("warning", name, f"{text};\nset sources.{topic}.coerce: true")
    for kind, counts in (("absent from", sample.absent), ("invalid in", sample.invalid)):
        always = sorted(feature for feature, events in counts.items() if events == sample.own)
        known = set().union(*sample.texts.values())
        watched = [name for name in always if not model.is_ignored(name) and name not in known]
        if watched:
            verb = "is" if len(watched) == 1 else "are"
            yield Finding("warning", name, f"{some(watched, 5)} {verb} {kind} every recent event")
    if sample.hourly is not None:
        yield from _rate_findings(name, model, sample.hourly)


def _rate_findings(name: str, model: ModelConfig, hourly: float) -> Iterator[Finding]:
    least, length = model.window.min_events, model.window.length
    expected = hourly * length / _HOUR
    if expected >= least:
        return
    often = "never" if expected + 4 * math.sqrt(expected) < least else "seldom"
    longer = [each for each in _LENGTHS if each > length and hourly * each / _HOUR >= least]
    advice = f"try length: {format_duration(longer[0])}" if longer else "try a smaller min_events"
    yield Finding(
        "warning",
        name,
        f"about {_about(hourly)} an hour: a window of {format_duration(length)} {often}"
        f" has min_events {least:,}; {advice}",
    )


def _about(hourly: float) -> str:
    rounded = float(f"{hourly:.2g}")
    return f"{rounded:,g} {plural(rounded, 'event')}"
