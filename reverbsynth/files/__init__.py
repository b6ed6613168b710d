"""Files that are never half-written, damaged or shared unawares."""
