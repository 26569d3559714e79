"""What jobs that run in slices have in common: how their runs are kept, listed and told, and what they found."""
