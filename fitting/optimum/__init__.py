"""The likeliest parameters of a hypothesis, and how far the data fix them: no prior, no chance."""
