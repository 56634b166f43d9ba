"""Reading and editing what the modules of a network compute, by name, tick, channel, position."""
