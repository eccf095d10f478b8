"""An explanation as a terminal shows it."""

from __future__ import annotations

from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline.explain import sentences
from driftline.consumer.offline.explain.records import Example, Explanation, PairShare

_HEAD = ("feature", "AUC alone", "less without it", "now", "quiet")
_LONGEST = 40


def explanation_text(found: Explanation) -> str:
    """Return the text."""
    lines = [clean(found.summary), sentences.sides(found), sentences.verdict(found)]
    rows = [
        (
            clean(each.name)[:_LONGEST],
            sentences.area(each.alone),
            sentences.needed(each.needed),
            clean(each.now)[:_LONGEST],
            clean(each.quiet)[:_LONGEST],
        )
        for each in found.features
        if each.tells and each.by_itself
    ]
    if rows:
        lines += ["", *_columns([_HEAD, *rows])]
    lines += map(clean, sentences.other_features(found))
    if found.apart:
        lines += ["", clean(sentences.segment(found))]
    for pair in found.pairs:
        lines += ["", clean(pair.summary), *_columns(_pair(pair))]
    for example in found.examples:
        lines += ["", clean(_example(example))]
    notes = [*sentences.left_out(found), *found.notes]
    return "\n".join([*lines, *([""] if notes else []), *map(clean, notes)])


def _pair(pair: PairShare) -> list[tuple[str, ...]]:
    first, second = pair.names
    head = ("now (quiet)", *(f"{second} {level}"[:_LONGEST] for level in pair.levels[1]))
    rows = [
        (
            f"{first} {level}"[:_LONGEST],
            *(
                f"{now:.1%} ({quiet:.1%})"
                for now, quiet in zip(pair.now[i], pair.quiet[i], strict=True)
            ),
        )
        for i, level in enumerate(pair.levels[0])
    ]
    return [tuple(map(clean, row)) for row in (head, *rows)]


def _example(example: Example) -> str:
    values = ", ".join(f"{name} {value}" for name, value in example.values.items())
    return f"{example.event_id or 'a row'} at {example.timestamp or '-'}: {values}"


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    padded = (
        "   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return [f"  {line.rstrip()}" for line in padded]
