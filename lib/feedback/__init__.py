"""Feedback: what customers say of the airline: complaints, compliments, suggestions, and ratings by number.

Owns the rows `feedback~…` and `feedbacklist~…` in customers' partitions. Never changes what was said: what others make
of it, such as a case, they keep themselves.
"""
