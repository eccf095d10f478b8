"""Rows of files: CSV, NDJSON and Parquet."""
