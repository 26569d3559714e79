"""How all that is known of a customer is asked for in one look."""
