"""Cases: what somebody has to look after for a customer, from opening to its resolution.

Owns the rows `case~…`, `casecomment~…`, `caselist~…` and `ordercase~…` in customers' partitions. May read orders, and
looks whether interactions and feedback are there. Never changes an order, and never calls the mainframe.
"""
