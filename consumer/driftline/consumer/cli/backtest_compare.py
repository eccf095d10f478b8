"""`driftline backtest --compare`: what the options ask for, and the exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from driftline.consumer.cli import backtest_compare_text
from driftline.consumer.cli.errors import DRIFT_FOUND, OPERATOR_MUST_ACT, CommandError
from driftline.consumer.cli.load_config import choose_model, read_config
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.config import Config, Side
from driftline.consumer.config.names import hint
from driftline.consumer.offline.compare import Compared
from driftline.consumer.offline.compare import compare as compare_sides
from driftline.consumer.offline.sides import TruthOptions, Wanted
from driftline.producer.files.formats import is_file_name
from driftline.producer.files.given import Input
from driftline.producer.records.time_form import GivenTimes


def wanted(
    pair: tuple[str, str],
    file: Path | None,
    config: Path | None,
    model: str | None,
    truth: tuple[str | None, Path | None, str | None],
    times: GivenTimes,
) -> Wanted:
    """Return what the options of the command line ask for.

    Args:
        pair: champion and challenger, as they were named.
        file: the file of both, None where each has its own.
        config: says how rows are mapped.
        model: of the configuration.
        truth: `--actual`, `--labels` and `--positive-label`.
        times: what is known of the times.

    Raises:
        DriftlineError: they do not fit together, or the configuration cannot be used.
    """
    options = TruthOptions(*truth)
    if options.positive_label is not None and config is not None:
        raise CommandError(
            "--compare: leave out --positive-label: it takes models.<name>.positive_label"
        )
    loaded = None if config is None else read_config(config, offline=True).config
    sides = () if file is None else _two_sides(pair, loaded)
    files = _two_files(pair) if file is None else (file,)
    if loaded is not None:
        model = choose_model(loaded, model or (sides[0].model if sides else None))
        options = replace(options, positive_label=loaded.models[model].positive_label)
    return Wanted(pair, files, sides, loaded, model, options, times)


def compare(given: Wanted, *, as_json: bool, fail_on_drift: bool) -> int:
    """Compare two sides, print which is better, and return the exit code."""
    found = compare_sides(given, Screen())
    if as_json:
        out_json(backtest_compare_text.document(found))
    else:
        out(backtest_compare_text.render(found))
    if fail_on_drift and found.decision == "worse":
        return DRIFT_FOUND
    if fail_on_drift and (doubt := too_little_compared(found)):
        say(f"--fail-on-drift: {doubt}")
        return OPERATOR_MUST_ACT
    return 0


def too_little_compared(found: Compared) -> str:
    """Return why a comparison without a loser does not show that there is none, or nothing."""
    if found.decision is None:
        return f"nothing was compared: {found.reason}"
    predictions = [side.predictions for side in found.sides]
    events = max(predictions) if found.paired else sum(predictions)
    if 2 * found.events >= events:
        return ""
    return (
        f"only {found.events:,} of {events:,} predictions were compared, which says little of the"
        " rest: give more labels"
    )


def _two_files(pair: tuple[str, str]) -> tuple[Input, ...]:
    """Return the files of both sides.

    Raises:
        CommandError: they are not two different files.
    """
    first, second = (Path(name) for name in pair)
    if first == second or (first.exists() and second.exists() and first.samefile(second)):
        raise CommandError(f"--compare: {first} is on both sides; name two files")
    for path in (first, second):
        if not path.exists() and not is_file_name(path.name):
            raise CommandError(
                f"--compare {path}: there is no such file; give two files, or with --input FILE"
                " two models or versions (model@version) in it"
            )
    return first, second


def _two_sides(pair: tuple[str, str], config: Config | None) -> tuple[Side, ...]:
    """Return the sides of one file.

    Raises:
        CommandError: they are not two different sides.
    """
    for text in pair:
        if is_file_name(text) or Path(text).is_file():
            raise CommandError(
                f"--compare {text}: with --input the sides are models, or model@version, in that"
                " file; leave out --input to compare two files"
            )
    sides = tuple(map(_side, pair))
    if sides[0] == sides[1]:
        raise CommandError(f"--compare: {sides[0]} is on both sides")
    for side in () if config is None else sides:
        if config is not None and side.model not in config.models:
            advice = hint(side.model, config.models)
            raise CommandError(f"--compare {side}: there is no model {side.model}; {advice}")
    return sides


def _side(text: str) -> Side:
    try:
        return Side.parse(text)
    except ValueError as error:
        raise CommandError(f"--compare {text}: {error}") from None
