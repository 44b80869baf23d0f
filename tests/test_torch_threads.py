import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

from diptych.torch_threads import compute_alone


def elsewhere(work: Callable[[], object]) -> int:
    """Do something in a thread, and return how many threads torch has for it then."""

    def run() -> int:
        work()
        return torch.get_num_threads()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def test_a_thread_computes_alone_and_all_others_as_before() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert elsewhere(compute_alone) == 1
        assert torch.get_num_threads() == 3
        assert elsewhere(lambda: None) == 3
    finally:
        torch.set_num_threads(usual)


def test_many_threads_that_begin_together_leave_the_others_as_they_were() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(3)
    together = threading.Barrier(8)
    try:
        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(lambda _: (together.wait(), compute_alone(), torch.get_num_threads())[2], range(8)))
        assert counts == [1] * 8
        assert elsewhere(lambda: None) == 3
    finally:
        torch.set_num_threads(usual)


def test_where_torch_is_not_imported_it_stays_so() -> None:
    script = "import sys, diptych.torch_threads; diptych.torch_threads.compute_alone(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"
