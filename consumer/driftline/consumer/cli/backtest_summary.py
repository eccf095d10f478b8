"""What a backtest found, as Markdown: the summary of a step in CI. Records in, text out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from driftline.consumer.cli.backtest_text import begin_text, effect_text, shown_name
from driftline.consumer.judge.sentence import clean, opening
from driftline.consumer.wire.records import Alert
from driftline.consumer.wire.text import counted

_MOST = 200  # rows: a step's summary may have 1 MiB
_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
_URL_ENDS = {ord(c): f"%{ord(c):02X}" for c in "<>\\ |"}


def summary(
    model: str,
    alerts: Sequence[Alert],
    judged: str,
    closing: Iterable[str],
    mistakes: Iterable[str],
) -> str:
    r"""Return a heading, a table of what drifted, and what was judged.

    Args:
        model: the model.
        alerts: its alerts, each when it fired or last rose.
        judged: what was judged, a line.
        closing: what to know of it, lines.
        mistakes: why the result is none, or not all of it.

    Example:
        >>> print(summary("m_1", [], "m_1   9 events", ["no alerts"], []), end="")
        ### No drift in m\_1
        <BLANKLINE>
        Judged: m\_1   9 events
        <BLANKLINE>
        - no alerts
    """
    found = f"{counted(len(alerts), 'alert')} in" if alerts else "No drift in"
    wrong = [f"> **{escaped(each)}**" for each in mistakes]
    if wrong and not alerts:
        found = "No result for"
    parts = [f"### {found} {escaped(model)}", *wrong, f"Judged: {escaped(judged)}"]
    if alerts:
        parts.append(_table(alerts, model))
    parts.append("\n".join(f"- {escaped(line)}" for line in closing))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    r"""Return a text that Markdown shows as it is, on one line, also in a table.

    >>> print(escaped("a|b *c* <d> & $1"))
    a\|b \*c\* &lt;d&gt; &amp; \$1
    """
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", text)


def _table(alerts: Sequence[Alert], model: str) -> str:
    since = "since row" if any(alert.rows for alert in alerts) else "since (UTC)"
    rows = [f"| severity | feature | {since} | effect | what happened | links |"]
    rows.append("|---|---|---|---:|---|---|")
    for alert in alerts[:_MOST]:
        cells = [
            f"**{alert.severity}**" if alert.severity == "critical" else alert.severity,
            *map(escaped, (shown_name(alert, model), begin_text(alert), effect_text(alert.effect))),
            escaped(alert.summary.removeprefix(opening(alert.stream))),
            _links(alert),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    if len(alerts) > _MOST:
        rows.append(f"\nand {counted(len(alerts) - _MOST, 'more alert')}")
    return "\n".join(rows)


def _links(alert: Alert) -> str:
    found: Mapping[str, str] = dict(alert.links or {})
    if alert.runbook is not None:
        found = {**found, "runbook": alert.runbook}
    return ", ".join(
        f"[{escaped(name)}](<{clean(url).translate(_URL_ENDS)}>)" for name, url in found.items()
    )
