"""The same simulated days, with the same mishaps, for other tools that copy such an API: `make bench-peers`."""
