# SPDX-License-Identifier: Apache-2.0
"""'box up': from whatever there is to a running cloud."""

import concurrent.futures
import functools
import json
import os
import shlex
import shutil

from devstack.onebox import commands
from devstack.onebox import configs
from devstack.onebox import databases
from devstack.onebox import down
from devstack.onebox import kvm
from devstack.onebox import packages
from devstack.onebox import plans
from devstack.onebox import ports
from devstack.onebox import processes
from devstack.onebox import pythonenv
from devstack.onebox import services
from devstack.onebox import settings as settings_module
from devstack.onebox import state as state_module
from devstack.onebox import supervision
from devstack.onebox.progress import say
from devstack.onebox.progress import step

_NOVA_BINARIES = ('nova-conductor', 'nova-scheduler', 'nova-compute')


def up(state, choices):
    """Make or complete a box.

    :param state: State.
    :param choices: keyword arguments of settings.merge.
    :raises BoxError: when the user must do something first.
    """
    packages.check_machine()
    settings = settings_module.merge(
        settings_module.load(state.settings), **choices
    )
    state.check()
    with state.locked():
        _clear_leftovers(state)
        _check_ports(state, settings)
        state_module.write(state.settings, settings_module.dump(settings))
        state.create()
        box, table = _prepare(state, settings)
        _Bringup(box, table).run()


def _clear_leftovers(state):
    # What a killed 'up' was waiting for must not race with this one. A
    # living supervisord keeps its services; without one they are strays.
    strays = set(processes.marked(state, processes.SETUP_MARK))
    if not supervision.pid(state):
        strays |= set(processes.marked(state))
    if strays:
        with step(f'ending {len(strays)} processes of an interrupted run'):
            processes.end(strays)


def _check_ports(state, settings):
    known = settings_module.load(state.settings)
    if (
        supervision.pid(state)
        and known
        and known.port_base == settings.port_base
    ):
        return
    ports.check_free(ports.plan(settings.port_base))


def _prepare(state, settings):
    packages.install(state.logs / 'apt.log')
    trial = None if _kvm_known(state) else kvm.Trial(state.work)
    ours = _provide_python(state, settings)
    if trial:
        with step('trying KVM'):
            state.mark('kvm', 'yes' if trial.works() else 'no')
    box = configs.Box(
        state, settings, state.load_passwords(), state.marked('kvm', 'yes')
    )
    texts = _write_configs(box)
    return box, services.table(box, texts, pythonenv.wanted(settings), ours)


def _kvm_known(state):
    return state.marked('kvm', 'yes') or state.marked('kvm', 'no')


def _provide_python(state, settings):
    if not pythonenv.ready(state, settings):
        down.stop_everything(state)
        pythonenv.build(state, settings)
    ours = pythonenv.install_ours(state, settings) if settings.ours else ''
    pythonenv.link_driver(state, settings.ours)
    return ours


def _write_configs(box):
    texts = (
        configs.files(box)
        | services.uwsgi_files(box)
        | configs.shipped(box.state)
    )
    for path, text in texts.items():
        state_module.write(box.state.etc / path, text, mode=0o600)
    _write_clouds(box)
    return texts


def _write_clouds(box):
    path = box.state.clouds
    # JSON is YAML.
    state_module.write(
        path, json.dumps(plans.clouds(box), indent=2) + '\n', mode=0o600
    )
    if 'SUDO_UID' in os.environ:
        # Whoever called sudo shall use the cloud without it.
        os.chown(path, int(os.environ['SUDO_UID']), -1)


