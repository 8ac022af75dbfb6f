"""The state of one Twilio account: plain synchronous Python without I/O.

`Backend` holds the state. Each of the other modules implements one resource of Twilio, with functions that take the
backend as their first argument. Every change calls `Backend.emit` with an `Event`; `webhook_targets` decides which
webhooks it is sent to.
"""
