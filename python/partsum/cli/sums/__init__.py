"""Digests of files: how files are hashed, and the lines that list digests."""
