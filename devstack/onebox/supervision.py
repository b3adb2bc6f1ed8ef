# SPDX-License-Identifier: Apache-2.0
"""supervisord: its control, and waiting for services."""

import pathlib
import socket
import subprocess
import xmlrpc.client

import psutil
from supervisor import xmlrpc as supervisor_xmlrpc

from devstack.onebox import commands
from devstack.onebox import processes
from devstack.onebox import services
from devstack.onebox import state as state_module
from devstack.onebox import waiting
from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail

_SUPERVISORD = pathlib.Path(__file__).with_name('serve_supervisord.py')
# For a machine that is busy with other things, too.
_START_LIMIT = 600
_ANSWER_LIMIT = 120
_TAIL = 25
_LOOK = 0.1
# What oslo.log writes of an exception nobody caught.
_UNHANDLED = b' CRITICAL '
_ALIVE = ('RUNNING', 'STOPPING')


def process(state):
    """The process of the box's supervisord, or None."""
    try:
        found = psutil.Process(
            int((state.run / 'supervisord.pid').read_text())
        )
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    return found if processes.is_marked(found, state) else None


class Supervisor:
    """The box's supervisord."""

    def __init__(self, state):
        self._state = state
        self._given_up = False
        # Its transport knows no other limit.
        socket.setdefaulttimeout(_ANSWER_LIMIT)
        # Size of a service's log when this object started it.
        self._began = {}

    def give_up(self):
        """End the waiting of other threads, when one has failed."""
        self._given_up = True

    @property
    def _rpc(self):
        # One a call: they are made from several threads.
        transport = supervisor_xmlrpc.SupervisorTransport(
            serverurl=f'unix://{self._state.run}/supervisor.sock'
        )
        return xmlrpc.client.ServerProxy(
            'http://localhost', transport
        ).supervisor

    def ensure(self, conf):
        """Have supervisord run with this file.

        Services that are not what they were are stopped.
        """
        state_module.write(self._state.supervisor_conf, conf, mode=0o600)
        if process(self._state) is None:
            self._start()
        added, changed, removed = self._rpc.reloadConfig()[0]
        self.stop(*changed, *removed)
        for name in changed + removed:
            self._rpc.removeProcessGroup(name)
        for name in changed + added:
            self._rpc.addProcessGroup(name)

    def _start(self):
        state = self._state
        done = subprocess.run(
            [
                *(state.venv / 'bin' / 'python', '-P'),
                *(_SUPERVISORD, '-c', state.supervisor_conf),
            ],
            env=commands.environment(state),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd='/',
        )
        if done.returncode:
            raise BoxError(
                'supervisord does not start: ' + done.stdout + done.stderr
            )
        waiting.wait_for(
            f'an answer of supervisord, see {state.logs}/supervisord.log',
            self._answers,
            interval=_LOOK,
        )

    def _answers(self):
        try:
            return self._rpc.getState()
        except OSError:
            return None

    def processes(self):
        """What supervisord tells of each service, by name; or nothing.

        :raises BoxError: when supervisord runs and does not answer.
        """
        if process(self._state) is None:
            return {}
        try:
            listed = self._rpc.getAllProcessInfo()
        except OSError as exc:
            raise BoxError(
                f'supervisord does not answer ({exc}): take the '
                "box down with 'box down', and up again"
            ) from exc
        return {told['name']: told for told in listed}

    def _alive(self, names, states=_ALIVE):
        told = self.processes()
        return [
            name
            for name in names
            if name in told and told[name]['statename'] in states
        ]

    def running(self, name):
        """Whether a service's process lives."""
        return bool(self._alive([name], ('RUNNING',)))

    def stop(self, *names):
        """Stop services at the same time, as far as they run.

        :raises BoxError: when one does not end.
        """
        for name in self._alive(names, ('RUNNING',)):
            try:
                self._rpc.stopProcess(name, False)
            except xmlrpc.client.Fault as exc:
                # It may have ended by itself meanwhile.
                if exc.faultCode != supervisor_xmlrpc.Faults.NOT_RUNNING:
                    raise
        # Or be on its way down since a killed run told it to.
        waiting.wait_for(
            'the end of ' + ', '.join(names),
            lambda: not self._alive(names),
            8 * services.STOP_WAIT,
            _LOOK,
        )

    def start(self, service):
        """Start a service; its readiness is another matter."""
        log = self._log(service.name)
        self._began[service.name] = log.stat().st_size if log.exists() else 0
        try:
            self._rpc.startProcess(service.name, False)
        except xmlrpc.client.Fault as exc:
            raise self._failure(service.name, exc.faultString) from exc

    def await_ready(self, service):
        """Wait until a service is ready.

        :raises BoxError: with the end of its log, when it died or the time
            limit is over.
        """

        def ready():
            served = service.ready()
            if not served:
                self.check_alive(service.name)
                if self._given_up:
                    raise BoxError(f'{service.name} is not waited for')
            return served

        try:
            waiting.wait_for(service.name, ready, _START_LIMIT, _LOOK)
        except waiting.TimedOut:
            raise self._failure(
                service.name, f'is not ready after {_START_LIMIT} s'
            ) from None

    def check_alive(self, name):
        """:raises BoxError: with the end of its log, when it is not."""
        if not self.running(name):
            raise self._failure(name, 'ended')
        # A service of Nova whose main thread died may linger with others.
        log = self._log(name)
        if name in self._began and log.exists():
            with open(log, 'rb') as handle:
                handle.seek(self._began[name])
                if _UNHANDLED in handle.read():
                    raise self._failure(name, 'failed')

    def _failure(self, name, what):
        return BoxError(f'{name} {what}; {tail(self._log(name), _TAIL)}')

    def _log(self, name):
        return self._state.logs / f'{name}.log'
