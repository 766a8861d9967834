"""Run one jq filter over stdin, for a parent that ends this process when it takes too long: `jq_child.py PATH FILTER`.

It is started by its path, with nothing of hubdata's, no environment, and `PATH` to find the library at. Strings are
written bare and everything else as JSON, a result a line. It ends with 3 when jq has something to say (on stderr), with
4 when a result is null: a name that the filter asks for is not there.
"""

import json
import resource
import sys

_MEMORY_BYTES = 1 << 30
FAILED, NULL = 3, 4


def _main(place: str, program: str) -> int:
    for what, most in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(what, (most, most))
    sys.path.append(place)
    import jq

    text = sys.stdin.buffer.read().decode("utf-8", "replace").removeprefix("\ufeff")
    out = sys.stdout.buffer
    try:
        # In brackets a filter cannot import modules, which would be files of this machine.
        for result in jq.compile(f"({program}\n)").input_text(text):
            if result is None:
                return NULL
            line = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, separators=(",", ":"))
            out.write(line.encode("utf-8", "replace") + b"\n")
        out.flush()
    except (ValueError, MemoryError, RecursionError) as err:
        sys.stderr.write(str(err) or type(err).__name__)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2]))
