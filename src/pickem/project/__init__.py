"""A person's project on disk: what they chose, what they painted, and what the network learned from it."""
