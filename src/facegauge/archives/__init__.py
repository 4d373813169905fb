"""Pictures inside archives (tar, zip, Parquet), one after another, without unpacking."""
