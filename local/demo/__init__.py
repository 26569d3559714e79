"""`make demo`: the platform's story told against a running copy, each step with what was asked and what came back.

Owns: the steps, and that each ends as promised or says how not.
Never: starts or stops anything; what it changes at the mock mainframe, it puts back.
"""
