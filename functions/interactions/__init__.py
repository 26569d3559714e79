"""How interactions are told and read."""
