"""``python -m data_prep``."""

import os
import sys

from data_prep.command_line import main

if __name__ == "__main__":
    # Reading pictures asks nothing of OpenBLAS, whose threads some machines would not start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
