"""The reading companion: finds the passage of a book that answers a reader, and reads it aloud."""
