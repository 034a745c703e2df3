"""``python -m partsum``: the command line."""

from partsum.cli import main

if __name__ == "__main__":
    main()
