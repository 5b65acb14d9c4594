"""The labelling page and its API: what a person's browser talks to. Never runs a network."""
