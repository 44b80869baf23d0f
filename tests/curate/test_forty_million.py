import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_of_forty_million_rows_finds_all_that_was_planted_among_few() -> None:
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "bench_forty_million.py"), "8000", "3000"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    made, exact, near, chosen = done.stdout.splitlines()
    assert made.startswith("8,000 rows in 3 shards")
    assert "400 of 400 planted copies" in exact
    assert "999 copies where 999 were planted" in near
    assert "the largest cluster 200 of 200 placeholders" in near
    kept = re.search(r"([\d,]+) are kept as one of each cluster where ([\d,]+) were planted", chosen)
    assert kept is not None
    assert kept[1] == kept[2] != "0"
