"""Judge of the labels themselves: whether they stop coming, or come later."""
