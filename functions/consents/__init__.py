"""How consents and subscriptions are asked for and stated over HTTP."""
