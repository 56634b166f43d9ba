"""Simulated curves whose truth is known: trials of the verdicts, and what they license."""
