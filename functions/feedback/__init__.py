"""How feedback is given and read."""
