"""The REST API over HTTP: routes, credentials, rate limits, and errors in Twilio's form."""
