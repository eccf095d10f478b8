"""What `driftline check` found, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from driftline.consumer.config import Config, Problem
from driftline.consumer.config.errors import write_key
from driftline.consumer.wire.text import plural

LEVEL_WIDTH, SUBJECT_WIDTH = 9, 18
DAY = 86_400_000


class Finding(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        level: how it is.
        subject: a model, or a part of the configuration.
        message: what was found; continued on the next row after a line break.
        file, line: where to correct it.
    """

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    file: str | None = None
    line: int | None = None


def finding(problem: Problem) -> Finding:
    """Return a problem of the configuration as a row: a model's problem stands at the model.

    >>> key = ("models", "quote", "features", "amout")
    >>> finding(Problem("a.yaml", 14, key, "not in the reference"))
    ... # doctest: +NORMALIZE_WHITESPACE
    Finding(level='error', subject='quote', message='features.amout: not in the reference',
            file='a.yaml', line=14)
    """
    key = problem.key
    if len(key) > 1 and key[0] == "models":
        key = key[1:]
    subject, within = str(key[0]) if key else "configuration", write_key(key[1:])
    message = f"{within}: {problem.message}" if within else problem.message
    return Finding(problem.severity, subject, message, problem.file, problem.line)


def overview(files: Sequence[str], config: Config, inputs: int) -> str:
    """Return the first line: the file, and what it is about."""
    models = f"{len(config.models)} {plural(len(config.models), 'model')}"
    topics = f"{inputs} input {plural(inputs, 'topic')}"
    budgets = [
        (model.budget, model.window.every) for model in config.models.values() if model.budget
    ]
    alarms = sum(budget.alarms * 30 * DAY / budget.length(every) for budget, every in budgets)
    allowed = f"{float(f'{alarms:.2g}'):,g}"
    many = "alarm" if allowed == "1" else "alarms"
    budget = f"budget {allowed} false {many} in 30 d" if budgets else "budget off"
    return f"{files[0]}   {models}, {topics}, {budget}"


def render(findings: Sequence[Finding], advice: str) -> str:
    """Return the rows and the closing line.

    Args:
        findings: the rows.
        advice: what to do next when nothing is wrong.
    """
    width = max([SUBJECT_WIDTH, *(len(found.subject) + 3 for found in findings)])
    indent = "\n" + " " * (LEVEL_WIDTH + width)
    lines = []
    for found in findings:
        place = f"{found.file}:{found.line}" if found.line is not None else found.file
        message = f"{found.message}   {place}" if place else found.message
        start = f"{found.level:<{LEVEL_WIDTH}}{found.subject:<{width}}"
        lines.append(start + message.replace("\n", indent))
    return "\n".join([*lines, "", _closing(findings, advice)])


def _closing(findings: Sequence[Finding], advice: str) -> str:
    errors = sum(found.level == "error" for found in findings)
    warnings = sum(found.level == "warning" for found in findings)
    parts = [f"{errors or 'no'} {plural(errors, 'error')}"]
    if warnings:
        parts.append(f"{warnings} {plural(warnings, 'warning')}")
    return ", ".join(parts) + ("" if errors else f". Next: {advice}")
