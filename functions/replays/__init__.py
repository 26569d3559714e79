"""Replays over the private API, and the function that runs them in slices."""
