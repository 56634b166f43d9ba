"""Policies: networks that map observations to logits and a value."""
