"""Figures of a page: each is a `data` element, whose value is exact and whose text is rounded."""

from __future__ import annotations

from typing import Any

from driftline.consumer.wire.records import Verdict

Figure = float | int | None

_PANEL = """(title) => {
  const own = [...document.querySelectorAll('.panel')]
    .find((each) => each.querySelector('h2').textContent === title);
  return [...own.querySelectorAll('data, .none')]
    .map((each) => [each.value ?? null, each.textContent]);
}"""


def shown(page: Any, panel: str) -> list[tuple[Figure, str]]:
    """Return the figures of a panel, in order: value and text; of a missing one None and a dash."""
    found = page.evaluate(_PANEL, panel)
    return [(None if value is None else float(value), text) for value, text in found]


def is_rounded(value: Figure, text: str) -> bool:
    """Tell whether a text is a value, rounded to the digits that it has."""
    if value is None:
        return text == "–"
    plain = text.replace("\N{NO-BREAK SPACE}", " ").replace(",", "")
    scale = 100.0 if plain.endswith(" %") else 1.0
    number = plain.removesuffix(" %")
    if number.startswith("< "):
        return 0 < scale * abs(value) < float(number[2:])
    mantissa, _, exponent = number.partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    # A figure that shows as 0 is below half a thousandth.
    unit = 0.001 if number == "0" and isinstance(value, float) else 10.0**-digits
    return abs(float(number) - scale * value) <= 0.5 * unit * (1 + 1e-9)


def of_window(verdict: Verdict) -> list[Figure]:
    """Return what the panel on a window shows of a verdict: facts, then its bins."""
    facts: list[Figure] = [verdict.window.events]
    facts += [] if verdict.effect is None else [verdict.effect]
    if verdict.sequential is not None:
        facts += [verdict.sequential.evidence, verdict.sequential.limit]
    return facts


def of_bins(verdict: Verdict, contributions: list[Figure]) -> list[tuple[Figure, ...]]:
    """Return the rows of the bins: normally, now and part of the effect."""
    bins = verdict.bins or {}
    normal, now = bins["reference"], bins["window"]
    return [
        (a / sum(normal), b / sum(now), part)
        for a, b, part in zip(normal, now, contributions, strict=True)
    ]


def of_detectors(verdict: Verdict) -> list[Figure]:
    """Return the rows of the detectors, one after the other."""
    return [
        figure
        for each in verdict.detectors.values()
        for figure in (each.value, each.p_value, each.threshold)
    ]
