"""The scripts of `hubdata completion`, in the shells that they are for, with the command as it was installed."""

import shutil
from pathlib import Path

import pytest

from tests.support.packaged import environment

pytestmark = pytest.mark.slow

ASKED = {
    "bash": """
        eval "$(hubdata completion bash)"
        COMP_WORDS=(hubdata "$@"); COMP_CWORD=$#
        _hubdata_completion hubdata
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        autoload -Uz compinit && compinit -u -D
        eval "$(hubdata completion zsh)"
        compadd() { print -l -- ${(P)argv[-1]} }
        _describe() { print -l -- ${(P)argv[3]%%:*} }
        words=(hubdata "$@"); CURRENT=$#words
        _hubdata_completion
    """,
    "fish": """
        hubdata completion fish | source
        complete --do-complete "hubdata $argv" | string replace --regex '\\t.*' ''
    """,
}
"""What each shell does when somebody presses the tab key after `hubdata` and these words; it prints what it offers."""


def offered(shell: str, cwd: Path, *words: str) -> set[str]:
    """Return what a shell offers for the last of `words`."""
    if shutil.which(shell) is None:
        pytest.skip(f"COMPLETION NOT TRIED: {shell} is not installed (Debian's package {shell})")
    alone = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}[shell]
    arguments = ["-", *words] if shell != "fish" else words
    ended = environment().run(*alone, "-c", ASKED[shell], *arguments, cwd=cwd, timeout=120)
    assert ended.stderr == ""
    return set(ended.stdout.split("\n")) - {""}


@pytest.mark.parametrize("shell", ASKED)
def test_commands_flags_and_jobs_are_completed(shell: str, tmp_path: Path) -> None:
    """A command by its beginning, one below a group, a flag, and the name of a job file that lies at hand."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "allowlists.toml").touch()
    assert offered(shell, tmp_path, "val") == {"validate"}
    assert offered(shell, tmp_path, "geoip", "lo") == {"lookup"}
    assert offered(shell, tmp_path, "sync", "--dry") == {"--dry-run"}
    assert offered(shell, tmp_path, "sync", "--job", "allow") == {"allowlists"}
    assert offered(shell, tmp_path, "zzz") == set()
