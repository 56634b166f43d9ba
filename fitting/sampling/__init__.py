"""Draws of posteriors, and what evidences are computed from."""
