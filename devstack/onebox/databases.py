# SPDX-License-Identifier: Apache-2.0
"""MariaDB's data directory, the databases and their schemas."""

import shutil

import pymysql

from devstack.onebox import commands
from devstack.onebox import configs
from devstack.onebox.errors import BoxError

_CELL = 'nova_cell1'
# Nova fills these in from its own configuration each time it reads them, so
# that the box can move to other ports, and no password is on a command line.
_TRANSPORT = '{scheme}://{username}:{password}@{hostname}:{port}/'
_CELL0 = '{scheme}://{username}:{password}@{hostname}/nova_cell0?{query}'

# What makes each schema: a command, its configuration files, its arguments.
_SCHEMAS = {
    'keystone': (
        'keystone-manage',
        ['keystone/keystone.conf'],
        ['db_sync'],
    ),
    'placement': (
        'placement-manage',
        ['placement/placement.conf'],
        ['db', 'sync'],
    ),
    'nova_api': ('nova-manage', ['nova/nova.conf'], ['api_db', 'sync']),
    _CELL: (
        'nova-manage',
        ['nova/nova.conf'],
        ['db', 'sync', '--local_cell'],
    ),
    'nova_cell0': (
        'nova-manage',
        ['nova/nova.conf', 'nova/cell0.conf'],
        ['db', 'sync', '--local_cell'],
    ),
    'neutron': (
        'neutron-db-manage',
        ['neutron/neutron.conf', 'neutron/plugins/ml2/ml2_conf.ini'],
        ['upgrade', 'heads'],
    ),
    'glance': ('glance-manage', ['glance/glance-api.conf'], ['db_sync']),
}


def manage(state, name, program, files, arguments, **variables):
    """Run one of the services' own commands, logged under a name."""
    commands.set_up(
        state,
        name,
        [
            state.venv / 'bin' / program,
            *(f'--config-file={state.etc / file}' for file in files),
            *arguments,
        ],
        **variables,
    )


def manage_cells(state, *arguments):
    """Run nova-manage cell_v2."""
    manage(
        state,
        'cells',
        'nova-manage',
        ['nova/nova.conf'],
        ['cell_v2', *arguments],
    )


def initialise(state):
    """Make MariaDB's data directory, whole or not at all."""
    part = state.root / 'mariadb.part'
    shutil.rmtree(part, ignore_errors=True)
    commands.set_up(
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


def execute(state, *statements):
    """:raises BoxError: when MariaDB refuses a statement."""
    try:
        with (
            pymysql.connect(
                unix_socket=str(state.mariadb_socket),
                user='root',
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
    except pymysql.MySQLError as exc:
        raise BoxError(f'MariaDB: {exc}') from exc


def lacking(state):
    """Names of databases without a finished schema."""
    return [name for name in _SCHEMAS if not state.marked(f'schema-{name}')]


def create(box, names):
    """Make databases anew.

    What a killed migration left cannot be continued. Nothing is lost: no
    service runs before every schema is finished.
    """
    user = f"'{configs.DB_USER}'@'localhost'"
    statements = [
        f'CREATE USER IF NOT EXISTS {user} '
        f"IDENTIFIED BY '{box.passwords['database']}'"
    ]
    for name in names:
        statements += [
            f'DROP DATABASE IF EXISTS {name}',
            f'CREATE DATABASE {name} CHARACTER SET utf8mb3',
            f'GRANT ALL ON {name}.* TO {user}',
        ]
    execute(box.state, *statements)


def migrate(box, name):
    """Make one schema and remember that it is there."""
    manage(box.state, f'schema-{name}', *_SCHEMAS[name])
    box.state.mark(f'schema-{name}')


def map_cells(state):
    """Tell Nova of its cells, and remember that it knows."""
    # A killed run may have made one of the two, and no host is mapped yet.
    execute(state, 'DELETE FROM nova_api.cell_mappings')
    manage_cells(state, 'map_cell0', '--database_connection', _CELL0)
    manage_cells(
        state, 'create_cell', '--name', 'cell1', '--transport-url', _TRANSPORT
    )
    state.mark('cells')
