"""The same bundle on one machine, without an account and without Docker: `python -m local`."""
