"""Orders: what a customer ordered, item by item, from placing to fulfilment, and what flights do to it meanwhile.

Owns the rows `order~…` and `orderlist~…` in customers' partitions, the index of flights in `entityindex`, and the table
`flights`. May use customers and preferences. Never calls the mainframe, and never changes a profile or a preference.
"""
