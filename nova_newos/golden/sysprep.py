# SPDX-License-Identifier: Apache-2.0
"""The sealer ``sysprep``: nothing is left that identifies one host."""

import dataclasses
import functools
import shutil

from oslo_concurrency import processutils
from oslo_config import cfg
from oslo_log import log as logging

from nova_newos.golden import base
from nova_newos.golden import exception
from nova_newos.golden import inspection
from nova_newos.golden import verdict

LOG = logging.getLogger(__name__)

_TOOL = 'virt-sysprep'

# Nothing without arguments. And customize is done after machine-id, and fills
# in a machine-id that is empty: all servers would have the same. What it could
# do for us is done in the last boot.
_REFUSED = frozenset(('customize', 'script'))

# The one operation of the default that does not ask which system it works on.
# Windows is to stay as it is, so it is done in the last boot.
_MAIL_SPOOL = 'mail-spool'
_MAIL_DIRECTORIES = ('/var/spool/mail/*', '/var/mail/*')

# Who has one begins with the same random numbers as all from the same image:
# that of systemd, and of what came before it.
_RANDOM_SEEDS = (
    '/var/lib/systemd/random-seed',
    '/var/lib/random-seed',
    '/var/lib/urandom/random-seed',
)

# What has to be known of the guest.
_PATTERNS = {
    'other_etc': inspection.OTHER_ETC,
    'hostname': ['/etc/hostname'],
    'sshd': ['/usr/sbin/sshd'],
    'systemd': ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'],
    # Where virt-sysprep removes most: it has to be seen that it could.
    'cleaned': [
        '/var/log/wtmp',
        '/root/.bash_history',
        '/home/*/.bash_history',
    ],
    # Those make host keys when there are none: the units of Fedora, Red Hat
    # and Arch, the script of SUSE, the init script of Alpine. cloud-init may
    # not: what installed the system may have switched it off, or have left it
    # with the id of an instance that it has made keys for.
    'key_makers': [
        # Not sshd-keygen.service: Debian's makes them at a first boot only,
        # which to systemd one with an empty machine-id is not.
        '/usr/lib/systemd/system/sshd-keygen@.service',
        '/usr/lib/systemd/system/sshd-keygen.target',
        '/usr/sbin/sshd-keygen',
        '/usr/lib/systemd/system/sshdgenkeys.service',
        '/usr/sbin/sshd-gen-keys-start',
        '/etc/init.d/sshd',
    ],
    # Those of Fedora and Red Hat may have conditions besides, in drop-ins:
    # cloud-init's has them make no keys wherever cloud-init is going to run,
    # whether that makes some or not, as above.
    'key_makers_held_back': [
        f'{directory}/sshd-keygen@.service.d/*.conf'
        for directory in ('/usr/lib/systemd/system', '/etc/systemd/system')
    ],
}

