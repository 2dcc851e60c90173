"""One TOML file that describes data, scene and priors, read into the ordinary nodes.

The file mirrors the trees: the table `[sources.disc.frame]` with `q = {dist = "Uniform", low = 0.2, high = 1}` becomes
the free parameter `scene.sources.disc.frame.q`. Profiles, PSFs, noises and mixings are named by their class
(`type = "Sersic"`), priors by a NumPyro distribution. Keys that are not known are refused, naming the nearest that is.
To read a node whose arrays come from files: a function in `files.py` and a line in its `READERS`.
"""

from jaxmetal.io.config.read import Job, read_config

__all__ = ["Job", "read_config"]
