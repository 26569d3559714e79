"""The overview: all that is known of a customer in one look, as far as it can be read now.

Owns nothing. Reads other rooms side by side, and never lets one that fails or is slow take the others down.
"""
