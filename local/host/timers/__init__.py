"""Timer triggers: when they are due, what was missed, and one run at a time."""
