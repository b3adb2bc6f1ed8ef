# SPDX-License-Identifier: Apache-2.0
"""What Tempest finds on the one box, and how it is told."""

import contextlib
import os
import pathlib
import shutil
import string

import openstack

from benchmarks import guest

HERE = pathlib.Path(__file__).parent
ADMIN_CLOUD = 'onebox-admin'
# Begins the name of all that Tempest makes, and so of all that is made here.
PREFIX = 'tempest-'
# Resizing makes the disk grow from 1 to 4 GiB.
FLAVORS = {
    'flavor': 'm1.nano',
    'flavor_alt': 'm1.small',
    'flavor_large': 'm1.medium',
}


@contextlib.contextmanager
def prepared(name, more=''):
    """A fresh directory with ``tempest.conf``, for a cloud that is ready.

    :param name: of the directory in the box's state
    :param more: is added to the template of tempest.conf
    """
    directory = pathlib.Path(os.environ['ONEBOX_STATE'], name)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    with openstack.connect(cloud=ADMIN_CLOUD) as cloud:
        clean(cloud)
        with images(cloud) as made:
            configure(cloud, made, directory, more)
            yield directory


def clean(cloud):
    """Delete what a killed run has left, Tempest's own things too."""
    for server in cloud.compute.servers(all_projects=True):
        if server.name.startswith(PREFIX):
            cloud.compute.delete_server(server, force=True)
            cloud.compute.wait_for_delete(server)
    for things, delete in (
        (cloud.image.images(), cloud.image.delete_image),
        (cloud.identity.users(), cloud.identity.delete_user),
        (cloud.identity.projects(), cloud.identity.delete_project),
    ):
        for thing in things:
            if (thing.name or '').startswith(PREFIX):
                delete(thing)


@contextlib.contextmanager
def images(cloud):
    """Ids of two images that are there meanwhile, by option of the template.

    Their guest is that of benchmarks.guest.
    """
    made = {}
    try:
        with guest.image() as path:
            for name in ('image', 'image_alt'):
                made[name] = cloud.create_image(
                    PREFIX + name,
                    filename=str(path),
                    disk_format='qcow2',
                    container_format='bare',
                    visibility='public',
                ).id
        yield made
    finally:
        for image in made.values():
            cloud.image.delete_image(image)


def configure(cloud, made, directory, more=''):
    """Write tempest.conf into a directory.

    :param made: what images() gave
    :param more: is added to its template
    """
    found = {flavor.name: flavor.id for flavor in cloud.compute.flavors()}
    template = (HERE / 'tempest.conf').read_text() + more
    text = string.Template(template).substitute(
        cloud.config.auth,
        region=cloud.config.get_region_name('identity'),
        directory=directory,
        **{option: found[name] for option, name in FLAVORS.items()},
        **made,
    )
    path = directory / 'tempest.conf'
    # It has the administrator's password.
    path.touch(mode=0o600)
    path.write_text(text)
