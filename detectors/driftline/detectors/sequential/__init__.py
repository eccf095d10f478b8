"""Sequential detection: evidence that adds up pane by pane; see `evidence`."""
