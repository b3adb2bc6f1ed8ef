# SPDX-License-Identifier: Apache-2.0
"""supervisord: its file, its control, and waiting for services."""

import concurrent.futures
import http.client
import json
import pathlib
import socket
import subprocess
import threading
import time
import xmlrpc.client

from devstack.onebox import configs
from devstack.onebox import processes
from devstack.onebox import state as state_module
from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail

_SUPERVISE = pathlib.Path(__file__).with_name('supervise.py')
_START_LIMIT = 180
_STOP_WAIT = 15
_TAIL = 25
# What oslo.log writes of an exception nobody caught.
_UNHANDLED = b' CRITICAL '


def conf(state, services):
    """Text of supervisord.conf.

    Nothing starts or restarts by itself: a service that dies stays dead,
    where 'box status' and the tests can see it.
    """
    socket_path = state.run / 'supervisor.sock'
    groups = {
        'unix_http_server': {'file': socket_path, 'chmod': '0700'},
        'supervisord': {
            'pidfile': state.run / 'supervisord.pid',
            'logfile': state.logs / 'supervisord.log',
            'childlogdir': state.logs,
            'directory': state.root,
            'identifier': 'onebox',
            'user': 'root',
        },
        'rpcinterface:supervisor': {
            'supervisor.rpcinterface_factory': 'supervisor.rpcinterface:'
            'make_main_rpcinterface'
        },
        'supervisorctl': {'serverurl': f'unix://{socket_path}'},
    }
    for priority, service in enumerate(services.values()):
        groups[f'program:{service.name}'] = _program(state, service, priority)
    return configs.ini(groups)


def _program(state, service, priority):
    return {
        'command': service.command,
        'environment': ','.join(
            f'{name}="{value}"'
            for name, value in sorted(service.environment.items())
        ),
        'priority': priority,
        'autostart': False,
        'autorestart': False,
        'startsecs': 0,
        'stopwaitsecs': _STOP_WAIT,
        'stopasgroup': service.children,
        'killasgroup': service.children,
        'redirect_stderr': True,
        'stdout_logfile': state.logs / f'{service.name}.log',
        'stdout_logfile_maxbytes': '50MB',
        'stdout_logfile_backups': 1,
    }


def pid(state):
    """Process id of the box's supervisord, or None."""
    try:
        number = int((state.run / 'supervisord.pid').read_text())
    except (FileNotFoundError, ValueError):
        return None
    return number if number in processes.marked(state) else None


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=120)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    # supervisor has such a class, but in an environment that may be gone
    # when the box is taken down.
    def __init__(self, path):
        super().__init__()
        self._path = path

    def make_connection(self, host):
        return _Connection(self._path)


