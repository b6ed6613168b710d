"""The book: what notebooks show, and how they become pages."""
