"""Notes: where they come from, what is done to them, and the files that hold them."""
