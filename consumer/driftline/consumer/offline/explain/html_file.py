"""An explanation as one HTML file, without scripts and without network."""

from __future__ import annotations

from html import escape

from driftline.consumer.html.inlined import plain_document
from driftline.consumer.html.summary import paragraph, section, table
from driftline.consumer.judge.sentence import clean, percent
from driftline.consumer.offline.explain import sentences
from driftline.consumer.offline.explain.records import Explanation, PairShare

_FEATURES = ("feature", "AUC alone", "AUC less without it", "now", "quiet")


def html_file(found: Explanation) -> str:
    """Return the file.

    Args:
        found: the explanation; examples stand in it where they were asked for.
    """
    title = f"What changed: {found.summary}"
    parts = [
        f"<header><h1>{escape(clean(title))}</h1>{paragraph(sentences.verdict(found))}"
        f"{paragraph(sentences.sides(found))}</header>",
        section("What tells the rows apart", _features(found)),
    ]
    if found.apart:
        parts.append(section("Where", paragraph(sentences.segment(found))))
    if found.pairs:
        parts.append(section("What no longer goes together", "".join(map(_pair, found.pairs))))
    if found.examples:
        parts.append(section("Rows that look least like quiet ones", _examples(found)))
    notes = [*sentences.left_out(found), *found.notes]
    if notes:
        listed = "".join(f"<li>{escape(clean(note))}</li>" for note in notes)
        parts.append(section("What to know", f"<ul>{listed}</ul>"))
    return plain_document(clean(title), "\n".join(parts), ("app.css", "report.css"))


def _features(found: Explanation) -> str:
    rows = [
        [
            each.name,
            sentences.area(each.alone),
            sentences.needed(each.needed),
            each.now,
            each.quiet,
        ]
        for each in found.features
        if each.tells and each.by_itself
    ]
    body = table("Those that tell most first", _FEATURES, rows) if rows else ""
    return body + "".join(map(paragraph, sentences.other_features(found)))


def _pair(pair: PairShare) -> str:
    first, second = pair.names
    rows = [
        [
            f"{first} {level}",
            *(
                f"{percent(now)} ({percent(quiet)})"
                for now, quiet in zip(pair.now[i], pair.quiet[i], strict=True)
            ),
        ]
        for i, level in enumerate(pair.levels[0])
    ]
    head = ["", *(f"{second} {level}" for level in pair.levels[1])]
    return paragraph(pair.summary) + table("Share of the rows now (quiet)", map(escape, head), rows)


def _examples(found: Explanation) -> str:
    names = list(found.examples[0].values)
    rows = [
        [each.event_id or "-", each.timestamp or "-", *(str(each.values[name]) for name in names)]
        for each in found.examples
    ]
    return table("Surest first", ["event", "time", *map(escape, names)], rows)
