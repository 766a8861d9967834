"""What is written about hubdata by itself: pages of its commands, schemas of what it reads and publishes.

`python -m hubdata.reference` writes them below `docs/`; a test holds what lies there to what would be written now. No
command of hubdata imports this.
"""
