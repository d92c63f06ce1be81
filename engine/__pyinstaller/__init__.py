"""Where PyInstaller finds what an app made of this package must take along."""

from pathlib import Path


def hook_dirs() -> list[str]:
    """The folder with the hooks, which PyInstaller asks for by an entry point."""
    return [str(Path(__file__).parent)]
