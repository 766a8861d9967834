"""A private configuration for one start of the engine: nothing of the machine's own is read, nothing outlives it.

All is below one temporary directory. The engine's own log goes to its standard error, its crash reports into the same
directory; there is no database, no local API and no metrics. The files in question are linked, not copied.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from hubdata.gates.candidates import PART_LOADS, Candidate, Loads, Part, parts
from hubdata.gates.questions import Names, Question

LAST = "the-end"
"""The name of the last answer: whoever has seen it has them all."""


class Workspace:
    """The files that the engine is started with. `api` is the port of a local API that never answers."""

    def __init__(self, root: Path, api: int) -> None:
        self.root = root
        self.config = root / "config.yaml"
        self.probe = root / "probe.log"
        self._data = root / "data"
        self._node = root / "parsers" / "s00-raw" / "gate.yaml"
        for directory in (self._data, self._node.parent, root / "patterns", root / "hub"):
            directory.mkdir(parents=True)
        self.probe.write_text("one line, so that there is one event\n")
        self._write(self.config, _configuration(root))
        self._write(root / "acquis.yaml", {"filename": str(self.probe), "labels": {"type": "gate"}})
        self._write(root / "simulation.yaml", {"simulation": False})
        self._write(root / "credentials.yaml", {"url": f"http://127.0.0.1:{api}/", "login": "gate", "password": "none"})
        self._write(
            root / "hub" / ".index.json", {t: {} for t in ("parsers", "postoverflows", "scenarios", "collections")}
        )
        self._sources: dict[str, tuple[Candidate, Part | None]] = {}

    def stage(self, candidates: Sequence[Candidate]) -> dict[Candidate, Names]:
        """Link `candidates` into the data directory and nothing else; return what each is called there.

        At most one of them is a City database, and one an ASN database.
        """
        for path in self._data.iterdir():
            path.unlink()
        self._sources = {}
        names = {candidate: self._link(number, candidate) for number, candidate in enumerate(candidates)}
        self.ask(())
        return names

    def ask(self, questions: Sequence[Question]) -> None:
        """Write the one node that loads everything staged and answers `questions`, `q0`, `q1` and so on."""
        statics = [static for number, question in enumerate(questions) for static in _statics(f"q{number}", question)]
        node = {
            "name": "hubdata/gate",
            "description": "the files in question",
            "filter": "true",
            "onsuccess": "next_stage",
            "data": [{"source_url": "", "dest_file": name, "type": self._type(name)} for name in self._loaded()],
            "statics": [*statics, {"meta": LAST, "value": "yes"}],
        }
        self._write(self._node, node)

    def source(self, name: str) -> tuple[Candidate, Part | None] | None:
        """Return whose file `name` in the data directory is; None when it is nobody's."""
        return self._sources.get(name)

    def line(self, name: str, number: int) -> int | None:
        """Return which line of the candidate the row `number`, from 0, of a list made of its parts comes from."""
        candidate, part = self._sources[name]
        found = [line for line, _ in parts(candidate, part)] if part else []
        return found[number] if number < len(found) else None

    def loaded(self) -> tuple[str, ...]:
        """Return the names that the engine must say it has read."""
        return tuple(self._loaded())

    def _link(self, number: int, candidate: Candidate) -> Names:
        if candidate.is_database:
            name = candidate.loads.value
            self._link_as(name, candidate)
            return Names(name, name, {})
        name = lines = f"f{number}"
        self._link_as(name, candidate)
        if candidate.loads is Loads.REGEXPS:  # the engine counts lines, but not expressions
            lines = f"{name}.lines"
            self._link_as(lines, candidate)
        made = {}
        for part in Part:
            texts = "".join(f"{_prefix(part)}{text}\n" for _, text in parts(candidate, part))
            if texts:
                made[part] = f"{name}.{part.value}"
                (self._data / made[part]).write_text(texts, encoding="utf-8", errors="replace")
                self._sources[made[part]] = (candidate, part)
        return Names(name, lines, made)

    def _link_as(self, name: str, candidate: Candidate) -> None:
        (self._data / name).symlink_to(candidate.path.resolve())
        self._sources[name] = (candidate, None)

    def _loaded(self) -> Iterator[str]:
        return (name for name, (candidate, _) in self._sources.items() if not candidate.is_database)

    def _type(self, name: str) -> str:
        candidate, part = self._sources[name]
        if name.endswith(".lines"):
            return Loads.LINES.value
        return (PART_LOADS[part] if part else candidate.loads).value

    def _write(self, path: Path, value: object) -> None:
        path.write_text(json.dumps(value), encoding="utf-8")  # JSON is YAML, and needs no quoting of ours


def _prefix(part: Part) -> str:
    """Return what an engine puts before each expression of a bot; it also keeps `#` from being a comment."""
    return "(?i)" if part is Part.REGEXPS else ""


def _statics(name: str, question: Question) -> Iterator[dict[str, str]]:
    yield from question.before
    yield {"meta": name, "expression": question.expression}


def _configuration(root: Path) -> dict[str, object]:
    here = str(root)
    return {
        "common": {"daemonize": False, "log_media": "stdout", "log_level": "debug", "working_dir": here},
        "config_paths": {
            "config_dir": here,
            "data_dir": f"{here}/data",
            "simulation_path": f"{here}/simulation.yaml",
            "hub_dir": f"{here}/hub",
            "index_path": f"{here}/hub/.index.json",
            "notification_dir": here,
            "plugin_dir": here,
        },
        "crowdsec_service": {"acquisition_path": f"{here}/acquis.yaml", "parser_routines": 1},
        "db_config": {"type": "sqlite", "db_path": f"{here}/never-made.db"},
        "api": {"client": {"credentials_path": f"{here}/credentials.yaml"}},
        "prometheus": {"enabled": False},
    }
