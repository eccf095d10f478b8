"""One protocol, two bodies (memory and Kafka); the records Driftline writes, and their codec."""
