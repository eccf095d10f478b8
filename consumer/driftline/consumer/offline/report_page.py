"""A report as HTML: a table, with the bins of each feature as bars beside it. No network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from driftline.consumer.judge.bin_changes import bin_name, edge
from driftline.consumer.judge.sentence import amount, clean, percent
from driftline.consumer.wire.records import Number, Verdict

if TYPE_CHECKING:
    from driftline.consumer.offline.report import FeatureRow, Report

_WIDTH, _HEIGHT, _GAP = 180, 44, 1
_MOST_BARS = 40
_STYLE = (
    ".driftline{font:14px/1.45 system-ui,sans-serif;color:#1b1f24;background:#fff;"
    "container-type:inline-size}"
    ".driftline table{border-collapse:collapse;font:inherit;color:inherit}"
    ".driftline th,.driftline td{padding:.3em .7em;text-align:left;vertical-align:middle;"
    "border-bottom:1px solid #d8dee4}"
    ".driftline tbody th,.driftline .change{overflow-wrap:anywhere}"
    ".driftline .n,.driftline .drifted,.driftline .type{white-space:nowrap}"
    ".driftline .n{text-align:right;font-variant-numeric:tabular-nums}"
    ".driftline .drifted{font-weight:600;color:#a40e26}"
    ".driftline .type{color:#57606a}"
    ".driftline tbody th,.driftline .change{min-width:10em}"
    ".driftline svg{display:block}"
    ".driftline .notes{color:#57606a;overflow-wrap:anywhere}"
    # Too narrow for a table: a block a feature, its figures with their names.
    "@container (max-width:800px){"
    ".driftline thead{display:none}"
    ".driftline table,.driftline tbody{display:block}"
    ".driftline tr{display:flex;flex-wrap:wrap;gap:.1em .9em;padding:.7em 0;"
    "border-bottom:1px solid #d8dee4}"
    ".driftline th,.driftline td{border:0;padding:0;min-width:0}"
    ".driftline td:empty{display:none}"
    ".driftline .n::before{content:attr(data-name) ' ';color:#57606a}"
    ".driftline tbody th,.driftline .change,.driftline .bins{flex-basis:100%}}"
)


def page(report: Report) -> str:
    """Return a whole document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Driftline: {len(report.drifted)} of {len(report.features)} drifted</title>"
        f'</head><body style="margin:min(2em,4vw)">{body(report)}</body></html>\n'
    )


def body(report: Report) -> str:
    """Return the part that a notebook shows."""
    head = "".join(
        f'<th scope="col"{kind}>{name}</th>'
        for name, kind in (
            ("feature", ""), ("type", ""), ("", ""), ("effect", ' class="n"'),
            ("p-value", ' class="n"'), ("what changed", ""), ("normally and now", ""),
        )
    )  # fmt: skip
    rows = "".join(map(_row, report.features))
    notes = "".join(
        f"<li><strong>{note.kind}</strong> {_text(note.sentence)}</li>" for note in report.notes
    )
    return (
        f'<div class="driftline"><style>{_STYLE}</style><p>{_text(report.headline)}.</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        '<p class="notes">Bars: grey normally, blue now. The effect is a PSI without bias: below'
        " 0.1 small, from 0.25 on large.</p>"
        f'{f"""<ul class="notes">{notes}</ul>""" if notes else ""}</div>'
    )


def _row(row: FeatureRow) -> str:
    state = '<td class="drifted">drifted</td>' if row.drifted else "<td></td>"
    figures = "".join(
        f'<td class="n" data-name="{name}">{escape(text)}</td>'
        for name, text in (("effect", written(row.effect)), ("p-value", p_text(row.p_value)))
    )
    return (
        f'<tr><th scope="row">{_text(row.feature)}</th><td class="type">{row.type}</td>{state}'
        f'{figures}<td class="change">{_text(row.change)}</td>'
        f'<td class="bins">{bars(row.verdict)}</td></tr>'
    )


def bars(verdict: Verdict | None) -> str:
    """Return the bins of a verdict as a drawing: normally beside now; empty where it has none."""
    if verdict is None or not verdict.bins:
        return ""
    bins = verdict.bins
    if "categories" in bins:
        names = [str(name) for name in bins["categories"]]
    else:
        upper = bins["upper"]
        names = [bin_name(upper, i, lambda x: str(edge(x))) for i in range(len(upper) + 1)]
    normal, now = _shares(bins["reference"]), _shares(bins["window"])
    order = range(len(names))
    if len(names) > _MOST_BARS:  # those that tell most, in their order
        most = sorted(order, key=lambda i: -max(normal[i], now[i]))[:_MOST_BARS]
        order = sorted(most)  # type: ignore[assignment]  # places, as in a range
    places = list(order)
    top = max([*normal, *now, 1e-9])
    slot = _WIDTH / max(len(places), 1)
    wide = max((slot - _GAP) / 2, 0.5)
    drawn = []
    for k, i in enumerate(places):
        title = f"{clean(names[i])}: {percent(now[i])}, normally {percent(normal[i])}"
        rects = "".join(
            f'<rect x="{k * slot + side * wide:.1f}" y="{_HEIGHT * (1 - share / top):.1f}"'
            f' width="{wide:.1f}" height="{_HEIGHT * share / top:.1f}" fill="{color}"/>'
            for side, (share, color) in enumerate(((normal[i], "#afb8c1"), (now[i], "#0969da")))
        )
        drawn.append(f"<g><title>{escape(title)}</title>{rects}</g>")
    label = escape(f"{verdict.feature}: {len(names)} bins, normally and now")
    return (
        f'<svg role="img" aria-label="{label}" width="{_WIDTH}" height="{_HEIGHT}"'
        f' viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(drawn)}</svg>'
    )


def written(value: Number) -> str:
    """Return a figure as a table shows it.

    >>> written(0.43051), written(1.2e-30), written(None)
    ('0.431', '1.2e-30', '')
    """
    if value is None:
        return ""
    return amount(float(value), 3 if abs(value) >= 1e-4 or value == 0 else 2)


def p_text(p_value: Number) -> str:
    """Return a p-value as a table shows it: 0 is one too small for a double.

    >>> p_text(4.1e-52), p_text(0.0), p_text(None)
    ('4.1e-52', '<1e-300', '')
    """
    return "<1e-300" if p_value == 0 else written(p_value)


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [count / total for count in counts]


def _text(text: str) -> str:
    return escape(clean(text))
