"""The root of all errors that Driftline raises on purpose.

    DriftlineError
    +-- ReferenceError   (detectors)  a reference file cannot be used
    +-- PluginError      (detectors)  a detector or metric of an installed package cannot be used
    +-- MappingError     (producer)   a mapping does not fit the records
    +-- InputError       (producer)   an input file cannot be used
    +-- ConfigError      (consumer)   the configuration has errors
    +-- LogError         (consumer)   the broker, its topics or their settings
    +-- RecordError      (consumer)   a record of Driftline's own topics cannot be read
    +-- HttpError        (consumer)   the port for metrics and health cannot be had
    +-- AlertsError      (consumer)   alerts cannot be handed on
    +-- SparkError       (consumer)   a session of Spark will not do
    +-- CommandError     (consumer)   what was asked on the command line cannot be done
    +-- WorkerLost       (consumer)   start me again: exit code 75

The message of each is one sentence for the operator: what is wrong and what to do.
"""

from __future__ import annotations


class DriftlineError(Exception):
    """An operator must act; the message says how. The command line exits with code 2."""


# The errors of packages that need numpy or a server stand here: to name one loads nothing more.


class ReferenceError(DriftlineError):  # noqa: A001 (the operator's word for it)
    """A reference file cannot be used; build it again with `driftline reference build`."""


class PluginError(DriftlineError):
    """A detector or metric of an installed package cannot be used; mend or uninstall it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; mend the package, or uninstall it")


class RecordError(DriftlineError):
    """A record of Driftline's own topics cannot be read; the message names what to do."""


class HttpError(DriftlineError):
    """The pages cannot be served; change `http.host` or `http.port`."""
