"""Which windows are due, and the panes that they are made of."""
