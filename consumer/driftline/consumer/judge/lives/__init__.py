"""The life of an alert, and the alerts on a whole model."""
