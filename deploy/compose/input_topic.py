"""Create the topic that the model server writes to: Driftline never makes somebody else's topics.

python input_topic.py kafka:19092 ml.predictions 6
"""
# ruff: noqa: INP001 (a program, no package)

from __future__ import annotations

import sys

import kafka
from kafka.errors import TopicAlreadyExistsError


def create(bootstrap_servers: str, topic: str, partitions: int) -> None:
    """Create a topic with one replica, unless it exists."""
    admin = kafka.KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        new = {topic: {"num_partitions": partitions, "replication_factor": 1}}
        admin.create_topics(new, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        sys.stdout.write(f"{topic} exists\n")
    else:
        sys.stdout.write(f"created {topic}\n")
    finally:
        admin.close()


if __name__ == "__main__":
    create(sys.argv[1], sys.argv[2], int(sys.argv[3]))