_UNIT = 'newos-host-keys.service'
_UNIT_DIRECTORY = '/etc/systemd/system'
_UNIT_TEXT = """\
[Unit]
Description=Make the SSH host keys that this image came without
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key
After=cloud-init.service cloud-init-network.service
After=sshd-keygen.service sshd-keygen.target
Before=ssh.service sshd.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
"""
# Debian and Ubuntu make host keys when the package is installed, never again:
# sshd would be left without, and so not start.
_UNIT_EDIT = base.Edit(
    f'{_UNIT_DIRECTORY}/{_UNIT}',
    _UNIT_TEXT,
    link=f'{_UNIT_DIRECTORY}/multi-user.target.wants/{_UNIT}',
    if_found=['sshd', 'systemd'],
    unless_found=['key_makers'],
)
# It is after cloud-init, and makes keys if there are none by then.
_UNIT_EDIT_BESIDE = dataclasses.replace(
    _UNIT_EDIT,
    if_found=['sshd', 'systemd', 'key_makers', 'key_makers_held_back'],
    unless_found=[],
)


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
        """See :meth:`nova_newos.golden.base.Sealer.seal`.

        virt-sysprep comes first, whatever is on the disk: to know that before
        would take one boot more. It works on a copy, which is thrown away if
        the last boot finds what must be refused. Of the operations only those
        that an operator adds to the default do anything to Windows.

        :returns: what is left for the last boot, and for it to refuse: a guest
            of which something may be left, and a Windows that was not
            generalized
        """
        last_boot = base.LastBoot(
            report=self._report, patterns=_PATTERNS, edits=self._edits()
        )
        operations = [n for n in self._operations if n != _MAIL_SPOOL]
        if operations:
            try:
                self._run(disk, appliance, operations)
            except exception.SealTimedOut:
                raise
            except exception.SealFailed as error:
                self._explain(disk, appliance, last_boot, error)
        return last_boot

    def _run(self, disk, appliance, operations):
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
        )

    def _explain(self, disk, appliance, last_boot, error):
        """Say why a disk cannot be sealed better than the tool that failed.

        :raises NewosError: unless it is a Windows, which needs no virt-sysprep
        """
        try:
            found = inspection.inspect(
                disk, appliance, {}, {self.name: last_boot}
            )
        except exception.SealFailed:
            raise error from None
        findings = found.asked[self.name]
        self._report(findings)
        if not _is_windows(findings):
            raise error

    def _edits(self):
        """What virt-sysprep does not do, or only with its customize."""
        edits = [base.Edit(path, None) for path in _RANDOM_SEEDS]
        if _MAIL_SPOOL in self.conf.newos.sysprep_operations:
            edits += [base.Edit(path, None) for path in _MAIL_DIRECTORIES]
        if 'ssh-hostkeys' in self._operations:
            edits += [_UNIT_EDIT, _UNIT_EDIT_BESIDE]
        if 'net-hostname' in self._operations:
            # As hostname(5) has it: then DHCP may name the server.
            edits.append(base.Edit('/etc/hostname', '', if_found=['hostname']))
        return edits

    def _report(self, found):
        """See :class:`nova_newos.golden.base.LastBoot`.

        :raises SealFailed: for a guest of which something may be left
        :raises WindowsNotGeneralized: that has its own Sysprep, which has to
            be run in the guest, before
        """
        systems = found['systems']
        if found.get('crowded'):
            raise _failure('more than 48 partitions and volumes on the disk')
        if not systems:
            raise _failure('no operating system found on the disk')
        if len(systems) > 1:
            raise _failure(
                'more than one operating system on the disk, or snapshots'
            )
        if _is_windows(found):
            _check_generalized(found['image_state'])
            return "generalized by Windows' own Sysprep"
        _check_known(found)
        is_made = _UNIT_EDIT.path in found['edited']
        made = ', host keys made by a unit' if is_made else ''
        return f'{len(self._operations)} operations{made}{_left(found)}'


def _left(found):
    """What snapshots of the guest's btrfs hold: they are not opened."""
    snapshots = found.get('snapshots', {})
    if None in snapshots.values():
        return ', in btrfs snapshots unknown'
    keys = snapshots.get('host_keys')
    is_identified = not verdict.is_no_machine_id(
        snapshots.get('machine_id', {})
    )
    held = [
        *(['host keys'] if keys else []),
        *(['machine-id'] if is_identified else []),
    ]
    return f', left in btrfs snapshots: {", ".join(held)}' if held else ''


def _is_windows(found):
    return found['systems'][0]['type'] == 'windows'


def _check_generalized(state):
    if state != inspection.GENERALIZED:
        raise exception.WindowsNotGeneralized(
            state=base.sanitize(state or 'state unknown', 45)
        )


def _check_known(found):
    """Refuse a guest of which something might be left unseen.

    :raises SealFailed: then the copy is thrown away
    """
    unknown = [name for name, sizes in found['paths'].items() if sizes is None]
    if unknown and found['missing']:
        raise _not_mounted(found['missing'])
    if unknown:
        raise _failure(f'cannot be looked for: {", ".join(unknown)}')
    if found['paths']['other_etc']:
        raise _failure('its /etc is an overlay or a deployment')


def _not_mounted(missing):
    """Name one of those that hide most, and who is to repair what."""
    each = min(missing, key=lambda each: (len(each['hides']), each['point']))
    error = (
        exception.GuestFileSystemUnsupported
        if each['host']
        else exception.GuestFileSystemBroken
    )
    return error(
        point=base.sanitize(each['point'], 20),
        device=base.sanitize(each['device'] or 'device unknown', 20),
        reason=_last_words(each['reason']),
    )


def _last_words(reason):
    """What mount(8) said, which libguestfs puts its own before."""
    words = base.sanitize(reason, 500).rpartition('/sysroot')[2]
    return words.partition(': ')[2] or words


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
