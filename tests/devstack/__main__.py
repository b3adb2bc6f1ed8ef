# SPDX-License-Identifier: Apache-2.0
"""A real DevStack with our plug-in, in a container.

From stack.sh to clean.sh, see README.rst.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import string
import subprocess
import sys
import time
from xml.etree import ElementTree

from devstack.onebox import client

HERE = pathlib.Path(__file__).parent
TOP = HERE.parents[1]
#: The newest branch of DevStack whose Nova we support.
BRANCH = 'stable/2026.1'
#: A folder with openstack/NAME and novnc/novnc.git, in the place of these.
MIRROR = 'NEWOS_DEVSTACK_MIRROR'
UPSTREAM = {
    'git': 'https://opendev.org',
    'novnc': 'https://github.com/novnc/novnc.git',
}
#: How stack.sh traces that it runs a phase of the plug-in.
PHASES = ('pre-install', 'install', 'post-config', 'extra', 'test-config')
TEMPEST = (
    'cd /opt/stack/tempest && .tox/tempest/bin/tempest run --concurrency 2 '
    "--regex '^nova_newos'"
)
IMPORT_CONF = '/etc/glance/glance-image-import.conf'
PASTE_INI = '/etc/glance/glance-api-paste.ini'


class Failed(Exception):
    """A step did not do what it has to."""


class Container:
    """The container, by its command.

    :param state: its directory
    """

    def __init__(self, state):
        self.state = state

    def __call__(self, verb, *arguments, check=True):
        """Run ``container VERB``; returns what it said.

        :raises Failed: when it does not succeed
        """
        process = subprocess.run(
            [HERE / 'container', verb, self.state, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and process.returncode:
            raise Failed(f'{verb} {arguments}:\n{process.stdout[-6000:]}')
        return process.stdout

    def stack(self, command, **options):
        return self('stack', command, **options)

    def path(self, path):
        """Where the machine has a file of the container's."""
        return self.state / 'root' / path.lstrip('/')


def provide(state):
    """What the container is given; returns options of systemd-nspawn.

    What is tested is the commit of this clone, without what is not committed.
    """
    plugin, media = state / 'plugin.git', state / 'media'
    # A container that runs has these very directories.
    for directory in (plugin, media):
        directory.mkdir(parents=True, exist_ok=True)
    git = ['git', '-c', f'safe.directory={TOP}', '-C', TOP]
    commands = [
        ['git', 'init', '-q', '--bare', plugin],
        [*git, 'push', '-qf', plugin, 'HEAD:refs/heads/tested'],
        'qemu-img create -q -f qcow2'.split() + [media / 'blank.qcow2', '64M'],
    ]
    for command in commands:
        subprocess.run(command, check=True)
    shutil.copy(client.medium('probe'), media / 'probe.iso')
    binds = {plugin: 'plugin', media: 'media'}
    if MIRROR in os.environ:
        binds[pathlib.Path(os.environ[MIRROR]).resolve()] = 'git'
    return [f'--bind-ro={path}:/srv/{name}' for path, name in binds.items()]


def sources():
    """Where DevStack clones from, as its local.conf wants it."""
    if MIRROR not in os.environ:
        return UPSTREAM
    return {'git': '/srv/git', 'novnc': '/srv/git/novnc/novnc.git'}


def configure(container):
    """Clone DevStack and write its ``local.conf``."""
    found = sources()
    # Of an earlier commit, perhaps: stack.sh would keep it.
    container.stack('rm -rf nova-newos')
    container.stack(
        'test -d devstack || '
        f'git clone -q -b {BRANCH} {found["git"]}/openstack/devstack devstack'
    )
    template = string.Template((HERE / 'local.conf').read_text())
    text = template.substitute(found, branch=BRANCH)
    container.path('/opt/stack/devstack/local.conf').write_text(text)


def stack(container):
    """stack.sh, to the end of its last phase."""
    run_script(container, 'stack')


def check_phases(container):
    """stack.sh has run each phase of the plug-in."""
    out = container.path('/opt/stack/stack.out').read_text(errors='replace')
    for phase in PHASES:
        if f'nova-newos/devstack/plugin.sh stack {phase}' not in out:
            raise Failed(f'no trace of the phase {phase} in stack.out')


