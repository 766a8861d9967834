"""Print the catalogue as a page: `python -m hubdata.rules > docs/rules.md`."""

import sys

from hubdata.rules import CATALOGUE
from hubdata.rules.page import page

if __name__ == "__main__":
    sys.stdout.write(page(CATALOGUE))
