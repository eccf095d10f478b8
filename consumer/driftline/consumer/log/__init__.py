"""The log: one protocol, two bodies (memory and Kafka)."""
