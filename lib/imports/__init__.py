"""Imports: many rows at once, from a file, each as good as the same write through the API, and safe to run again.

Owns the table `imports`, the queue `import-slices` and the container `imports`. May use every business room, by the
same services that the API uses. Never writes their rows itself, and keeps a file no longer than its import needs it.
"""
