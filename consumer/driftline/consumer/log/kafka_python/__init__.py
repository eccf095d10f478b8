"""The log on a real Kafka, by way of kafka-python, which nothing else in the monitor knows."""
