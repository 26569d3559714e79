"""How a customer's timeline is read."""
