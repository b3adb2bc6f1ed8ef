# SPDX-License-Identifier: Apache-2.0

"""``nova-newos-status upgrade check``, whether a compute node is ready.

It reads nova.conf the way nova-compute does (``--config-file`` may name
others), asks the libvirt that Nova would use and changes nothing.
"""

import contextlib
import importlib.metadata
import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck
from oslo_utils import importutils
from packaging import requirements
from packaging import specifiers

from nova_newos import checks
from nova_newos import conf as newos_conf
from nova_newos import exception
from nova_newos import media
from nova_newos.golden import appliance
from nova_newos.golden import exception as golden_exception
from nova_newos.golden import sealers
from nova_newos.golden import signing_keys
from nova_newos.media import virtio

COMPUTE_DRIVER = 'newos.NewosLibvirtDriver'

#: Releases of Nova whose hard reboot, which each start is, undefines a domain
#: together with its NVRAM.
FORGETFUL_NOVA = ('>=31,<31.3', '>=32,<32.2')

#: As libvirt counts: major * 1000000 + minor * 1000 + release.
MIN_LIBVIRT = 9_000_000
MIN_QEMU = 6_002_000

# The few options of Nova that are looked at, under Nova's names. Nova's own
# definitions would need Nova, whose absence is one of the findings.
_NOVA_OPTS = (cfg.StrOpt('compute_driver'),)
_NOVA_LIBVIRT_OPTS = (cfg.StrOpt('connection_uri', default=''),)


def supported_nova():
    """The releases of Nova that this distribution declares.

    :returns: a packaging.specifiers.SpecifierSet
    """
    for line in importlib.metadata.requires('nova-newos'):
        requirement = requirements.Requirement(line)
        if requirement.name == 'nova':
            return requirement.specifier
    raise LookupError('nova-newos does not say which Nova it needs')


def _readable_version(number):
    return f'{number // 1000000}.{number // 1000 % 1000}.{number % 1000}'


def _open_libvirt(uri):
    """A read-only connection to libvirt.

    :raises: ImportError, libvirt.libvirtError
    """
    import libvirt

    # libvirt would also print every error.
    libvirt.registerErrorHandler(lambda *unused: None, None)
    return libvirt.openReadOnly(uri)


