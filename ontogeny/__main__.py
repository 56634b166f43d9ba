"""`python -m ontogeny` is the command `ontogeny`."""

from __future__ import annotations

import sys

from ontogeny.cli import main

if __name__ == "__main__":
    sys.exit(main())
