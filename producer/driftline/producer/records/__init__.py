"""One record: its schema, its fields, its mapping, and the values in it."""
