"""Speed and memory, side by side with other packages; each module is a command (`make bench`)."""
