"""The page of `make run`: what it serves, and what it reads of the local stack. Never part of the deployment."""
