"""Features that belong together: counts of pairs, and of how many values are extreme at once."""

MOST_FEATURES = 50
"""Features that may be counted together, each with each: 1,225 pairs."""

SIDES = ("low", "middle", "high")
"""The thirds of a feature's values."""
