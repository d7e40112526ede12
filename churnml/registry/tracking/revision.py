"""Find the git revision of the code."""

from __future__ import annotations

import os
from pathlib import Path

_COMMIT = "mlflow.source.git.commit"
_BRANCH = "mlflow.source.git.branch"


def revision(folder: Path | None = None) -> dict[str, str]:
    """Tags with the git commit of a folder; empty outside a repository.

    Parameters
    ----------
    folder : Path, optional
        By default the working folder or, where that is in no repository, churnml's own.

    Returns
    -------
    dict of str to str
        MLflow's own tags, which its run list shows as the version, and ``churnml.dirty``,
        which is there where tracked files had been changed since the commit.
    """
    # Without a git program GitPython would complain on import.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    places = [folder] if folder is not None else [Path.cwd(), Path(__file__).parent]
    for place in places:
        tags = _revision(place)
        if tags:
            return tags
    return {}


def _revision(folder: Path) -> dict[str, str]:
    try:
        import git
    except ImportError:
        return {}
    try:
        with git.Repo(folder, search_parent_directories=True) as repository:
            tags = {_COMMIT: repository.head.commit.hexsha}
            if not repository.head.is_detached:
                tags[_BRANCH] = repository.active_branch.name
            if repository.is_dirty(untracked_files=False, submodules=False):
                tags["churnml.dirty"] = "true"
    except (OSError, ValueError, TypeError, git.GitError):
        return {}
    return tags
