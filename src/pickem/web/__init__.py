"""The labelling page and its API: what a person's browser talks to. Knows no network and no torch."""
