"""The REST API over HTTP: routes, credentials and rate limits."""
