"""The logger of a model server: predictions in, records to Kafka out, and nobody waits."""
