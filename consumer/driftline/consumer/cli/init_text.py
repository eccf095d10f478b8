"""The configuration that `driftline init` writes, and what it prints. Facts in, text out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

import yaml

from driftline.consumer.cli import reference_build as building
from driftline.consumer.cli.alert_text import minute
from driftline.consumer.cli.init_files import Draft, reference_path
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.season_notes import season_notes
from driftline.consumer.judge.sentence import amount, clean
from driftline.consumer.wire.text import plural, some
from driftline.producer.files.given import Given
from driftline.producer.records.durations import format_duration
from driftline.producer.records.mapping import Constant, DateAndClock, Mapping
from driftline.producer.records.text_form import TextForm
from driftline.producer.records.timestamp import format_time
from driftline.producer.reference.guess_texts import perhaps_missing

_TITLE = "# Written by driftline init from {}; correct what is wrong."
_MIN_EVENTS = WindowConfig().min_events
_FEW = 5
_MOST_PROPOSED = 20
_OF_LABELS = {
    "timestamp": "when the ground truth was known",
    "event_id": "that of its prediction",
    "actual": "the ground truth",
}
_NAMED = {
    "timestamp": "when the prediction was made",
    "event_id": "joins a label to its prediction",
    "actual": "the ground truth",
    "features": "every field that is not named above",
}


def configuration(draft: Draft) -> str:
    """Return the YAML, with a comment on each key."""
    pairs = [
        *_head(draft),
        *_sources(draft),
        ("models:", ""),
        *_model(draft),
    ]
    width = max(len(code) for code, comment in pairs if comment)
    lines = [f"{code:<{width}}   # {comment}" if comment else code for code, comment in pairs]
    return "\n".join([_TITLE.format(" ".join(draft.wanted.file.name.split())), *lines, ""])


def summary(draft: Draft, size: int) -> str:
    """Return what was written."""
    output, reference = draft.wanted.output, draft.built.reference
    path = reference_path(output, draft.model)
    width = max(len(str(output)), len(str(path)))
    features = len(reference.layout.features)
    begin, end = (minute(format_time(time)) for time in (draft.pace.first, draft.pace.last))
    lines = [
        f"{output!s:<{width}}   model {draft.model}, topic {draft.topic},"
        f" windows of {format_duration(draft.length)}: about {_about(draft)} events each",
        f"{path!s:<{width}}   reference {reference.id}: {reference.events:,} events,"
        f" {features} {plural(features, 'feature')}, {begin} to {end} UTC,"
        f" {size / 1_000:,.0f} kB",
        *building.outcome_lines(reference),
    ]
    return "\n".join(lines)


def next_steps(draft: Draft) -> str:
    """Return the commands to go on with."""
    output, file = draft.wanted.output, shlex.quote(str(draft.wanted.file))
    given = "" if output == DEFAULT_CONFIG else f" --config {shlex.quote(str(output))}"
    truth = draft.wanted.truth.labels
    labels = "" if truth is None else f" --labels {shlex.quote(str(truth))}"
    backtest = {f"driftline backtest{given} --input {file}{labels}": "what would have alerted?"}
    commands = {
        f"driftline check --offline{given}": "are the files right?",
        **({} if isinstance(draft.wanted.file, Given) else backtest),
        f"driftline check{given}": "do the topic's records fit?",
        f"driftline run{given}": "watch the topic",
    }
    width = max(map(len, commands))
    lines = [f"  {command:<{width}}   {why}" for command, why in commands.items()]
    return "\n".join(["Next", *lines])


def notes(draft: Draft) -> Iterator[str]:
    """Yield what the operator should know, a sentence each."""
    if draft.a_window < _MIN_EVENTS and draft.min_events is None:
        yield (
            f"a window of {format_duration(draft.length)} has about {_about(draft)} events, and"
            f" one with fewer than min_events ({_MIN_EVENTS}) is not judged: lower it"
        )

    for mark, columns in draft.found.marks.items():
        listed = some(list(map(clean, columns)), _FEW)
        yield f"{json.dumps(mark, ensure_ascii=False)} stands for no value in {listed}"
    yield from season_notes(draft.built.reference)
    if perhaps := _perhaps(draft):
        yield (
            f"{_flow(perhaps)} may stand for no value too: if so, name them in"
            f" sources.{draft.topic}.missing and build the reference again"
        )


def _perhaps(draft: Draft) -> list[str]:
    """Return the categories that may stand for no value."""
    found = perhaps_missing(draft.built.reference.layout.features, draft.found.mapping.texts)
    return found[:_MOST_PROPOSED]


def _head(draft: Draft) -> Iterator[tuple[str, str]]:
    yield "kafka:", ""
    yield f"  bootstrap_servers: {_flow(draft.wanted.servers)}", "your brokers"
    yield "", ""


def _sources(draft: Draft) -> Iterator[tuple[str, str]]:
    sources = {draft.topic: draft.found.mapping}
    if draft.labels is not None:
        sources[draft.labels_topic] = draft.labels.mapping
    told = {topic: mapping for topic, mapping in sources.items() if mapping != Mapping.native()}
    if not told:
        return
    yield "sources:", ""
    for topic, mapping in told.items():
        of_events = topic == draft.topic
        yield from _source(topic, mapping, _NAMED if of_events else _OF_LABELS)
        yield from _texts(mapping.texts, _perhaps(draft) if of_events else [])
    yield "", ""


def _source(topic: str, mapping: Mapping, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield how the records of a topic are read."""
    yield f"  {_scalar(topic)}:", "how a record of this topic is read"
    if not mapping.is_native:
        yield "    fields:", "part of the event: field of the record"
    for name, source in mapping.fields.items():
        if isinstance(source, Constant):
            text = f"{{value: {_scalar(source.value)}}}"
        elif isinstance(source, DateAndClock):
            text = _flow((source.date, source.clock))
        else:
            text = _scalar(source)
        yield f"      {_scalar(name)}: {text}", named.get(name, "")
    if mapping.times.format is not None:
        yield f"    time_format: {_scalar(mapping.times.format)}", "how the timestamp is written"
    if mapping.times.timezone is not None:
        yield f"    timezone: {_scalar(mapping.times.timezone)}", "of times without an offset"


