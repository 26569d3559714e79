"""Measurements that people can repeat: what the local host adds, and the load generator behind it."""
