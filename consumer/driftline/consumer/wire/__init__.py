"""What travels between the stages: records, their codec, ids and kinds, and the clock."""
