"""Judge of performance metrics: outcome panes in, verdicts and alerts out."""
