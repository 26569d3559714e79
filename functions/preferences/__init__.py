"""How preferences are asked for and stated over HTTP."""
