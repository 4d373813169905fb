"""The score over HTTP: many clients, one network call for all who wait, bounded in every way."""
