"""Judge: panes and horizons in; verdicts and alerts out. No I/O, no clock, no hidden state."""
