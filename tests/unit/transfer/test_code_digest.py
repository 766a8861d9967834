"""The name of the code that judges: it changes with every byte that could change a verdict, and with nothing else."""

import ast
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hubdata
from hubdata.plugins import KINDS
from hubdata.transfer import code_digest
from hubdata.transfer.code_digest import LIBRARIES, PARTS, code_now, package_code

ROOT = Path(hubdata.__file__).parent


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, wherever in it, but for annotations' sake alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}: write imports out"
            assert not node.level, f"{path}: write imports out"
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def file_of(module: str) -> Path | None:
    """Return where a module of hubdata lies."""
    path = ROOT.parent / module.replace(".", "/")
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def reached(start: list[str]) -> tuple[set[Path], set[str]]:
    """Return the files of hubdata, and the names of other packages, that `start` leads to."""
    pending, files, others = list(start), set[Path](), set[str]()
    while pending:
        module = pending.pop()
        top = module.partition(".")[0]
        if top != "hubdata":
            others.add(top)
        elif (path := file_of(module)) is not None and path not in files:
            files.add(path)
            pending += imports(path)
    return files, others - sys.stdlib_module_names


def test_everything_that_a_kind_imports_is_part_of_the_name() -> None:
    """No import of any kind, direct or not, in functions or not, leads to code that is not digested."""
    files, _ = reached([path.partition(":")[0] for path in KINDS.values()])
    outside = {f.relative_to(ROOT).as_posix() for f in files if f.relative_to(ROOT).parts[0] not in PARTS}
    assert len(files) > 50
    assert outside <= {"__init__.py"}


def test_every_library_that_a_remembered_kind_imports_is_part_of_the_name() -> None:
    """The GeoIP readers are mmdb's alone, which is judged every time."""
    _, others = reached([path.partition(":")[0] for word, path in KINDS.items() if word != "mmdb"])
    assert others - LIBRARIES.keys() <= {"_re2", "_typeshed"}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the code that judges, digested in place of what is installed."""
    (tmp_path / "hubdata").mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / "hubdata" / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, tmp_path / "hubdata" / part)
    monkeypatch.setattr(hubdata, "__file__", str(tmp_path / "hubdata/__init__.py"))
    return tmp_path / "hubdata"


@pytest.mark.parametrize("file", ["grammar/networks.py", "kinds/cidr.py", "ports.py", "model/finding.py"])
def test_one_changed_byte_changes_the_name_though_size_and_time_stay(copy: Path, file: str) -> None:
    """What a reproducible build does to sizes and times does not matter."""
    before, found = code_now(), (copy / file).stat()
    body = bytearray((copy / file).read_bytes())
    body[10] ^= 1
    (copy / file).write_bytes(body)
    os.utime(copy / file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert before != code_now() is not None


def test_a_new_module_changes_the_name(copy: Path) -> None:
    """It could be imported by another name than before."""
    before = code_now()
    (copy / "grammar/zeal.py").write_text("")
    assert before != code_now() is not None


def test_times_and_compiled_files_do_not_change_the_name(copy: Path) -> None:
    """Code that is installed anew, or compiled, judges as it did."""
    before = code_now()
    (copy / "kinds/__pycache__").mkdir()
    (copy / "kinds/__pycache__/cidr.cpython-311.pyc").write_bytes(b"x")
    os.utime(copy / "kinds/cidr.py", (1, 1))
    assert before == code_now() is not None


def test_another_release_of_a_library_changes_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the installer recorded of the engine that compiles patterns is part of it."""
    before, record = code_now(), tmp_path / "RECORD"
    real = code_digest._record
    record.write_text("re2/__init__.py,sha256=other,1\n")
    monkeypatch.setattr(code_digest, "_record", lambda m, n: record if m == "re2" else real(m, n))
    assert before != code_now() is not None


def test_code_that_cannot_be_read_has_no_name(copy: Path) -> None:
    """Then nothing is remembered."""
    shutil.rmtree(copy / "mmdb")
    assert code_now() is None


def test_library_without_record_leaves_the_code_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say which release it is."""
    monkeypatch.setitem(LIBRARIES, "re2", "called_otherwise")
    assert code_now() is None


def test_plugin_s_name_is_that_of_its_whole_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that comes from elsewhere is another one when anything beside it changes."""
    (tmp_path / "foreign_kinds").mkdir()
    (tmp_path / "foreign_kinds/__init__.py").write_text("")
    (tmp_path / "foreign_kinds/beside.py").write_text("LIMIT = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import foreign_kinds  # type: ignore[import-not-found]

    before = package_code(foreign_kinds)
    (tmp_path / "foreign_kinds/beside.py").write_text("LIMIT = 2\n")
    assert None is not before != package_code(foreign_kinds) is not None
    monkeypatch.delitem(sys.modules, "foreign_kinds")
