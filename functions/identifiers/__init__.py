"""Identifiers over the private API: finding customers, stating them by external id, and rebuilding the index."""
