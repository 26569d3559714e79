"""Requests made from the OpenAPI documents, sent to a running copy: every answer must be one that they declare."""
