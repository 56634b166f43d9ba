"""How mechanisms form inside agents: organisms, what is measured in them, and in which order."""
