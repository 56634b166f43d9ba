"""Learning coefficients known exactly, and what else is known of the models that have them."""
