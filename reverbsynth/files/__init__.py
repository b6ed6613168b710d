"""Reading and writing files: atomically, locked where needed, checked when read."""
