"""Tells whether bytes are a program or a script by how they begin: nothing of that kind belongs into a data bucket."""

import mmap

_MAGICS = (
    (b"\x7fELF", "a Linux program (ELF)"),
    (b"MZ", "a Windows program (PE)"),
    (b"\xfe\xed\xfa\xce", "a macOS program (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "a macOS program (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "a macOS program (Mach-O)"),
    (b"\xcf\xfa\xed\xfe", "a macOS program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "a macOS program (Mach-O) or a Java class"),
    (b"\xbe\xba\xfe\xca", "a macOS program (Mach-O)"),
    (b"\0asm", "a WebAssembly module"),
    (b"dex\n", "an Android program (DEX)"),
    (b"!<arch>\n", "a library or a package (ar)"),
    (b"#!", "a script (it begins with #!)"),
)
_MARKUP = (b"<?php", b"<script", b"<svg", b"<!doctype html", b"<html", b"<%")


def executable(body: bytes | mmap.mmap) -> str | None:
    """Return what kind of program or script `body` is, in words; None when it is none that is known here."""
    start = bytes(body[:512]).removeprefix(b"\xef\xbb\xbf")
    for magic, what in _MAGICS:
        if start.startswith(magic):
            return what
    text = start.lstrip().lower()
    for tag in _MARKUP:
        if text.startswith(tag):
            return f"a page or script that a browser or server would run (`{tag.decode()}`)"
    return None
