"""Faults that a test or an operator arms: lost webhooks, failing REST calls, reset connections, failed deliveries."""
