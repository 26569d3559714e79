"""HTTP routing as the real host does it: in the order of function names, first match wins, no precedence."""
