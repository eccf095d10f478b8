"""The tags of events that mean something to the monitor."""

VERSION = "model_version"
"""The tag that names a version of the model."""

OTHER = "__other__"
"""Where the events of those versions are counted that have no counts of their own."""
