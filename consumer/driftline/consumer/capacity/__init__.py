"""What a deployment will need: topics, memory and processors, worked out before it runs."""
