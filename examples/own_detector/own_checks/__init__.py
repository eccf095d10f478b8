"""A detector and a metric for Driftline."""
