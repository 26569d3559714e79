"""Bulk imports: how files come in, are watched and steered, and what became of their rows."""
