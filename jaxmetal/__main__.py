"""`python -m jaxmetal`."""

import sys

from jaxmetal.cli.commands import main

sys.exit(main())
