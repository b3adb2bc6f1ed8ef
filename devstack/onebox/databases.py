# SPDX-License-Identifier: Apache-2.0
"""MariaDB's data directory, the databases and their schemas."""

import shutil
import subprocess

from devstack.onebox import commands
from devstack.onebox import configs
from devstack.onebox.errors import BoxError

_CELL = 'nova_cell1'
# Nova fills these in from its own configuration each time it reads them, so
# that the box can move to other ports, and no password is on a command line.
_TRANSPORT = '{scheme}://{username}:{password}@{hostname}:{port}/'
_CELL0 = '{scheme}://{username}:{password}@{hostname}/nova_cell0?{query}'


def initialise(state):
    """Make MariaDB's data directory, whole or not at all."""
    if state.mariadb.exists():
        return
    part = state.root / 'mariadb.part'
    shutil.rmtree(part, ignore_errors=True)
    commands.run(
        state,
        'mariadb-install',
        [
            'mariadb-install-db',
            '--no-defaults',
            '--user=root',
            f'--datadir={part}',
            '--skip-test-db',
            '--auth-root-authentication-method=socket',
        ],
    )
    part.rename(state.mariadb)


def sql(state, statements):
    """:raises BoxError: when MariaDB refuses a statement."""
    done = subprocess.run(
        [
            'mariadb',
            '--no-defaults',
            f'--socket={state.mariadb_socket}',
            '--user=root',
            '--batch',
        ],
        input=statements,
        capture_output=True,
        text=True,
        check=False,
        env=commands.environment(state),
    )
    if done.returncode:
        raise BoxError(f'MariaDB: {done.stderr.strip()}')


def schemas(box):
    """What makes each schema: ``{database: command}``."""
    bin_, etc = box.state.venv / 'bin', box.state.etc
    nova = [bin_ / 'nova-manage', '--config-file', etc / 'nova/nova.conf']
    return {
        'keystone': [
            bin_ / 'keystone-manage',
            '--config-file',
            etc / 'keystone/keystone.conf',
            'db_sync',
        ],
        'glance': [
            bin_ / 'glance-manage',
            '--config-file',
            etc / 'glance/glance-api.conf',
            'db_sync',
        ],
        'placement': [
            bin_ / 'placement-manage',
            '--config-file',
            etc / 'placement/placement.conf',
            'db',
            'sync',
        ],
        'neutron': [
            bin_ / 'neutron-db-manage',
            '--config-file',
            etc / 'neutron/neutron.conf',
            '--config-file',
            etc / 'neutron/plugins/ml2/ml2_conf.ini',
            'upgrade',
            'heads',
        ],
        'nova_api': [*nova, 'api_db', 'sync'],
        'nova_cell0': [
            *nova,
            '--config-file',
            etc / 'nova/cell0.conf',
            'db',
            'sync',
            '--local_cell',
        ],
        _CELL: [*nova, 'db', 'sync', '--local_cell'],
    }


def lacking(state):
    """Names of databases without a finished schema."""
    names = (
        'keystone',
        'placement',
        'nova_api',
        _CELL,
        'nova_cell0',
        'neutron',
        'glance',
    )
    return [name for name in names if not state.marked(f'schema-{name}')]


def create(box, names):
    """Make databases anew.

    What a killed migration left cannot be continued. Nothing is lost: no
    service runs before every schema is finished.
    """
    user = f"'{configs.DB_USER}'@'localhost'"
    password = box.passwords['database']
    statements = [
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}';"
    ]
    for name in names:
        statements += [
            f'DROP DATABASE IF EXISTS {name};',
            f'CREATE DATABASE {name} CHARACTER SET utf8mb3;',
            f'GRANT ALL ON {name}.* TO {user};',
        ]
    sql(box.state, '\n'.join(statements))


def migrate(box, name):
    """Make one schema and remember that it is there."""
    commands.run(box.state, f'schema-{name}', schemas(box)[name])
    box.state.mark(f'schema-{name}')


def map_cells(box):
    """Tell Nova of its cells, once."""
    state = box.state
    if state.marked('cells'):
        return
    manage = [
        state.venv / 'bin' / 'nova-manage',
        '--config-file',
        state.etc / 'nova' / 'nova.conf',
        'cell_v2',
    ]
    # A killed run may have made one of the two, and no host is mapped yet.
    sql(state, 'DELETE FROM nova_api.cell_mappings;')
    for arguments in (
        ('map_cell0', '--database_connection', _CELL0),
        ('create_cell', '--name', 'cell1', '--transport-url', _TRANSPORT),
    ):
        commands.run(state, 'cells', [*manage, *arguments])
    state.mark('cells')
