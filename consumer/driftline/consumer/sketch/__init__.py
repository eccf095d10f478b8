"""Sketch: events in; panes, horizons and dead letters out. No I/O and no clock of its own."""
