"""What is wrong with a database: where, which rule of the format it breaks, and what the specification says there.

`says` is taken from the MaxMind DB File Format Specification 2.0, or names the limit of ours that stands in its place.
"""

from hubdata.values import frozen


@frozen
class Problem:
    """One fault: `offset` in bytes from the start of the file, `problem` a short slug that tests and reports key on."""

    offset: int
    problem: str
    message: str
    says: str


class Malformed(ValueError):
    """The bytes are no MaxMind DB that can be read; nothing else can be said of them."""

    def __init__(self, offset: int, problem: str, message: str, says: str) -> None:
        super().__init__(f"at byte {offset:,}: {message}")
        self.offset = offset
        self.problem = problem
        self.message = message
        self.says = says

    def as_problem(self) -> Problem:
        """Return the same as a value."""
        return Problem(self.offset, self.problem, self.message, self.says)
