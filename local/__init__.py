"""The same bundle on one machine: no account, no Docker. `python -m local`."""
