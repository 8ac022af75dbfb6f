"""An HTTP request becomes a typed event: read it, verify who signed it, parse what it tells."""
