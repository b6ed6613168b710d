"""What each chapter shows: one module a notebook."""
