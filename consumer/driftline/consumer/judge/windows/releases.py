"""What was released: values of tags that come up for the first time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from driftline.consumer.judge.windows.panes import PART, PaneStore
from driftline.detectors import OTHER
from driftline.detectors.tags import VERSION

_VERSIONS_KEPT = 200


class SeenVersions:
    """The versions seen so far, the latest last.

    Args:
        seen: as read from the log.

    >>> versions = SeenVersions([])
    >>> versions.look({"3.1": 20}), versions.look({"3.1": 12, "3.2": 7, "3.3": 2})
    (None, '3.2')
    """

    def __init__(self, seen: Iterable[str]) -> None:
        self.seen = list(seen)

    def look(self, pane: Mapping[str, int]) -> str | None:
        """Take in the events by version of a pane; return the most frequent new one.

        Of the first pane that has versions none is new.
        """
        here = {version: events for version, events in pane.items() if version != OTHER}
        new = sorted((v for v in here if v not in self.seen), key=lambda v: (-here[v], v))
        first_ever = not self.seen
        gone = [version for version in self.seen if version not in here]
        self.seen = [*gone, *sorted(here)][-_VERSIONS_KEPT:]
        return None if first_ever or not new else new[0]


class SeenReleases:
    """The values seen so far of each tag that says what was released.

    Args:
        tags: as configured.
        versions: values of the version, as read from the log.
        others: of the other tags.
    """

    def __init__(
        self, tags: Iterable[str], versions: Iterable[str], others: Mapping[str, Iterable[str]]
    ) -> None:
        self._tags = tuple(tags)
        # Versions are looked at in any case: they may be among the tags again.
        self._versions = SeenVersions(versions)
        rest = (tag for tag in self._tags if tag != VERSION)
        self._others = {tag: SeenVersions(others.get(tag, ())) for tag in rest}

    @property
    def versions(self) -> list[str]:
        """The versions seen, for the log."""
        return list(self._versions.seen)

    @property
    def others(self) -> dict[str, list[str]]:
        """The values seen of the other tags, for the log."""
        return {tag: list(seen.seen) for tag, seen in self._others.items()}

    def look(self, panes: PaneStore, start: int, end: int) -> dict[str, str]:
        """Take in the panes from `start` to `end` (ms); return the most frequent new values."""
        found = {}
        version = self._versions.look(panes.versions(start, end, None))
        events = panes.events(start, end, None)
        for tag in self._tags:
            new, here = version, {}
            if tag != VERSION:
                here = panes.releases(start, end, tag)
                new = self._others[tag].look(here)
            # Of values that nearly every event has another of none says anything.
            if new is not None and (tag == VERSION or here[new] * PART >= events):
                found[tag] = new
        return found
