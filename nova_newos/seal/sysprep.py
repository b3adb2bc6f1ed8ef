# SPDX-License-Identifier: Apache-2.0
"""The sealer ``sysprep``: nothing is left that identifies one host."""

import functools
import shutil

from oslo_concurrency import processutils
from oslo_config import cfg
from oslo_log import log as logging

from nova_newos import exception
from nova_newos.seal import base
from nova_newos.seal import look
from nova_newos.seal import text

LOG = logging.getLogger(__name__)

_TOOL = 'virt-sysprep'

# Nothing without arguments. And customize is done after machine-id, and fills
# in a machine-id that is empty: all servers would have the same.
_REFUSED = frozenset(('customize', 'script'))

# What has to be known of the guest.
_PATTERNS = {
    'other_etc': look.OTHER_ETC,
    'machine_id': ['/etc/machine-id'],
    'hostname': ['/etc/hostname'],
    'sshd': ['/usr/sbin/sshd'],
    'systemd': ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'],
    # Those make host keys when there are none: cloud-init, the units of
    # Fedora, Red Hat and Arch, the script of SUSE, the init script of Alpine.
    'key_makers': [
        '/usr/bin/cloud-init',
        '/usr/lib/systemd/system/sshd-keygen*',
        '/usr/lib/systemd/system/sshdgenkeys.service',
        '/usr/sbin/sshd-gen-keys-start',
        '/etc/init.d/sshd',
    ],
}

_UNIT = 'newos-host-keys.service'
_UNIT_DIRECTORY = '/etc/systemd/system'
_UNIT_TEXT = """\
[Unit]
Description=Make the SSH host keys that this image came without
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key
Before=ssh.service sshd.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
"""


class SysprepSealer(base.Sealer):
    """Runs virt-sysprep with ``[newos] sysprep_operations``."""

    name = 'sysprep'

    def __init__(self, conf):
        """Check the names of the operations against the installed tool.

        A host without the tool makes images too, as long as nobody asks for
        a sealed one.

        Distributions differ in their operations: those of the default that
        there are not here are not done.

        :raises SysprepOperationUnknown: for a name of the operator's that
            cannot be used
        """
        super().__init__(conf)
        wanted = conf.newos.sysprep_operations
        unusable = set(wanted) & _REFUSED
        # Nobody named those of the default, and nothing is run for them yet.
        if not _is_default(conf):
            unusable |= _unknown(wanted)
        if unusable:
            raise exception.SysprepOperationUnknown(
                names=', '.join(sorted(unusable))
            )

    @functools.cached_property
    def _operations(self):
        wanted = self.conf.newos.sysprep_operations
        unknown = _unknown(wanted)
        if unknown:
            LOG.info(
                '%s of this host does not have: %s',
                _TOOL,
                ', '.join(sorted(unknown)),
            )
        return [name for name in wanted if name not in unknown]

    def seal(self, disk, appliance):
        """See :meth:`nova_newos.seal.base.Sealer.seal`.

        :returns: report. For Windows nothing is done: that has its own
            Sysprep, which has to be run in the guest, before.
        :raises WindowsNotGeneralized: when it was not
        """
        found = look.look(disk, appliance, _PATTERNS)
        systems = found['systems']
        if not systems:
            raise _failure('no operating system found on the disk')
        if len(systems) > 1:
            raise _failure('more than one operating system on the disk')
        if systems[0]['type'] == 'windows':
            _check_generalized(found['image_state'])
            return "generalized by Windows' own Sysprep"
        _check_known(found)
        extra = self._customizations(found['paths'])
        operations = self._operations + (['customize'] if extra else [])
        appliance.run(
            disk,
            _TOOL,
            '--no-network',
            '--format',
            disk.format,
            '-a',
            disk.path,
            '--operations',
            ','.join(operations),
            *extra,
        )
        made = ', host keys made by a unit' if '--write' in extra else ''
        return f'{len(self._operations)} operations{made}'

    def _customizations(self, paths):
        """Arguments for the operation customize, in the order they act."""
        extra = []
        if 'ssh-hostkeys' in self._operations and _needs_unit(paths):
            extra += _add_unit()
        if 'net-hostname' in self._operations and paths.get('hostname'):
            # As hostname(5) has it: then DHCP may name the server.
            extra += ['--truncate', '/etc/hostname']
        if extra:
            extra += self._keep_machine_id_empty(paths['machine_id'])
            # What is emptied keeps its label, and guests with SELinux get no
            # unit. Newer tools would else relabel at the first boot.
            extra.insert(0, '--no-selinux-relabel')
        return extra

    def _keep_machine_id_empty(self, sizes):
        """What undoes the work of customize, see _REFUSED."""
        if 'machine-id' not in self._operations:
            sizes = {path: size for path, size in sizes.items() if not size}
        return [word for path in sizes for word in ('--truncate', path)]


def _check_generalized(state):
    if state != look.GENERALIZED:
        raise exception.WindowsNotGeneralized(
            state=text.clean(state or 'state unknown', 45)
        )


def _check_known(found):
    """Refuse a guest of which something might be left unseen.

    :raises SealFailed: then nothing has been changed
    """
    unknown = [name for name, sizes in found['paths'].items() if sizes is None]
    if unknown and found['missing']:
        points = text.clean(', '.join(found['missing']), 40)
        raise _failure(f'{points} of the guest cannot be mounted')
    if unknown:
        raise _failure(f'cannot be looked for: {", ".join(unknown)}')
    if found['paths']['other_etc']:
        raise _failure('its /etc is an overlay or a deployment')


def _failure(reason):
    return exception.SealFailed(tool=_TOOL, reason=reason)


def _is_default(conf):
    location = conf.get_location('sysprep_operations', 'newos').location
    return location is cfg.Locations.opt_default


def _unknown(operations):
    """Those that virt-sysprep of this host does not have, if it is there."""
    if not shutil.which(_TOOL):
        return set()
    return set(operations) - _known_operations()


def _known_operations():
    output, _errors = processutils.execute(_TOOL, '--list-operations')
    return {line.split()[0] for line in output.splitlines() if line.strip()}


def _needs_unit(paths):
    """Whether sshd would be left without keys, and so not start.

    Debian and Ubuntu make them when the package is installed, never again.
    """
    return bool(
        paths.get('sshd') and paths['systemd'] and not paths['key_makers']
    )


def _add_unit():
    path = f'{_UNIT_DIRECTORY}/{_UNIT}'
    wants = f'{_UNIT_DIRECTORY}/multi-user.target.wants'
    return [
        '--mkdir',
        wants,
        '--write',
        f'{path}:{_UNIT_TEXT}',
        '--link',
        f'{path}:{wants}/{_UNIT}',
    ]
