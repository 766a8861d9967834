"""Write the reference below `docs/`: `python -m hubdata.reference [DIRECTORY]`. What is up to date stays untouched."""

import sys
from pathlib import Path

from hubdata.reference.files import files

if __name__ == "__main__":
    into = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    told = files()
    for path, text in told.items():
        there = into / path
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.is_file() or there.read_text(encoding="utf-8") != text:
            there.write_text(text, encoding="utf-8")
    for page in set((into / "man").glob("*.1")) - {into / path for path in told}:
        page.unlink()  # of a command that is gone
