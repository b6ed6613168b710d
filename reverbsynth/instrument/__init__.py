"""A trained generator as a thing to play."""
