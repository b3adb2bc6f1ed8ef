# SPDX-License-Identifier: Apache-2.0
"""Tempest with Nova's driver and with ours: python -m tests.tempest."""

import argparse
import contextlib
import os
import pathlib
import shutil
import string
import subprocess
import sys

import openstack

from benchmarks import guest
from devstack.onebox import client
from tests.upstream import outcomes

HERE = pathlib.Path(__file__).parent
COMMANDS = pathlib.Path(sys.executable).parent
DRIVERS = {'stock': client.STOCK, 'ours': client.OURS}
ADMIN_CLOUD = 'onebox-admin'
# Begins the name of all that Tempest makes, and so of all that is made here.
PREFIX = 'tempest-'
# Resizing makes the disk grow from 1 to 4 GiB.
FLAVORS = {'flavor': 'm1.nano', 'flavor_alt': 'm1.small'}
# Two tests at a time: most of what they do is wait.
WORKERS = '2'


def use(driver, console='false'):
    """Have the box's nova-compute use a driver.

    With serial consoles, Nova starts a server that leaves rescue with the
    port it had before, which another server may have got in the meantime.
    """
    box = client.Box.from_environment()
    box.use(DRIVERS[driver], **{'serial_console.enabled': console})


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


def configure(cloud, made, directory):
    """Write tempest.conf into a directory.

    :param made: what images() gave
    """
    found = {flavor.name: flavor.id for flavor in cloud.compute.flavors()}
    text = string.Template((HERE / 'tempest.conf').read_text()).substitute(
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


def run(driver, directory, tests=()):
    """Run tests with a driver; returns their outcomes.

    :param directory: with tempest.conf
    :param tests: ids; the selection when there is none
    """
    use(driver)
    place = directory / (driver + '-again' * bool(tests))
    place.mkdir()
    choice = [
        *('--include-list', HERE / 'selected.txt'),
        *('--exclude-list', HERE / 'left-out.txt'),
    ]
    if tests:
        listed = place / 'tests.list'
        listed.write_text(''.join('%s\n' % test for test in sorted(tests)))
        choice = ['--load-list', listed]
    subprocess.run(
        [
            COMMANDS / 'tempest',
            'run',
            *('--config-file', directory / 'tempest.conf'),
            *('--concurrency', WORKERS, *choice),
        ],
        cwd=place,
        # Its exit status says no more than the outcomes do.
        check=False,
    )
    found = outcomes.read(COMMANDS, place)
    if not outcomes.count(found):
        sys.exit('tests.tempest: no test passed with %s' % driver)
    return found


def compare(directory):
    """Run the selection with both drivers, and doubtful tests again.

    :returns: outcomes with stock, with ours, and ids of what did worse with
        ours both times
    """
    stock, ours = run('stock', directory), run('ours', directory)
    doubtful = outcomes.worse(stock, ours)
    # When the fixture of a class fails, all tests of the class run again.
    classes = tuple(
        '%s.' % name.partition('(')[2].rstrip(')')
        for name in doubtful
        if '(' in name
    )
    tests = {
        name
        for name in stock | ours
        if '(' not in name
        and (name in doubtful or (classes and name.startswith(classes)))
    }
    if not tests:
        return stock, ours, doubtful
    again = run('ours', directory, tests)
    return stock, ours, outcomes.worse(run('stock', directory, tests), again)


def main():
    parser = argparse.ArgumentParser(prog='python -m tests.tempest')
    parser.add_argument('--junitxml', type=pathlib.Path)
    options = parser.parse_args()
    directory = pathlib.Path(os.environ['ONEBOX_STATE'], 'tempest')
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    with openstack.connect(cloud=ADMIN_CLOUD) as cloud:
        clean(cloud)
        with images(cloud) as made:
            configure(cloud, made, directory)
            try:
                stock, ours, worse = compare(directory)
            finally:
                use('ours', console='')
    for name in sorted(stock | ours):
        pair = [f.get(name, outcomes.MISSING) for f in (stock, ours)]
        print('%-8s %-8s %s' % (*pair, name))
    for name in sorted(worse):
        print('DIFFERENCE, twice: %s' % name)
    print(
        '%d passed with stock, %d with ours, %d differences'
        % (outcomes.count(stock), outcomes.count(ours), len(worse))
    )
    if options.junitxml:
        failed = dict.fromkeys(worse, 'worse than with stock, twice')
        outcomes.write_junit(options.junitxml, 'tempest', ours, failed)
    return int(bool(worse))


if __name__ == '__main__':
    sys.exit(main())
