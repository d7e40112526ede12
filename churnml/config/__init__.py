"""Settings: what can be set, its defaults, and how a file of settings is read."""

from churnml.config.settings import Config, load_config

__all__ = ["Config", "load_config"]
