"""Join: predictions and their late labels in; counts of how well the model did out."""
