"""The handlers of the REST API: each module parses the requests for one resource and builds the response bodies."""
