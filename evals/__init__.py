"""`make eval`: the cases of a team, asked of its assistant. evals/README.md explains the cases."""
