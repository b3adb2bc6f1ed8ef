# SPDX-License-Identifier: Apache-2.0

"""Scratch Python environments that are cheap to make.

Nova and nova-newos are installed into them for real, as wheels or editable.
Everything else is borrowed from the environment that runs the tests.
"""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import venv

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]

# What a scratch environment must not get from the running one: the two
# distributions under test and whatever points to their source trees.
_NOT_BORROWED = re.compile(
    r'nova$|nova-|nova_newos|glance_ext|__editable__|.*\.pth$'
)


def environment_variables():
    """Those of this process without what would leak its Python into others."""
    leaking = ('PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'PBR_VERSION')
    return {
        name: value
        for name, value in os.environ.items()
        if name not in leaking
    } | {'PIP_DISABLE_PIP_VERSION_CHECK': '1'}


def run(*command, check=True, **kwargs):
    """Run a command; returns its subprocess.CompletedProcess, with text."""
    process = subprocess.run(
        [str(word) for word in command],
        text=True,
        capture_output=True,
        env=environment_variables(),
        **kwargs,
    )
    if check and process.returncode:
        raise AssertionError(
            f'{" ".join(process.args)}: exit code {process.returncode}\n'
            f'{process.stdout}{process.stderr}'
        )
    return process


def borrow_dependencies(directory):
    """Fill a directory with links to the running environment's packages."""
    directory.mkdir()
    for scheme in ('purelib', 'platlib'):
        for path in pathlib.Path(sysconfig.get_path(scheme)).iterdir():
            link = directory / path.name
            if not _NOT_BORROWED.match(path.name) and not link.exists():
                link.symlink_to(path)


class Environment:
    """A virtual environment without pip.

    :param pip: the pip of another environment, a path
    :param dependencies: a directory with packages to borrow, or None
    """

    def __init__(self, directory, pip, dependencies=None):
        self.directory = directory
        self._pip = pip
        venv.create(directory, symlinks=True)
        if dependencies:
            (self.site_packages / 'borrowed.pth').write_text(
                f'{dependencies}\n'
            )

    @property
    def site_packages(self):
        version = f'python{sys.version_info.major}.{sys.version_info.minor}'
        return self.directory / 'lib' / version / 'site-packages'

    def pip(self, *arguments):
        return run(self._pip, '--python', self.directory, *arguments)

    def install(self, *arguments):
        """Install what is given and nothing that it depends on."""
        return self.pip(
            'install',
            '--no-compile',
            '--no-deps',
            '--no-build-isolation',
            *arguments,
        )

    def script(self, name, *arguments, **kwargs):
        return run(self.directory / 'bin' / name, *arguments, **kwargs)

    def python(self, code, **kwargs):
        """What some code prints."""
        # Away from this repository, where nova_newos could be imported.
        return self.script(
            'python', '-c', code, cwd=self.directory, **kwargs
        ).stdout.strip()
