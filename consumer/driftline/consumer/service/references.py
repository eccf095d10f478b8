"""References: read from their files, and checked against the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from driftline.consumer.config import Config, ConfigError, Loaded, ModelConfig, Problem
from driftline.consumer.judge.model_streams import reference_streams
from driftline.consumer.service.reference_checks import (
    misfits,
    outcome_layout,
    reference_problems,
    unlike,
)
from driftline.consumer.service.reference_file import read_reference_file
from driftline.consumer.service.reference_outline import parse_outline, parse_reference
from driftline.consumer.service.stored_references import References, StoredReference
from driftline.detectors.reference import Reference
from driftline.detectors.versions import with_versions
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.errors import MissingExtraError


def load_reference(
    address: str | Path, parse: Callable[[bytes], Reference] = parse_reference
) -> Reference:
    """Read a reference from a ``.json`` or ``.json.gz`` file, here or elsewhere.

    Args:
        address: a path, a URL, `s3://...`, `models:/...`.
        parse: reads it whole, or its outline.

    Raises:
        ReferenceError: it does not exist or is no reference.
        MissingExtraError: it lies elsewhere, and what fetches it is not installed.
    """
    data = read_reference_file(address)
    try:
        return parse(data)
    except ReferenceError as error:
        raise ReferenceError(f"{address}: {error}") from None


def configured_reference(
    model: ModelConfig, parse: Callable[[bytes], Reference] = parse_reference
) -> Reference:
    """Read the reference of a model, or that whose layout it has; `parse`: see `load_reference`.

    Raises:
        ReferenceError, MissingExtraError: see `load_reference`.
    """
    address = model.reference.layout
    if address is None:
        raise ReferenceError(
            "what is counted is never learnt from the stream: add layout, a file that driftline"
            " reference build makes of some of its events"
        )
    return load_reference(address, parse)


def known_panes(config: Config) -> dict[str, int]:
    """Return the length of a pane (ms) of each model whose reference can be read."""
    found = {}
    for name, model in config.models.items():
        with suppress(ReferenceError, MissingExtraError):
            outline = configured_reference(model, parse_outline)
            found[name] = model.window.pane_for(outline.dispersion)
    return found


@dataclass(frozen=True)
class ReferenceFiles:
    """The files of a model's references, which are read when they are wanted.

    Attributes:
        model: its configuration.
        layout_id: of the layout when the configuration was read: what counts and what judges must
            not go by two layouts.
    """

    model: ModelConfig
    layout_id: str

    def whole(self) -> Reference:
        """Read all of them.

        Raises:
            ReferenceError, MissingExtraError: see `load_reference`; or it is of another layout.
        """
        reference = self._same(configured_reference(self.model))
        if not self.model.references:
            return reference.watched_by(reference_streams(self.model, reference))
        named = {name: load_reference(own) for name, own in self.model.references.items()}
        for name, own in named.items():
            why = unlike(own, reference, self.model.references[name], self._address)
            if why is not None:
                raise ReferenceError(why)
        reference = with_versions(reference, named)
        return reference.watched_by(reference_streams(self.model, reference))

    def outline(self) -> Reference:
        """Read what is counted.

        Raises:
            ReferenceError, MissingExtraError: as `whole`.
        """
        if self.model.references:
            return self.whole().outline()
        return self._same(configured_reference(self.model, parse_outline))

    @property
    def _address(self) -> str:
        return self.model.reference.layout or ""

    def _same(self, reference: Reference) -> Reference:
        if reference.layout_id != self.layout_id:
            raise ReferenceError(
                f"{self._address} counts other things than when this worker started: start it again"
            )
        return reference


def read_references(
    loaded: Loaded, models: Iterable[str] | None = None
) -> tuple[dict[str, Reference], list[Problem]]:
    """Return the references of `models` (None: of all), and what does not fit together."""
    references: dict[str, Reference] = {}

    def note(name: str, reference: Reference, _: str) -> None:
        references[name] = reference

    return references, _look(loaded, models, parse_reference, note)


def stored_references(loaded: Loaded) -> tuple[References, list[Problem]]:
    """Return the references of all models as they lie in their files, and what does not fit.

    Of each file it is known then that it is there, is what its id says, and fits the configuration.
    """
    stored: dict[str, StoredReference] = {}

    def note(name: str, _: Reference, layout_id: str) -> None:
        files = ReferenceFiles(loaded.config.models[name], layout_id)
        stored[name] = StoredReference(files.whole, files.outline)

    problems = _look(loaded, None, parse_outline, note)
    return References(stored), problems


def _look(
    loaded: Loaded,
    models: Iterable[str] | None,
    parse: Callable[[bytes], Reference],
    note: Callable[[str, Reference, str], None],
) -> list[Problem]:
    """Read references one after the other; return what does not fit together.

    `note`: gets the name and reference of each model that can be used, and the id of the layout
    of its file.
    """
    problems: list[Problem] = []
    compared = {side.model for each in loaded.config.comparisons.values() for side in each.sides}
    layouts = {}
    for name in loaded.config.models if models is None else models:
        model = loaded.config.models[name]
        try:
            whole = parse_reference if model.references else parse
            reference = configured_reference(model, whole)
        except (ReferenceError, MissingExtraError) as error:
            problems.append(loaded.locations.problem(("models", name, "reference"), str(error)))
            continue
        layout_id = reference.layout_id
        if model.references:
            named, found = _read_versions(loaded, name, reference)
            problems += found
            if found:
                continue
            reference = with_versions(reference, named)
        note(name, reference, layout_id)
        problems += reference_problems(loaded, name, reference)
        if name in compared and (layout := outcome_layout(reference)) is not None:
            layouts[name] = layout
    return problems + misfits(loaded, layouts)


def _read_versions(
    loaded: Loaded, name: str, reference: Reference
) -> tuple[dict[str, Reference], list[Problem]]:
    """Return the references of a model's versions, and what does not fit to the model's."""
    model, named, problems = loaded.config.models[name], {}, []
    for version, address in model.references.items():
        key = ("models", name, "references", version)
        try:
            found = load_reference(address)
        except (ReferenceError, MissingExtraError) as error:
            problems.append(loaded.locations.problem(key, str(error)))
            continue
        named[version] = found
        why = unlike(found, reference, address, model.reference.layout or "")
        if why is not None:
            problems.append(loaded.locations.problem(key, why))
    return named, problems


def sort_out(problems: Iterable[Problem]) -> list[Problem]:
    """Return the warnings among `problems`.

    Raises:
        ConfigError: there are errors among them.
    """
    problems = list(problems)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    return problems
