"""Write the tables of a Terraform module's README from its variables and outputs, and tell where they differ.

A README holds them after `<!-- inputs -->` and `<!-- outputs -->`, up to `<!-- end -->`. For every module that has one,
`python -m tests.support.module_docs` writes them, and a test demands that nothing is left to write.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.terraform import MODULES

_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(<!-- (inputs|outputs) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(readme: Path) -> str:
    """Return the README with its tables as the module beside it has them."""
    tables = {
        "inputs": _table(readme.parent / "variables.tf", ("name", "what it is", "type", "default")),
        "outputs": _table(readme.parent / "outputs.tf", ("name", "what it is")),
    }
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", readme.read_text(encoding="utf-8"))


def readmes() -> Iterator[Path]:
    """Yield the README of every module that has one."""
    yield from sorted(MODULES.glob("*/README.md"))


def _table(file: Path, columns: tuple[str, ...]) -> str:
    rows = [columns, ("---",) * len(columns)]
    for kind, name, body in _BLOCK.findall(file.read_text(encoding="utf-8")):
        told = _told(_argument(body, "description"))
        if not told:
            raise ValueError(f"{file}: {name} says nothing of itself")
        if kind == "output":
            secret = " Sensitive." if _argument(body, "sensitive") == "true" else ""
            rows.append((f"`{name}`", told + secret))
        else:
            default = _argument(body, "default")
            stands = "required" if default is None else f"`{default}`"
            rows.append((f"`{name}`", told, f"`{_argument(body, 'type')}`", stands))
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |\n" for row in rows)


def _argument(body: str, name: str) -> str | None:
    """Return an argument of a block on one line, as Terraform has it; a here-document without its marks."""
    lines = iter(body.splitlines())
    for line in lines:
        found = re.match(rf"  {name}\s+= (.*)", line)
        if found is None:
            continue
        value = found[1]
        if value.startswith("<<-"):
            return "<br>".join(text.strip() for text in iter(lambda: next(lines), f"  {value[3:]}"))
        while value.count("(") + value.count("{") > value.count(")") + value.count("}"):
            following = next(lines).strip()
            value += following if value.endswith(("{", "(")) or following[0] in ")}" else f", {following}"
        return re.sub(r" +", " ", value)
    return None


def _told(text: str | None) -> str:
    return (text or "").removeprefix('"').removesuffix('"').replace('\\"', '"')


if __name__ == "__main__":
    for each in readmes():
        each.write_text(written(each), encoding="utf-8")
