"""The rows of an alert: events of its span, read again from their file or their topics."""
