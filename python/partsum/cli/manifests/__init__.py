"""Manifests: the checksums of a directory tree in one file."""