def check_cloud(container):
    """What the plug-in is for is there."""
    expect(container, f'cat {IMPORT_CONF}', 'image_import_plugins = [newos_')
    expect(container, f'cat {PASTE_INI}', ' newos_iso rootapp')
    admin = 'OS_CLOUD=devstack-admin openstack'
    expect(container, f'{admin} hypervisor list -f value', 'QEMU')
    # Of etc/glance/metadefs.
    expect(
        container,
        f'{admin} image metadef namespace list -f value',
        'NovaNewos::InstallISO',
    )
    expect(
        container,
        'sudo journalctl -o cat -u devstack@n-cpu | grep -a "compute driver"',
        'newos.NewosLibvirtDriver',
    )


def tempest(container):
    """Our tests of Tempest, which install, capture and boot."""
    said = container.stack(TEMPEST)
    print(said)
    if ' - Passed: 0' in said:
        raise Failed('no test has passed')


def unstack(container):
    """unstack.sh, after which nothing of the plug-in is in use."""
    run_script(container, 'unstack')
    check_gone(container)


def clean(container):
    """clean.sh, which runs unstack.sh once more."""
    run_script(container, 'clean')
    check_gone(container)


def run_script(container, name):
    """Run one of DevStack's scripts; what it says is in ``NAME.out``."""
    out = f'/opt/stack/{name}.out'
    container.stack(
        f'cd devstack && ./{name}.sh > {out} 2>&1 || '
        f'{{ tail -n 60 {out}; false; }}'
    )


def check_gone(container):
    links = container.stack(
        'find /opt/stack/nova/nova/virt -name "newos*" | sort'
    )
    units = container.stack(
        'systemctl list-units --no-legend --state=running "devstack@*"'
    )
    ours = container.stack(
        f'sudo grep -l newos_ {IMPORT_CONF} {PASTE_INI} 2>/dev/null || true'
    )
    if links + units + ours:
        raise Failed(f'left behind:\n{links}{units}{ours}')


def expect(container, command, words):
    """Words in what a command says."""
    said = container.stack(command)
    if words not in said:
        raise Failed(f'{command}: no {words!r} in\n{said}')


STEPS = {
    'configure': configure,
    'stack': stack,
    'phases': check_phases,
    'cloud': check_cloud,
    'tempest': tempest,
    'unstack': unstack,
    'restack': stack,
    'cloud-again': check_cloud,
    'clean': clean,
}


def run(container, names):
    """Run steps up to the first that fails; returns a junit ``testsuite``."""
    suite = ElementTree.Element('testsuite', name='devstack')
    for name in names:
        print(f'==> {name}', flush=True)
        case = ElementTree.SubElement(
            suite, 'testcase', classname='devstack', name=name
        )
        began = time.monotonic()
        try:
            STEPS[name](container)
        except Failed as failure:
            ElementTree.SubElement(
                case, 'failure', message=f'step {name}'
            ).text = str(failure)
        seconds = f'{time.monotonic() - began:.0f}'
        case.set('time', seconds)
        print(f'    {name}: {seconds} s', flush=True)
        if len(case):
            print(case[0].text)
            break
    return suite


def arguments():
    parser = argparse.ArgumentParser(
        prog='python -m tests.devstack', description=__doc__
    )
    add = parser.add_argument
    add(
        '--state',
        type=pathlib.Path,
        default=pathlib.Path('/var/cache/nova-newos-devstack'),
        metavar='DIR',
        help='of the container and of what it downloads (default: '
        '%(default)s)',
    )
    add(
        '--keep',
        action='store_true',
        help='leave the container running, and what is in it',
    )
    add('--junitxml', type=pathlib.Path, metavar='FILE')
    add(
        'steps',
        nargs='*',
        metavar='STEP',
        help=f'{", ".join(STEPS)} (default: all)',
    )
    options = parser.parse_args()
    unknown = {*options.steps} - {*STEPS}
    if unknown:
        parser.error(f'no such step: {", ".join(unknown)}')
    if os.geteuid() != 0:
        parser.error('this starts a container: run it as root')
    options.steps = options.steps or [*STEPS]
    return options


def main():
    options = arguments()
    container = Container(options.state)
    with contextlib.ExitStack() as at_end:
        if not options.keep:
            at_end.callback(container, 'reset')
        print('==> container', flush=True)
        container('up', *provide(options.state))
        suite = run(container, options.steps)
    failed = suite.findall('testcase/failure')
    suite.set('tests', str(len(suite)))
    suite.set('failures', str(len(failed)))
    if options.junitxml:
        root = ElementTree.Element('testsuites')
        root.append(suite)
        ElementTree.ElementTree(root).write(options.junitxml, 'utf-8')
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(main())
