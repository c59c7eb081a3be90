"""``python -m data_prep``; Ctrl-C is answered while the command itself is being loaded, too."""

import sys

from data_prep.errors import INTERRUPTED

try:
    import os

    from data_prep.command_line import main
except KeyboardInterrupt:
    sys.exit(print(f"data_prep: {INTERRUPTED}", file=sys.stderr) or 130)

if __name__ == "__main__":
    # Reading pictures asks nothing of OpenBLAS, whose threads some machines would not start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
