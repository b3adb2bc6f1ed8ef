# SPDX-License-Identifier: Apache-2.0
"""MariaDB's data directory, the databases and their schemas."""

import dataclasses
import hashlib
import json
import pathlib
import shutil

import pymysql

from devstack.onebox import commands
from devstack.onebox import configs
from devstack.onebox.errors import BoxError
from devstack.onebox.state import TOP

_METADEFS = TOP / 'etc' / 'glance' / 'metadefs'
_RUN_IN_TURN = pathlib.Path(__file__).with_name('run_in_turn.py')
# Nova fills these in from its own configuration each time it reads them, so
# that the box can move to other ports, and no password is on a command line.
_TRANSPORT = '{scheme}://{username}:{password}@{hostname}:{port}/'
_CELL0 = '{scheme}://{username}:{password}@{hostname}/nova_cell0?{query}'
_NOVA = 'nova/nova.conf'


@dataclasses.dataclass(frozen=True)
class Schemas:
    """How the databases of a service are made.

    :param databases: their names.
    :param command: of the service.
    :param turns: (configuration files, arguments) of each run of it.
    """

    databases: tuple
    command: str
    turns: tuple


#: By service, in the order that the rest of a cloud waits for them.
ALL = {
    'nova': Schemas(
        ('nova_api', 'nova_cell1', 'nova_cell0'),
        'nova-manage',
        (
            ((_NOVA,), ('api_db', 'sync')),
            ((_NOVA,), ('db', 'sync', '--local_cell')),
            (
                (_NOVA, 'nova/cell0.conf'),
                ('db', 'sync', '--local_cell'),
            ),
            (
                (_NOVA,),
                ('cell_v2', 'map_cell0', '--database_connection', _CELL0),
            ),
            (
                (_NOVA,),
                (
                    *('cell_v2', 'create_cell', '--name', 'cell1'),
                    *('--transport-url', _TRANSPORT),
                ),
            ),
        ),
    ),
    'keystone': Schemas(
        ('keystone',),
        'keystone-manage',
        ((('keystone/keystone.conf',), ('db_sync',)),),
    ),
    'placement': Schemas(
        ('placement',),
        'placement-manage',
        ((('placement/placement.conf',), ('db', 'sync')),),
    ),
    'neutron': Schemas(
        ('neutron',),
        'neutron-db-manage',
        (
            (
                ('neutron/neutron.conf', 'neutron/plugins/ml2/ml2_conf.ini'),
                ('upgrade', 'heads'),
            ),
        ),
    ),
    'glance': Schemas(
        ('glance',),
        'glance-manage',
        ((('glance/glance-api.conf',), ('db_sync',)),),
    ),
}


def manage(state, name, command, turns, **variables):
    """Run one of the services' own commands, logged under a name.

    :param turns: see Schemas.
    :raises BoxError: when one of them fails.
    """
    arguments = [
        [*(f'--config-file={state.etc / file}' for file in files), *given]
        for files, given in turns
    ]
    commands.set_up(
        state,
        name,
        [
            *(state.venv / 'bin' / 'python', '-P', _RUN_IN_TURN),
            *(command, json.dumps(arguments)),
        ],
        **variables,
    )


def metadefs_digest():
    """Digest of what load_metadefs() loads."""
    digest = hashlib.sha256()
    for path in sorted(_METADEFS.glob('*.json')):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_metadefs(state):
    """Have Glance describe image properties of ours as they now are."""
    manage(
        state,
        'metadefs',
        'glance-manage',
        [
            (
                ['glance/glance-api.conf'],
                [
                    *('db', 'load_metadefs', '--path', str(_METADEFS)),
                    *('--merge', '--overwrite'),
                ],
            )
        ],
    )


def discover_host(state):
    """Have Nova find its new host, in its cell."""
    manage(
        state,
        'cells',
        'nova-manage',
        [([_NOVA], ['cell_v2', 'discover_hosts'])],
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
    """Names of services without finished databases."""
    return [name for name in ALL if not has(state, name)]


def has(state, name):
    """Whether the databases of a service are finished."""
    return state.marked(f'schema-{name}')


def create(box, services):
    """Make the databases of services anew.

    What a killed migration left cannot be continued. Nothing is lost: no
    service runs before every schema is finished.
    """
    user = f"'{configs.DB_USER}'@'localhost'"
    statements = [
        f'CREATE USER IF NOT EXISTS {user} '
        f"IDENTIFIED BY '{box.passwords['database']}'"
    ]
    for name in (n for s in services for n in ALL[s].databases):
        statements += [
            f'DROP DATABASE IF EXISTS {name}',
            f'CREATE DATABASE {name} CHARACTER SET utf8mb3',
            f'GRANT ALL ON {name}.* TO {user}',
        ]
    execute(box.state, *statements)


def migrate(box, name):
    """Make what is in the databases of a service at first, and remember it."""
    schemas = ALL[name]
    manage(box.state, f'schema-{name}', schemas.command, schemas.turns)
    box.state.mark(f'schema-{name}')
