"""Wire ↔ Python: each module reads the requests of one resource and writes its answers."""