class Checks(upgradecheck.UpgradeCommands):
    """The checks, over a configuration that ``main`` reads."""

    def __init__(self, conf):
        super().__init__()
        self.conf = conf

    def _check_nova_release(self):
        try:
            found = importlib.metadata.version('nova')
        except importlib.metadata.PackageNotFoundError:
            return checks.failure(
                f'Nova is not installed in {sys.prefix}. Install nova-newos '
                'into the environment that nova-compute runs from.'
            )
        supported = supported_nova()
        if not supported.contains(found, prereleases=True):
            return checks.failure(
                f'Nova {found} is not supported; use a Nova '
                f'{supported}, or another nova-newos.'
            )
        if any(
            specifiers.SpecifierSet(forgetful).contains(found)
            for forgetful in FORGETFUL_NOVA
        ):
            return checks.warning(
                f'Nova {found} throws the UEFI variables of a server away '
                'when it is stopped: only what boots from the fallback path '
                'starts again. Use a later point release.'
            )
        return checks.success(f'Nova {found}')

    def _check_driver_importable(self):
        try:
            importutils.import_class(f'nova.virt.{COMPUTE_DRIVER}')
        except ModuleNotFoundError as error:
            if error.name == 'nova.virt.newos':
                return checks.failure(
                    'The driver is not linked into Nova. Run '
                    'nova-newos-link-driver.'
                )
            return checks.failure(
                f'The driver needs a missing module: {error}. '
                "Install 'nova-newos[compute]'."
            )
        except Exception as error:
            # Whatever it is, nova-compute would die of it.
            return checks.failure(
                'The driver cannot be imported: '
                f'{type(error).__name__}: {error}'
            )
        return checks.success()

    def _check_driver_configured(self):
        configured = self.conf.compute_driver
        if configured != COMPUTE_DRIVER:
            return checks.warning(
                f'[DEFAULT] compute_driver is {configured or "not set"}. Set '
                f'it to {COMPUTE_DRIVER} and restart nova-compute, or name '
                'the right file with --config-file before the command.'
            )
        return checks.success()

    def _check_options(self):
        """All options of [newos] have values of their types."""
        try:
            for name in self.conf.newos:
                self.conf.newos[name]
        except ValueError as error:
            return checks.failure(f'[newos] cannot be read: {error}')
        return checks.success()

    def _check_virtio_image_id(self):
        value = self.conf.newos.virtio_image_id
        if not value:
            return checks.success('none is configured')
        try:
            image_id = virtio.image_id(value, virtio.OPTION)
        except exception.ImageIdInvalid as error:
            return checks.failure(str(error))
        return checks.success(image_id or 'switched off')

    def _check_media(self):
        try:
            media.Media(self.conf)
        except exception.MediumLoadError as error:
            return checks.failure(str(error))
        return checks.success(', '.join(self.conf.newos.media) or 'none')

    def _check_sealers(self):
        try:
            found = sealers.Sealers(self.conf)
        except exception.NewosError as error:
            return checks.failure(str(error))
        missing = appliance.missing_tools()
        if found.enabled and missing and self.conf.newos.seal != 'never':
            is_required = self.conf.newos.seal == 'require'
            return (checks.failure if is_required else checks.warning)(
                'Golden images cannot be sealed: '
                + ', '.join(f'{t} (package {p})' for t, p in missing.items())
                + ' is not installed.'
            )
        return checks.success(', '.join(self.conf.newos.sealers) or 'none')

    def _check_signing_key(self):
        path = self.conf.newos.signing_key
        if not path:
            return checks.success('none, images are not signed')
        try:
            key = signing_keys.load_private(path)
        except golden_exception.SigningKeyUnusable as error:
            return checks.failure(str(error))
        return checks.success(signing_keys.key_id(key.public_key()))

    def _check_libvirt(self):
        uri = self.conf.libvirt.connection_uri or 'qemu:///system'
        try:
            connection = _open_libvirt(uri)
        except ImportError as error:
            return checks.failure(
                f'libvirt cannot be asked for its version: '
                f"{error}. Install 'nova-newos[compute]'."
            )
        except Exception as error:
            return checks.warning(
                f'libvirt does not answer at {uri}, so its '
                f"version and QEMU's are unknown: {error}"
            )
        with contextlib.closing(connection):
            return self._check_hypervisor(connection)

    @staticmethod
    def _check_hypervisor(connection):
        """:param connection: a libvirt.virConnect"""
        hypervisor = connection.getType()
        if hypervisor != 'QEMU':
            return checks.failure(
                f'libvirt drives {hypervisor}, not QEMU. Correct '
                '[libvirt] connection_uri.'
            )
        versions = (
            ('libvirt', connection.getLibVersion(), MIN_LIBVIRT),
            ('QEMU', connection.getVersion(), MIN_QEMU),
        )
        old = [
            f'{name} {_readable_version(found)} is too old, '
            f'{_readable_version(least)} is needed.'
            for name, found, least in versions
            if found < least
        ]
        if old:
            return checks.failure(' '.join(old))
        return checks.success(
            ', '.join(
                f'{name} {_readable_version(found)}'
                for name, found, _least in versions
            )
        )

    _upgrade_checks = (
        ('Nova release', _check_nova_release),
        ('Driver importable', _check_driver_importable),
        ('Driver configured', _check_driver_configured),
        ('Options of [newos]', _check_options),
        ('Driver ISO', _check_virtio_image_id),
        ('Media plug-ins', _check_media),
        ('Sealers', _check_sealers),
        ('Signing key', _check_signing_key),
        ('libvirt and QEMU', _check_libvirt),
    )


def configuration():
    """The options that are looked at, not read from anywhere yet."""
    conf = cfg.ConfigOpts()
    newos_conf.register_opts(conf)
    conf.register_opts(_NOVA_OPTS)
    conf.register_opts(_NOVA_LIBVIRT_OPTS, group='libvirt')
    return conf


def main(argv=None):
    """Run the checks; see :func:`nova_newos.checks.run`."""
    return checks.run('nova', Checks(configuration()), argv)
