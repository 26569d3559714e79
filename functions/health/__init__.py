"""Health: whether the app runs (anonymous, no dependencies), and how its parts do (private)."""
