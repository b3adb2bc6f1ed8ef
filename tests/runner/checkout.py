# SPDX-License-Identifier: Apache-2.0
"""Root in somebody else's clone."""

import os
import pathlib
import subprocess


def git_environment(top):
    """What makes git, which pbr asks for the version, trust a clone.

    It refuses root another user's unless told, and heeds that only in a
    configuration of root's, on its command line or in the environment.

    :param top: the clone
    :returns: dict of environment variables
    """
    return {
        'GIT_CONFIG_COUNT': '1',
        'GIT_CONFIG_KEY_0': 'safe.directory',
        'GIT_CONFIG_VALUE_0': str(top),
    }


def give_back(top):
    """Give what a build has left in a clone to the owner of the clone.

    Else its owner can neither build nor test there any more.

    :param top: the clone; nothing is done unless this process is root and
        the owner is not
    """
    owner = os.stat(top)
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    ignored = subprocess.run(
        [
            'git',
            'ls-files',
            '-z',
            '--others',
            '--ignored',
            '--exclude-standard',
        ],
        cwd=top,
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, **git_environment(top)},
    ).stdout
    paths = {
        pathlib.Path(os.fsdecode(name))
        for name in ignored.split(b'\0')
        if name
    }
    parents = {parent for path in paths for parent in path.parents}
    for path in paths | parents:
        if os.lstat(top / path).st_uid == 0:
            os.lchown(top / path, owner.st_uid, owner.st_gid)
