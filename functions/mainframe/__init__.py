"""The road to the mainframe over the private API: how it does, and the pause for a maintenance window."""
