"""How cases are opened, looked after and read."""
