"""Rows of files, of the formats in the table in `formats`."""
