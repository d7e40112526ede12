"""``python -m churnml``: the command line."""

from churnml.cli import main

if __name__ == "__main__":
    main()
