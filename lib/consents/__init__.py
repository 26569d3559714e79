"""Consents and subscriptions: what customers allow, what they asked to be sent, and the proof of both.

Owns the rows `consent~`, `consentlog~` and `subscription~` in customers' partitions and table `subscriptiongroups`.
Never sends anything, and never decides for which purposes consent is needed: it says what was consented to.
"""
