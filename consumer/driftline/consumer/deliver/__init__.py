"""What is done with alerts: subscribing to them, and the sinks that they can be sent to."""