def _texts(texts: TextForm, perhaps: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what texts of a topic stand for; `perhaps`: those that may be no values too."""
    if texts.missing:
        yield f"    missing: {_flow(texts.missing)}", "texts that stand for no value"
    if texts.coerce:
        yield "    coerce: true", "numbers are written as text"
    if perhaps:
        comment = "if they are no values too: then build the reference again"
        yield f"    # missing: {_flow((*texts.missing, *perhaps))}", comment


def _model(draft: Draft) -> Iterator[tuple[str, str]]:
    reference = draft.built.reference
    yield f"  {_scalar(draft.model)}:", ""
    yield f"    predictions: {_scalar(draft.topic)}", "the topic with the model's records"
    if draft.labels is not None:
        topic = _scalar(draft.labels_topic)
        horizon = format_duration(draft.labels.horizon)
        more = "" if draft.labels.is_usual else f", horizon: {horizon}"
        why = f"the topic with the ground truth, which comes within {horizon}"
        yield f"    labels: {{topic: {topic}{more}}}", why
    elif reference.outcome is not None:
        yield f"    labels: {{topic: {_scalar(draft.topic)}}}", "actual stands in these records too"
    name = f"references/{draft.model}.json.gz"
    yield f"    reference: {_scalar(name)}", f"what is normal: {reference.events:,} events"
    about = f"about {_about(draft)} events at the pace of the file"
    least = "" if draft.min_events is None else f", min_events: {draft.min_events}"
    yield f"    window: {{length: {format_duration(draft.length)}{least}}}", about
    if reference.seasons is not None:
        zone = _scalar(reference.seasons.timezone)
        yield f"    seasons: {{timezone: {zone}}}", "whose clocks tell the hour of the day"
    if draft.found.types:
        yield "    features:", "of these fields others are derived, which are watched"
        for name, kind in draft.found.types.items():
            yield f"      {_scalar(name)}: {{type: {kind}}}", ""
    if draft.found.ignore:
        yield f"    ignore: {_flow(draft.found.ignore)}", "say nothing of the model's input"
    yield "    budget: 1 per 30d", "false alarms of the whole model, on quiet data"
    yield "    show_values: false", "true: texts of new values may stand in alerts"


def _about(draft: Draft) -> str:
    return amount(float(f"{draft.a_window:.2g}"))


def _flow(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_scalar, values))}]"


def _scalar(value: object) -> str:
    """Return a value as YAML reads it back; text without quotes where that is safe.

    >>> _scalar("dep_hour"), _scalar("no"), _scalar("*"), _scalar("12"), _scalar(True)
    ('dep_hour', '"no"', '"*"', '"12"', 'true')
    """
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./:-]*", text) and yaml.safe_load(text) == text
    return text if isinstance(value, str) and plain else json.dumps(value, ensure_ascii=False)
