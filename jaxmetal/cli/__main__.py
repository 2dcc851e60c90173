"""`python -m jaxmetal.cli`."""

import sys

from jaxmetal.cli.main import main

sys.exit(main())
