# SPDX-License-Identifier: Apache-2.0
"""What families cost where Glance has thousands of images.

The images are records in the box's database, without bytes: Glance is asked
for no bytes here, and to make so many through its API takes an hour.
"""

import contextlib
import datetime
import time
import uuid

import pymysql

from benchmarks import figures
from benchmarks import onebox
from devstack.onebox.progress import say
from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import pruning
from nova_newos.registry import publishing
from nova_newos.registry import words

FAMILIES = 500
#: Versions of each, the current one among them.
VERSIONS = 20

# Rows of one statement.
_ROWS = 2000
_BORN = datetime.datetime(2026, 1, 1)
_IMAGES = (
    'INSERT INTO images (id, name, size, status, created_at, updated_at, '
    'deleted, disk_format, container_format, owner, min_disk, min_ram, '
    'protected, visibility, os_hidden) VALUES (%s, %s, 0, "active", %s, %s, '
    '0, "raw", "bare", %s, 1, 0, 0, "private", %s)'
)
_PROPERTIES = (
    'INSERT INTO image_properties (image_id, name, value, created_at, '
    'deleted) VALUES (%s, %s, %s, %s, 0)'
)
_TAGS = (
    'INSERT INTO image_tags (image_id, value, created_at, deleted) '
    'VALUES (%s, %s, %s, 0)'
)


def measure(box, runs):
    """Seconds and requests of commands, beside those of Glance's own.

    :param box: onebox.Cloud
    :param runs: how often each is done
    :returns: list of figures.Row; stock is what openstacksdk does for
        ``openstack image list``, with ``--hidden`` for what needs former
        versions
    """
    cloud = box.cloud
    owner = cloud.current_project_id
    with _records(box, owner):
        # One of them, wherever the order of the database begins.
        name = _family(FAMILIES // 2)
        stock = _measured(cloud, runs, lambda: list(cloud.image.images()))
        # Once: it is hundreds of requests.
        hidden = _measured(
            cloud, 1, lambda: list(cloud.image.images(is_hidden=True))
        )
        work = {
            'family list': (stock, lambda: families.current(cloud)),
            'family show': (
                hidden,
                lambda: families.look(cloud, name, owner),
            ),
            'family publish': (
                hidden,
                lambda: publishing.publish(cloud, _image(cloud), name),
            ),
            'family rollback': (
                hidden,
                lambda: publishing.roll_back(cloud, name, owner),
            ),
            'family prune --dry-run': (
                hidden,
                lambda: pruning.prune(cloud, name, owner, 3, dry_run=True),
            ),
        }
        rows = []
        for title, (beside, call) in work.items():
            found = _measured(cloud, runs, call)
            say(f'{title}: {found}')
            for unit, theirs, ours in zip(
                ('seconds', 'requests'), beside, found, strict=True
            ):
                rows.append(figures.Row(f'{title}: {unit}', theirs, ours))
        return rows


def _measured(cloud, runs, call):
    """Seconds and numbers of requests of some calls, a tuple of each."""
    taken = []
    for _run in range(runs):
        with _counted(cloud) as requests:
            began = time.monotonic()
            call()
            taken.append((time.monotonic() - began, len(requests)))
    return tuple(zip(*taken, strict=True))


@contextlib.contextmanager
def _counted(cloud):
    """URLs of the requests that are made meanwhile."""
    request, urls = cloud.session.request, []

    def noted(url, *args, **kwargs):
        urls.append(url)
        return request(url, *args, **kwargs)

    cloud.session.request = noted
    try:
        yield urls
    finally:
        cloud.session.request = request


def _family(number):
    return f'{onebox.NAME} {number:04}'


def _image(cloud):
    """Id of one more image, which has a byte."""
    image = glance.create(
        cloud, name=onebox.NAME, disk_format='raw', container_format='bare'
    )
    glance.upload(cloud, image['id'], iter([b'x']), 1)
    return image['id']


@contextlib.contextmanager
def _records(box, owner):
    """Families of images in Glance's database."""
    database = pymysql.connect(
        unix_socket=str(box.state.mariadb_socket),
        user='root',
        database='glance',
        autocommit=True,
    )
    with database:
        _forget(database, owner)
        try:
            _fill(database, owner)
            yield
        finally:
            _forget(database, owner)


def _fill(database, owner):
    images, properties, tags = [], [], []
    for family in map(_family, range(FAMILIES)):
        for version in range(VERSIONS):
            image_id = str(uuid.uuid4())
            born = _BORN + datetime.timedelta(days=version)
            hidden = version + 1 < VERSIONS
            name = words.former_name(family, f'{born:%Y-%m-%d}')
            images.append(
                (
                    *(image_id, name if hidden else family),
                    *(born, born, owner, hidden),
                )
            )
            said = {
                words.FAMILY: family,
                words.SELF: image_id,
                words.PUBLISHED: f'{born:%Y-%m-%dT%H:%M:%S.%fZ}',
                'image_build_date': f'{born:%Y-%m-%d}',
                'image_source': 'private',
                'image_description': 'golden image',
                'os_purpose': 'custom',
                'provided_until': 'none',
                'replace_frequency': 'critical_bug',
                'uuid_validity': 'none',
            }
            properties += [(image_id, *each, born) for each in said.items()]
            tags.append((image_id, words.TAG, born))
    with database.cursor() as cursor:
        for statement, rows in (
            (_IMAGES, images),
            (_PROPERTIES, properties),
            (_TAGS, tags),
        ):
            for start in range(0, len(rows), _ROWS):
                cursor.executemany(statement, rows[start : start + _ROWS])
    say(f'{len(images)} images of {FAMILIES} families')


def _forget(database, owner):
    """Delete the records, also those of a run that was killed."""
    mine = 'SELECT id FROM images WHERE owner = %s AND name LIKE %s'
    pattern = f'{onebox.NAME}%'
    with database.cursor() as cursor:
        for table in ('image_locations', 'image_tags', 'image_properties'):
            cursor.execute(
                # The names are those above.
                f'DELETE FROM {table} WHERE image_id IN ({mine})',  # noqa: S608
                (owner, pattern),
            )
        cursor.execute(
            'DELETE FROM images WHERE owner = %s AND name LIKE %s',
            (owner, pattern),
        )