class Supervisor:
    """The box's supervisord."""

    def __init__(self, state):
        self._state = state
        self._path = state.run / 'started.json'
        self._conf = state.supervisor_conf
        self._lock = threading.Lock()
        # Size of a service's log when this object started it.
        self._began = {}

    @property
    def _rpc(self):
        proxy = xmlrpc.client.ServerProxy(
            'http://localhost/RPC2',
            transport=_Transport(str(self._state.run / 'supervisor.sock')),
        )
        return proxy.supervisor

    def ensure(self, services):
        """Have supervisord run, knowing these services."""
        text = conf(self._state, services)
        changed = not self._conf.exists() or self._conf.read_text() != text
        state_module.write(self._conf, text, mode=0o600)
        if pid(self._state) is None:
            self._start()
        elif changed:
            self._reload()

    def _start(self):
        state = self._state
        self._path.unlink(missing_ok=True)
        done = subprocess.run(
            [f'{state.venv}/bin/python', '-P', _SUPERVISE, '-c', self._conf],
            env=processes.environment(state),
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
        self._await_socket()

    def _await_socket(self):
        until = time.monotonic() + 30
        while True:
            try:
                return self._rpc.getState()
            except OSError:
                if time.monotonic() > until:
                    raise BoxError(
                        'supervisord does not answer: see '
                        f'{self._state.logs}/supervisord.log'
                    ) from None
                time.sleep(0.05)

    def _reload(self):
        added, changed, removed = self._rpc.reloadConfig()[0]
        for name in changed + removed:
            self.stop(name)
            self._rpc.removeProcessGroup(name)
        for name in changed + added:
            self._rpc.addProcessGroup(name)

    def states(self):
        """``{service: (state name, process id, since)}``, or empty.

        :raises BoxError: when supervisord runs and does not answer.
        """
        if pid(self._state) is None:
            return {}
        try:
            listed = self._rpc.getAllProcessInfo()
        except OSError as exc:
            raise BoxError(
                f'supervisord does not answer ({exc}): take the '
                "box down with 'box down', and up again"
            ) from exc
        return {
            info['name']: (info['statename'], info['pid'], info['start'])
            for info in listed
        }

    def _what(self, name):
        return self.states().get(name, ('',))[0]

    def running(self, name):
        """Whether a service's process lives."""
        return self._what(name) == 'RUNNING'

    def stop(self, *names):
        """Stop services at the same time, as far as they run."""
        names = [
            name
            for name in names
            if self._what(name) in ('RUNNING', 'STOPPING')
        ]
        if names:
            with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
                list(pool.map(self._stop, names))

    def _stop(self, name):
        try:
            self._rpc.stopProcess(name)
        except xmlrpc.client.Fault:
            # It may have ended by itself meanwhile, or be on its way down
            # since a killed run told it to.
            until = time.monotonic() + 2 * _STOP_WAIT
            while self._what(name) == 'STOPPING' and time.monotonic() < until:
                time.sleep(0.1)
            if self._what(name) in ('RUNNING', 'STOPPING'):
                raise

    def current(self, service):
        """Whether it runs, started from just what it is made from now."""
        return (
            self.running(service.name)
            and self._notes().get(service.name, {}).get('fingerprint')
            == service.fingerprint
        )

    def unconfirmed(self):
        """``{service: start}`` of those not yet seen at work.

        start is in seconds since 1970; it is kept over runs, so that what a
        killed 'up' started is not taken to be ready by the next.
        """
        return {
            name: note['start']
            for name, note in self._notes().items()
            if not note['confirmed']
        }

    def confirm(self, names):
        """Remember that these services were seen at work."""
        with self._lock:
            notes = self._notes()
            for name in names:
                notes[name]['confirmed'] = True
            state_module.write(self._path, json.dumps(notes))

    def _notes(self):
        try:
            return json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def start(self, service):
        """Start a service anew; its readiness is another matter."""
        self.stop(service.name)
        log = self._log(service.name)
        self._began[service.name] = log.stat().st_size if log.exists() else 0
        note = {
            'start': time.time(),
            'confirmed': False,
            'fingerprint': service.fingerprint,
        }
        try:
            self._rpc.startProcess(service.name, False)
        except xmlrpc.client.Fault as exc:
            raise BoxError(
                self.obituary(service.name, exc.faultString)
            ) from exc
        with self._lock:
            state_module.write(
                self._path, json.dumps(self._notes() | {service.name: note})
            )

    def await_ready(self, service, limit=_START_LIMIT):
        """Wait until a service is ready.

        :raises BoxError: with the end of its log, when it died or the time
            limit in seconds is over.
        """
        if service.ready is None:
            return
        until = time.monotonic() + limit
        while not service.ready():
            self.check_alive(service.name)
            if time.monotonic() > until:
                raise BoxError(
                    self.obituary(
                        service.name, f'is not ready after {limit} s'
                    )
                )
            time.sleep(0.1)

    def check_alive(self, name):
        """:raises BoxError: with the end of its log, when it is not."""
        if not self.running(name):
            raise BoxError(self.obituary(name, 'ended'))
        # A service of Nova whose main thread died may linger with others.
        log = self._log(name)
        if name in self._began and log.exists():
            with open(log, 'rb') as handle:
                handle.seek(self._began[name])
                if _UNHANDLED in handle.read():
                    raise BoxError(self.obituary(name, 'failed'))

    def obituary(self, name, what):
        """What to tell the user of a failed service."""
        return f'{name} {what}; {tail(self._log(name), _TAIL)}'

    def _log(self, name):
        return self._state.logs / f'{name}.log'
