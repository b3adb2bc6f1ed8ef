# SPDX-License-Identifier: Apache-2.0
"""Runs of Tempest against one cloud."""

import configparser
import io
import pathlib
import shutil
import subprocess

from devstack.onebox import state as state_module
from devstack.onebox.commands import environment
from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail
from devstack.onebox.progress import say
from devstack.onebox.progress import step
from tests.tempest import results

SELECTED = pathlib.Path(__file__).with_name('selected.txt')
LEFT_OUT = pathlib.Path(__file__).with_name('left-out.txt')
# Two tests at a time: most of what they do is wait.
_WORKERS = 2


class Tempest:
    """Tempest on one cloud.

    :param state: devstack.onebox.state.State of the cloud's box
    :param commands: directory of Tempest's commands
    :param directory: where configuration, logs and results go; made anew
    :param groups: of tempest.conf
    """

    def __init__(self, state, commands, directory, groups):
        self._environment = environment(state)
        self._commands = commands
        self._directory = directory
        self._conf = directory / 'tempest.conf'
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        # It has the administrator's password.
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(groups)
        text = io.StringIO()
        parser.write(text)
        state_module.write(self._conf, text.getvalue(), mode=0o600)

    def run(self, name, tests=None):
        """Run tests and return their outcomes.

        :param name: of the run, for its files
        :param tests: test ids; the selection when None
        :returns: dict of test id to one of results' outcomes
        :raises BoxError: when Tempest ran no test
        """
        with step(f'Tempest, {name}'):
            # Its exit status says what the outcomes say.
            self._tempest(name, self._choice(name, tests))
            found = results.read(self._recorded(name))
        if not found:
            raise BoxError(f'Tempest ran nothing; {tail(self._log(name))}')
        return found

    def _choice(self, name, tests):
        if tests is None:
            return ['--include-list', SELECTED, '--exclude-list', LEFT_OUT]
        listed = self._directory / f'{name}.list'
        listed.write_text('\n'.join(tests) + '\n')
        return ['--load-list', listed]

    def _log(self, name):
        return self._directory / f'{name}.log'

    def _tempest(self, name, choice):
        """Run it; show the lines that tell of a test, keep all in a log.

        Its exit status says no more than the outcomes do.
        """
        # Where it keeps its results.
        place = self._directory / name
        place.mkdir()
        with (
            open(self._log(name), 'w') as log,
            subprocess.Popen(
                [
                    self._commands / 'tempest',
                    'run',
                    '--config-file',
                    self._conf,
                    '--concurrency',
                    str(_WORKERS),
                    *choice,
                ],
                cwd=place,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors='replace',
            ) as process,
        ):
            for line in process.stdout:
                log.write(line)
                # "{worker} test [seconds] ... outcome"
                if line.startswith('{'):
                    say(line.rstrip())

    def _recorded(self, name):
        """The outcomes, as text of comma separated values."""
        stream = self._pipe(name, None, 'stestr', 'last', '--subunit')
        return self._pipe(name, stream, 'subunit2csv').decode()

    def _pipe(self, name, stream, command, *options):
        return subprocess.run(
            [self._commands / command, *options],
            cwd=self._directory / name,
            env=self._environment,
            input=stream,
            stdout=subprocess.PIPE,
            check=False,
        ).stdout
