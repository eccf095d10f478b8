"""Building a reference from events or rows, and guessing how rows map to events."""
