"""Orders: placed, read, listed and cancelled by customers; changed, moved, documented and explained by staff."""
