"""How many threads torch computes with, where many threads have work of their own."""

import sys
import threading

_SETTING = threading.Lock()


def compute_alone() -> None:
    """Let torch compute with this thread alone from now on, where many threads have work of their own.

    Else each of them would start as many helpers as there are processors. Torch has a number of threads for each
    thread, and one for those that have not computed yet; setting the first sets the second, which is put back. Where
    torch is not imported nothing is done: whoever is to be alone with it has it by then.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return
    with _SETTING:
        usual = torch.get_num_threads()
        torch.set_num_threads(1)
        others = threading.Thread(target=torch.set_num_threads, args=(usual,))
        others.start()
        others.join()
