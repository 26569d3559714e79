"""Reconciliations over the private API, the function that runs them, and the timers that start and watch them."""
