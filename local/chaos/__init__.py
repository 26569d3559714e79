"""Proof with real processes: kills, pauses, lost replies and outages under load, and an audit that nothing was lost.

`storm` drives thousands of writes through two Functions hosts while everything around them fails; `outage` and `burst`
measure; `points` lists where a host is killed. What is deployed contains none of it: `app` puts taps around the
platform's storage and mainframe, and a trap that the driver arms ends or stops the process at one of them.
"""
