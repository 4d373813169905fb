"""Is the score any good? Error-versus-discard curves on mated pairs."""
