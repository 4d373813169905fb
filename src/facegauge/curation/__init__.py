"""Keep the best of scored faces: by score, per identity or track, one of those that are alike."""
