"""Training runs: the loop, what it reads, what it keeps, and how it resumes."""
