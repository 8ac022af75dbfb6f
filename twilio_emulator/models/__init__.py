"""The state of one Twilio account: plain synchronous Python without I/O.

`World` holds it; each module beside it is what Twilio does with one resource, as functions that take the world first.
Whatever happens is told to `World.happened` as an `Event`; who is to hear of it is `subscriptions`' business.
"""
