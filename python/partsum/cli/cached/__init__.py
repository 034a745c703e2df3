"""What `--cache` remembers."""
