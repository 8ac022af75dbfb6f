"""Faults that a test or a person arms: webhooks that get lost, REST calls that fail, connections that break."""
