"""The service: a worker runs the stages over the log and keeps the restart protocol."""
