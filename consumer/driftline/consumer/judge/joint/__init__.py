"""Whether features still belong together."""
