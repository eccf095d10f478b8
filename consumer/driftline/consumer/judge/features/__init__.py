"""Judge of features and predictions: one stream's window in, verdicts and alerts out."""
