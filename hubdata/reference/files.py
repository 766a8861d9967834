"""Every file of the reference by its path below `docs/`, as the code would have it now."""

from hubdata.config.schema import json_schema
from hubdata.reference import manifest, manual, page, schemas
from hubdata.reference.commands import tree
from hubdata.rules import CATALOGUE
from hubdata.rules.page import page as rules_page


def files() -> dict[str, str]:
    """Return them all: the command line and its manual pages, schemas of what is read and published, the rules."""
    root, told = tree(), json_schema()
    out = {
        "rules.md": rules_page(CATALOGUE),
        "reference/cli.md": page.page(root),
        "reference/settings-schema.md": schemas.page(told),
        "reference/manifest.schema.json": schemas.as_json(manifest.schema()),
    }
    out |= {f"reference/{name}.schema.json": schemas.as_json(schema) for name, schema in told.items()}
    return out | {f"man/{name}": text for name, text in manual.pages(root).items()}
