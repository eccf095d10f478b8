"""Detectors of features: one file a detector, each a pure function of counts."""
