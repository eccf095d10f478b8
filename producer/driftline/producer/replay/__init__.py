"""Rows sent as events at a chosen pace, with a known drift laid over them."""
