"""`python -m jaxmetal`."""

import sys

from jaxmetal.cli.main import main

sys.exit(main())