def _together(*functions):
    """Run functions at the same time; the first error is raised."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(function) for function in functions]
        for future in concurrent.futures.as_completed(futures):
            future.result()


class _Bringup:
    """Start what does not run and fill what is empty."""

    def __init__(self, box, table):
        self._box = box
        self._state = box.state
        self._table = table
        self._supervisor = supervision.Supervisor(box.state)
        self._served = set()

    def run(self):
        with step('supervisord'):
            self._supervisor.ensure(self._table)
        _together(
            self._database,
            self._messaging,
            functools.partial(self._serve, 'libvirtd'),
        )
        self._schemas_and_identity()
        self._serve('placement')
        _together(
            *(
                functools.partial(self._serve, name)
                for name in (
                    'glance',
                    'neutron',
                    'nova-api',
                    'nova-conductor',
                    'nova-scheduler',
                    'nova-compute',
                )
            )
        )
        self._cloud()

    def _serve(self, name):
        service = self._table[name]
        if self._supervisor.current(service):
            self._supervisor.await_ready(service)
        else:
            with step(name):
                self._supervisor.stop(name)
                ports.await_free(
                    {port: self._box.ports[port] for port in service.ports}
                )
                self._supervisor.start(service)
                self._supervisor.await_ready(service)
        self._served.add(name)

    def _database(self):
        if not self._state.mariadb.exists():
            with step('empty database'):
                databases.initialise(self._state)
        self._serve('mariadb')

    def _messaging(self):
        self._serve('epmd')
        if not self._supervisor.running('rabbitmq'):
            self._empty_rabbitmq()
        self._serve('rabbitmq')

    def _empty_rabbitmq(self):
        # It keeps nothing that outlives its clients, and a first start that
        # was killed would leave it without its user.
        home = self._state.rabbitmq
        shutil.rmtree(home)
        home.mkdir(mode=0o700)
        for name, text in (
            ('.erlang.cookie', self._box.passwords['erlang_cookie']),
            ('advanced.config', '[].\n'),
        ):
            state_module.write(home / name, text, mode=0o400)

    def _schemas_and_identity(self):
        names = databases.lacking(self._state)
        if names:
            databases.create(self._box, names)
        _together(
            functools.partial(self._identity, 'keystone' in names),
            functools.partial(
                self._schemas, [name for name in names if name != 'keystone']
            ),
        )

    def _schemas(self, names):
        for name in names:
            with step(f'schema of {name}'):
                databases.migrate(self._box, name)
        if not self._state.marked('cells'):
            with step('Nova cells'):
                databases.map_cells(self._box)

    def _identity(self, schema):
        if schema:
            with step('schema of keystone'):
                databases.migrate(self._box, 'keystone')
        plan = plans.identity(self._box)
        wanted = json.dumps(plan['endpoints'])
        if self._state.marked('identity', wanted):
            self._serve('keystone')
            return
        with step('keystone bootstrap'):
            self._bootstrap()
        self._serve('keystone')
        with step('users and endpoints'):
            self._fill('identity', plan)
            self._state.mark('identity', wanted)

    def _bootstrap(self):
        state, box = self._state, self._box
        manage = [
            state.venv / 'bin' / 'keystone-manage',
            '--config-file',
            state.etc / 'keystone' / 'keystone.conf',
        ]
        (state.etc / 'fernet-keys').mkdir(mode=0o700, exist_ok=True)
        commands.run(
            state,
            'keystone',
            [
                *manage,
                'fernet_setup',
                '--keystone-user',
                'root',
                '--keystone-group',
                'root',
            ],
        )
        commands.run(
            state,
            'keystone',
            [
                *manage,
                'bootstrap',
                '--bootstrap-region-id',
                configs.REGION,
                '--bootstrap-public-url',
                box.url('keystone') + '/v3',
            ],
            OS_BOOTSTRAP_PASSWORD=box.passwords['admin'],
        )

    def _fill(self, name, plan):
        path = self._state.etc / f'plan-{name}.json'
        state_module.write(path, json.dumps(plan), mode=0o600)
        commands.run_content(self._state, name, path, self._watch)

    def _watch(self):
        for name in self._served:
            self._supervisor.check_alive(name)

    def _cloud(self):
        fresh = self._supervisor.unconfirmed()
        flavors = json.dumps(plans.FLAVORS)
        if fresh or not self._state.marked('compute', flavors):
            with step('flavors, and Nova reporting'):
                self._fill(
                    'compute',
                    plans.compute(
                        {
                            name: fresh[name]
                            for name in _NOVA_BINARIES
                            if name in fresh
                        }
                    ),
                )
                self._state.mark('compute', flavors)
        if not self._state.marked('host'):
            with step('compute host into its cell'):
                commands.run(
                    self._state,
                    'host',
                    [
                        self._state.venv / 'bin' / 'nova-manage',
                        '--config-file',
                        self._state.etc / 'nova' / 'nova.conf',
                        'cell_v2',
                        'discover_hosts',
                    ],
                )
                self._state.mark('host')
        self._supervisor.confirm(fresh)


def report(state):
    """Tell where the cloud is, once it is up."""
    box = state_module.TOP / 'devstack' / 'onebox' / 'box'
    where = (
        '' if state.root == state_module.DEFAULT else f' --state {state.root}'
    )
    say(f'the cloud is up; its files are in {state.root}')
    say(f'to use it:  eval "$({shlex.quote(str(box))} env{where})"')
