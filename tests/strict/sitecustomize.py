"""Makes errors of the warnings of diptych's own modules, in a program that has this folder on its path.

PYTHONWARNINGS cannot say it: there a module is named whole, and a submodule is another.
"""

import warnings

warnings.filterwarnings("error", module=r"diptych(\.|\Z)")
