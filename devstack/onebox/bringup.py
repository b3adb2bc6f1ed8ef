# SPDX-License-Identifier: Apache-2.0
"""'box up', once its Python is there: to a running cloud."""

import functools
import json
import os
import shutil

from devstack.onebox import cloud as cloud_module
from devstack.onebox import configs
from devstack.onebox import databases
from devstack.onebox import down
from devstack.onebox import ports
from devstack.onebox import processes
from devstack.onebox import pythonenv
from devstack.onebox import services
from devstack.onebox import settings as settings_module
from devstack.onebox import state as state_module
from devstack.onebox import supervision
from devstack.onebox import tasks
from devstack.onebox import waiting
from devstack.onebox.progress import step


def up(state, settings):
    """Start what does not run and fill what is empty.

    :raises BoxError: when the user must do something first.
    """
    _end_leftovers(state)
    _check_ports(state, settings)
    state_module.write(state.settings, settings_module.dump(settings))
    ours = pythonenv.install_ours(state, settings)
    pythonenv.link_driver(state, settings.ours)
    box = configs.Deployment(
        state, settings, state.load_passwords(), state.marked('kvm', 'yes')
    )
    texts = configs.files(box) | services.uwsgi_files(box)
    for path, text in texts.items():
        state_module.write(state.etc / path, text, mode=0o600)
    _write_clouds(box)
    _Bringup(box, services.supervisord_conf(box, texts, ours)).run()
    pythonenv.remove_others(state)


def _end_leftovers(state):
    supervisord = supervision.process(state)
    if not supervisord:
        # Services without one are strays.
        down.end('strays', processes.marked(state))
    elif supervisord.environ()['VIRTUAL_ENV'] != str(state.venv.resolve()):
        # Its services run from another environment.
        down.stop_everything(state)


def _check_ports(state, settings):
    known = settings_module.load(state.settings)
    if not supervision.process(state) or known.ports != settings.ports:
        ports.check_free(settings.ports)


def _write_clouds(box):
    path = box.state.clouds
    # JSON is YAML.
    state_module.write(
        path, json.dumps(configs.clouds(box), indent=2) + '\n', mode=0o600
    )
    if 'SUDO_UID' in os.environ:
        # Whoever called sudo shall use the cloud without it.
        os.chown(path, int(os.environ['SUDO_UID']), -1)


class _Bringup:
    def __init__(self, box, conf):
        self._box = box
        self._state = box.state
        self._conf = conf
        self._table = services.table(box)
        self._supervisor = supervision.Supervisor(box.state)

    def run(self):
        with step('supervisord'):
            self._supervisor.ensure(self._conf)
        tasks.do_all(self._tasks(), self._supervisor.give_up)

    def _tasks(self):
        """See tasks.do_all(); those come first that most others wait for."""
        # As they start, Nova's services sign in and look for Placement.
        nova = ('rabbitmq', 'schema nova', 'identity', 'placement')
        needs = {
            'libvirtd': (),
            'keystone': ('bootstrap',),
            'placement': ('schema placement',),
            'nova-conductor': nova,
            'nova-scheduler': nova,
            'nova-api': nova,
            # A conductor that does not listen yet costs it 10 s.
            'nova-compute': (*nova, 'libvirtd', 'nova-conductor'),
            'neutron': ('rabbitmq', 'schema neutron'),
            'glance': ('schema glance',),
            # Nobody waits for it, and others are waited for.
            'nova-novncproxy': ('nova-compute',),
        }
        return {
            'mariadb': (self._database, ()),
            'rabbitmq': (self._messaging, ()),
            'databases': (self._databases, ('mariadb',)),
            **{
                f'schema {name}': (
                    functools.partial(self._migrate, name),
                    ('databases',),
                )
                for name in databases.ALL
            },
            'metadefs': (self._metadefs, ('schema glance',)),
            'bootstrap': (self._bootstrap, ('schema keystone',)),
            'identity': (self._identity, ('keystone',)),
            **{
                name: (functools.partial(self._serve, name), needed)
                for name, needed in needs.items()
            },
            'compute': (
                self._compute,
                ('nova-api', 'nova-scheduler', 'nova-compute', 'neutron'),
            ),
        }

    def _serve(self, name):
        service = self._table[name]
        if self._supervisor.running(name):
            self._supervisor.await_ready(service)
            return
        with step(name):
            self._supervisor.stop(name)
            self._await_ports(service)
            self._supervisor.start(service)
            self._supervisor.await_ready(service)

    def _await_ports(self, service):
        # A process on its way out may still hold them.
        wanted = {name: self._box.ports[name] for name in service.ports}
        if wanted:
            try:
                waiting.wait_for(
                    'free ports',
                    lambda: not ports.taken(wanted),
                    60,
                    0.1,
                )
            except waiting.TimedOut:
                ports.check_free(wanted)

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

    def _databases(self):
        lacking = databases.lacking(self._state)
        if lacking:
            databases.create(self._box, lacking)

    def _migrate(self, name):
        if not databases.has(self._state, name):
            with step(f'schema of {name}'):
                databases.migrate(self._box, name)

    def _metadefs(self):
        wanted = databases.metadefs_digest()
        if not self._state.marked('metadefs', wanted):
            with step('metadata definitions'):
                databases.load_metadefs(self._state)
            self._state.mark('metadefs', wanted)

    def _bootstrap(self):
        wanted = self._box.url('keystone')
        if self._state.marked('bootstrap', wanted):
            return
        (self._state.etc / 'fernet-keys').mkdir(mode=0o700, exist_ok=True)
        with step('keystone bootstrap'):
            files = ['keystone/keystone.conf']
            databases.manage(
                self._state,
                'keystone',
                'keystone-manage',
                [
                    (
                        files,
                        [
                            *('fernet_setup', '--keystone-user=root'),
                            '--keystone-group=root',
                        ],
                    ),
                    (
                        files,
                        [
                            *('bootstrap', '--bootstrap-region-id'),
                            *(configs.REGION, '--bootstrap-public-url'),
                            f'{wanted}/v3',
                        ],
                    ),
                ],
                OS_BOOTSTRAP_PASSWORD=self._box.passwords['admin'],
            )
        self._state.mark('bootstrap', wanted)

    def _identity(self):
        wanted = json.dumps(list(configs.endpoints(self._box).values()))
        if self._state.marked('identity', wanted):
            return
        with (
            step('users and endpoints'),
            cloud_module.administrator(self._state) as cloud,
        ):
            cloud_module.fill_identity(cloud.identity, self._box)
        self._state.mark('identity', wanted)

    def _compute(self):
        told = self._supervisor.processes()
        # Nova takes its host out of service when libvirtd ends.
        began = {
            name: told[name]['start'] for name in ('libvirtd', *services.NOVA)
        }
        wanted = json.dumps([cloud_module.FLAVORS, began])
        if self._state.marked('compute', wanted):
            return
        with (
            step('flavors, and Nova reporting'),
            cloud_module.administrator(self._state) as cloud,
        ):
            cloud_module.fill_compute(cloud)
            cloud_module.await_compute(cloud, services.NOVA, self._check_alive)
        if not self._state.marked('host'):
            with step('compute host into its cell'):
                databases.discover_host(self._state)
                self._state.mark('host')
        self._state.mark('compute', wanted)

    def _check_alive(self):
        for name in self._table:
            self._supervisor.check_alive(name)
