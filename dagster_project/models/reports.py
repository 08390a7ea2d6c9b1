"""What became of the models and tests of a build."""

from collections.abc import Callable
from dataclasses import dataclass

FAILURES = frozenset({"error", "fail", "runtime error"})


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What became of one model or test."""

    unique_id: str
    name: str
    resource_type: str  # model, test or unit_test
    status: str  # success, pass, warn, skipped, error, fail
    seconds: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What became of each node of one build, in the order in which they finished."""

    nodes: tuple[NodeReport, ...]
    seconds: float


class ModelsFailed(Exception):
    """Models or tests failed: which, and what each said."""

    def __init__(self, failures: tuple[NodeReport, ...]) -> None:
        self.failures = failures
        lines = [f"{failure.resource_type} {failure.name}: {failure.message}" for failure in failures]
        after = "What was read is kept, and readers keep the version before; mend it, and the next `make refresh` builds again"
        super().__init__("\n".join(["the models stopped at:", *lines, after]))


OnNode = Callable[[NodeReport], None]
