"""Agent engines: each turns one that a team wrote into the `Agent` that `take_turn` asks."""
