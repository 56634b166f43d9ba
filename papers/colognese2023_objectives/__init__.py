"""Objectives of maze agents, as Colognese and Jose (2023) look for them."""
