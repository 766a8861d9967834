"""`python -m hubdata` is the console script by another name."""

from hubdata.cli import main

if __name__ == "__main__":
    main()
