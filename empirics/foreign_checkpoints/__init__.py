"""Checkpoints that other libraries wrote, read without running code that lies in them."""
