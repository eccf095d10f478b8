"""The tags of events that mean something to the monitor."""

VERSION = "model_version"
"""The tag that names a version of the model."""
