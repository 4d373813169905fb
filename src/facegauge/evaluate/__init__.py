"""Is the score any good? Error versus discard, recognition, agreement with labels, reports."""
