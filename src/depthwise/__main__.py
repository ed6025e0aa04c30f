"""`python -m depthwise` is the command `depthwise`."""

from depthwise.cli.main import main

if __name__ == "__main__":
    main()
