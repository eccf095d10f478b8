"""What tells the rows of an alert from those of a quiet time: on demand, it never alarms."""
