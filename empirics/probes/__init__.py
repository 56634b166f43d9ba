"""Probes: what can be measured on a checkpoint, one concept a file."""
