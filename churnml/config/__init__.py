"""Settings: their defaults, and reading a settings file."""

from churnml.config.settings import Config, load_config

__all__ = ["Config", "load_config"]
