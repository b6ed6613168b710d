"""Measurements of sounds, and of what a run learned."""
