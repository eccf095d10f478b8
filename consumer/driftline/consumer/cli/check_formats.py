"""How the recent records of the input topics are written."""

from __future__ import annotations

from collections.abc import Iterator, Set

from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.service.plan import Plan
from driftline.producer.records.formats.presets import PRESETS

_LISTED = 3


def format_findings(plan: Plan, inputs: Set[str]) -> Iterator[Finding]:
    """Yield in which forms the records of `inputs` were, after some have been read.

    Of a topic of JSON objects alone nothing is to be said.
    """
    for topic in sorted(inputs):
        opener = plan.opener(topic)
        forms = opener.forms
        if forms.keys() - {"JSON"}:
            listed = [f"{form} ({records:,})" for form, records in forms.most_common(_LISTED)]
            others = len(forms) - len(listed)
            more = f" and {others} more forms" if others > 0 else ""
            yield Finding("ok", "formats", f"{topic}: {', '.join(listed)}{more}")
        yield from _halves(topic, plan)


def _halves(topic: str, plan: Plan) -> Iterator[Finding]:
    """Yield what to know of requests and answers that are records of their own."""
    opener, source = plan.opener(topic), plan.config.sources.get(topic)
    preset = PRESETS.get(source.preset or "") if source is not None else None
    if preset is None or not preset.halves:
        return
    halves = opener.halves
    requests, answers = halves["request"], halves["answer"]
    if requests and answers:
        text = (
            f"{topic}: {requests:,} events are requests alone and {answers:,} are answers alone;"
            " they are not joined:\neach is an event of its own, so let one kind go to a topic"
        )
        yield Finding("warning", "formats", text)
    elif requests or answers:
        kind, other = ("requests", "predictions") if requests else ("answers", "features")
        text = f"{topic}: {requests + answers:,} events are {kind} alone: no {other} are watched"
        yield Finding("warning", "formats", text)
