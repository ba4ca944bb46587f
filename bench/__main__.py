# SPDX-License-Identifier: Apache-2.0
"""`python -m bench`: see README.md beside this file."""

from bench.run import main

if __name__ == "__main__":
    raise SystemExit(main())
