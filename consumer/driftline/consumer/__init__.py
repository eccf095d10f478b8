"""The monitor: prediction and label topics in; verdicts, alerts and metrics out."""
