"""Pictures of any weight, and how much memory it takes to handle them, measured in a process of its own."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from drawn import picture

SOURCE = Path(__file__).resolve().parents[1] / "src"
SEGMENT = 65_000
# Not ru_maxrss, which a new process inherits from the one that started it.
MEASURE = """
import json
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
{imports}
before = peak()
{work}
print(json.dumps([before, peak()]))
"""


class PeakMemory(NamedTuple):
    """Resident memory in MiB: once everything is imported, and at most."""

    before: float
    most: float

    @property
    def grown(self) -> float:
        """What the work took."""
        return self.most - self.before


def heavy_picture(seed: int, size: int) -> bytes:
    """Return a small JPEG that weighs ``size`` bytes, nearly all of them comments that no decoder looks at."""
    small, noise = picture(seed), random.Random(seed)
    comments, left = [], size - len(small)
    while left > 4:
        data = noise.randbytes(min(left - 4, SEGMENT))
        comments.append(b"\xff\xfe" + (len(data) + 2).to_bytes(2, "big") + data)
        left -= len(data) + 4
    return small[:2] + b"".join(comments) + small[2:]


def measure(imports: str, work: str) -> PeakMemory:
    """Run Python code in a new process and return what memory it took.

    Args:
        imports: What is there before the work begins.
        work: The work.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(Path(__file__).parent)])}
    code = MEASURE.format(imports=imports, work=work)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return PeakMemory(*json.loads(done.stdout.splitlines()[-1]))
