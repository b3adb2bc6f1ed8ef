# SPDX-License-Identifier: Apache-2.0
"""How the image of an install server's root disk is made.

Nova's ``LibvirtDriver.snapshot`` finds the disk, copies it and uploads the
copy. Ours go around it and into it, in this order:

1. The *record* of the image in Glance is made right: a stranger can boot it.
2. A disk whose guest runs is *copied*, by Nova.
3. If that is asked for, an overlay of the disk is *sealed*, and what is on it
   is *inspected*, by :mod:`nova_newos.golden`; Glance is told what came out.
4. The disk, or that overlay, is *converted* to the image, compressed.
5. Nova uploads the image, with its *metadata*: where it comes from. If the
   host has a key, it is *signed* before.
"""

import contextlib
import contextvars
import datetime
import functools
import importlib.metadata
import os
import time

from nova import exception as nova_exception
from nova import utils
from nova import version
from nova.compute import task_states
from nova.compute import utils as compute_utils
import nova.conf
import nova.privsep.utils
from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import lockutils
from oslo_concurrency import processutils
from oslo_utils import units

from nova_newos import exception
from nova_newos import layout
from nova_newos.golden import base as golden_base
from nova_newos.golden import finishing
from nova_newos.golden import leftovers
from nova_newos.golden import provenance
from nova_newos.golden import signature
from nova_newos.media import base
from nova_newos.virt import glance
from nova_newos.virt import prompt
from nova_newos.virt import qemu_img

CONF = nova.conf.CONF

#: Name of the event, among those of the compute manager.
EVENT = 'compute_capture_root_disk'

#: nova-api writes all of a server's system_metadata into the record of its
#: snapshot. These are about the installation, not the installed system:
#: base_image_ref would make the install ISO the default rescue image, and
#: what the stock client notes at an upload are the ISO's name and digests.
_DROPPED = (
    'base_image_ref',
    # The installer's, or what it was started with.
    'kernel_id',
    'ramdisk_id',
    'os_command_line',
    f'trait:{layout.TRAIT}',
)
_DROPPED_PREFIXES = (
    'newos_',
    'owner_specified.openstack.',
)

#: What an image says of itself. Of an image of a server that was made from it
#: that is not true.
_CLAIMS = (
    provenance.PREFIX,
    provenance.SEAL_PREFIX,
    provenance.VERDICT_PREFIX,
    # What a signature, a build and the registry say.
    'golden_answers',
    'golden_build_seconds',
    'golden_copied_from',
    'golden_family',
    'golden_published',
    'golden_recipe_digest',
    'golden_revoked',
    'golden_self',
    'golden_signature',
    'golden_statement_',
    # What Glance's plug-in says of an appliance.
    'newos_source',
)

# Bytes of a capture that are read at a time, to be signed: a few milliseconds.
_CHUNK = units.Mi

#: What was done to an ISO whose prompt is skipped.
_NO_PROMPT = 'its boot catalog has efisys_noprompt.bin for UEFI'

_under_way = contextvars.ContextVar('nova_newos_capture', default=None)


def under_way():
    """The :class:`Capture` that Nova's snapshot is making, or None."""
    return _under_way.get()


def is_under_way(_instance=None):
    """Whether Nova's snapshot is making a :class:`Capture`."""
    return under_way() is not None


@contextlib.contextmanager
def reported(context, instance):
    """Have a failure among the events of the user's request.

    From Nova 34 on the compute manager takes images in the background: to the
    user the image goes away, and the request is a success.
    """
    with contextlib.ExitStack() as stack:
        # Not each caller of the driver has a request to report to.
        with contextlib.suppress(nova_exception.InstanceActionNotFound):
            stack.enter_context(
                compute_utils.EventReporter(
                    context, EVENT, CONF.host, instance.uuid
                )
            )
        yield


def is_to_be_sealed(instance):
    """Whether the golden image of a server is to be sealed.

    :raises NewosError: see :func:`nova_newos.golden.finishing.is_to_be_sealed`
    """
    return finishing.is_to_be_sealed(
        instance.metadata,
        layout.image_properties(instance.system_metadata),
        CONF.newos.seal,
    )


def finish_of(instance, finisher):
    """What becomes of the copy of a server's disk before it is an image.

    Nothing for shelved servers: they are to come back as they were. So are
    backups, which are never sealed; but their owner can make servers of them
    as of any image, so what the operator refuses is refused.

    :param finisher: a :class:`nova_newos.golden.finishing.Finisher`
    :returns: None for nothing, else a function of a
        :class:`nova_newos.golden.base.Disk`, as ``Finisher.finish`` with the
        wishes of the user as they are now
    :raises NewosError: when it cannot be told what the user wants
    """
    if instance.task_state == task_states.IMAGE_SNAPSHOT:
        is_sealed = is_to_be_sealed(instance)
        keeps_answers = leftovers.are_to_be_kept(
            instance.metadata, CONF.newos.keep_answers
        )
    elif instance.task_state == task_states.IMAGE_BACKUP:
        is_sealed = keeps_answers = False
    else:
        return None
    if not (is_sealed or keeps_answers or CONF.newos.refuse):
        return None
    return functools.partial(
        finisher.finish, is_sealed=is_sealed, keeps_answers=keeps_answers
    )


class Record:
    """The record that nova-api has made of an image in Glance."""

    def __init__(self, context, image_api, image_id):
        """Nothing is asked yet.

        :param context: of the requester, whose token asks Glance
        :param image_api: a ``nova.image.glance.API``
        """
        self._update = functools.partial(image_api.update, context, image_id)
        self._get = functools.partial(image_api.get, context, image_id)

    def make_right(self, min_disk):
        """Drop what only concerns the installation.

        What is added later comes in requests of its own: of a value that
        leaves under one name and comes under another in the same one
        glanceclient makes a "move", which Glance refuses.

        :param min_disk: in GiB
        """
        properties = clean_properties(self._get()['properties'])
        # Nova has both minimums from the ISO, whose installer may need more
        # memory than what it has installed.
        self._update(
            {
                'min_disk': min_disk,
                'min_ram': 0,
                'properties': properties,
            },
            purge_props=True,
        )

    def drop_claims(self):
        """Drop what the image that the server was made from says of itself."""
        properties = {
            name: value
            for name, value in self._get()['properties'].items()
            if not name.startswith(_CLAIMS)
        }
        self._update({'properties': properties}, purge_props=True)

    def add(self, properties):
        """Add properties to those that there are."""
        self._update({'properties': properties})


def clean_properties(properties):
    """Properties of the golden image's record.

    :param properties: of the record as nova-api made it, str to str
    :returns: a new dict without what only concerns the installation
    """
    return {
        name: value
        for name, value in properties.items()
        if name not in _DROPPED
        and not name.startswith((*_DROPPED_PREFIXES, *_CLAIMS))
    }


def inherits_claims(instance):
    """Whether nova-api writes what a server's image claims to its snapshot."""
    try:
        # Nova also gives records of its database.
        properties = layout.image_properties(utils.instance_sys_meta(instance))
    except nova_exception.OrphanedObjectError:
        # Of a server that no database knows of nova-api writes nothing.
        return False
    return any(name.startswith(_CLAIMS) for name in properties)


def check_root(guest, root):
    """Make sure that Nova would capture the root disk and nothing else.

    ``libvirt.utils.find_disk`` takes the first disk, and libvirt sorts disks.

    :param guest: a ``nova.virt.libvirt.guest.Guest``
    :param root: name of the root disk's file
    :returns: ``(path, format)`` of the root disk
    :raises WrongSnapshotDisk: if another disk is first
    """
    path, disk_format = libvirt_utils.find_disk(guest)
    if os.path.basename(path) != root:
        raise exception.WrongSnapshotDisk(found=path, expected=root)
    return path, disk_format


def min_disk(path, disk_format):
    """Smallest flavor root disk that the image fits on.

    :param path: of the root disk
    :param disk_format: as libvirt has it
    :returns: virtual size in whole GiB, rounded up
    """
    return -(-qemu_img.virtual_size(path, disk_format) // units.Gi)


def origin(context, server, qemu):
    """Where the image of a server comes from.

    :param context: of the requester, whose token asks Glance
    :param server: a :class:`~nova_newos.virt.server.InstallServer`
    :param qemu: version as ``virConnectGetVersion`` has it, a number
    :returns: dict, see :func:`nova_newos.golden.provenance.properties`
    """

    def described(name, reference):
        # An image needs no CD-ROM, so none must keep it from being made.
        with contextlib.suppress(exception.NewosError):
            contents = server.medium(name)
            if isinstance(contents, base.GlanceImage):
                image_id = contents.image_id
                return name, image_id, glance.digest(context, image_id)
        return name, reference, None

    iso = server.layout.iso
    return provenance.properties(
        server=server.instance.uuid,
        iso=(iso, glance.digest(context, iso)),
        media=[described(*medium) for medium in server.layout.media],
        flavor=server.instance.flavor.name,
        versions={
            'nova-newos': importlib.metadata.version('nova-newos'),
            'nova': version.version_string(),
            'qemu': _dotted(qemu),
        },
        started=server.instance.created_at,
        captured=datetime.datetime.now(datetime.UTC),
        change=_NO_PROMPT if prompt.is_skipped(server.instance) else None,
    )


def _dotted(number):
    """A version of libvirt's as people write it."""
    return f'{number // 1000000}.{number // 1000 % 1000}.{number % 1000}'


class Capture:
    """The image of one root disk in the making, inside Nova's snapshot.

    :ivar found: dict of the properties that say what was found on the disk
    """

    def __init__(self, record, origin=(), finish=None):
        """Decide on the compression.

        :param record: a :class:`Record`
        :param origin: dict of the properties that say where it comes from
        :param finish: as :func:`finish_of` returns it
        """
        self._record = record
        self._origin = dict(origin)
        self._finish = finish
        self.found = {}
        self._compression = _compression()
        self._is_extracted = False

    @property
    def is_wanted(self):
        """Whether Nova alone would make another image."""
        return bool(self._compression or self._finish)

    @contextlib.contextmanager
    def under_way(self, instance):
        """Have Nova's snapshot of a server make this capture.

        :raises CaptureFailed: for a second one at the same time, which is
            possible after an administrator has reset the server's state; and
            when Nova took an image without it
        """
        with _alone(instance):
            token = _under_way.set(self)
            try:
                yield
            finally:
                _under_way.reset(token)
        if self.is_wanted and not self._is_extracted:
            raise exception.CaptureFailed(reason='Nova made one of its own')

    def metadata(self, call):
        """Answers to ``LibvirtDriver._create_snapshot_metadata``."""
        metadata = call.proceed(img_fmt=self._format(call.img_fmt))
        properties = clean_properties(metadata['properties']) | self._origin
        return {**metadata, 'properties': properties}

    def copy(self, call):
        """Answers to ``LibvirtDriver._live_snapshot``."""
        if not self.is_wanted:
            call.proceed()
            return
        # Nova never compresses what is raw.
        copy = f'{call.out_path}.copy'
        call.proceed(out_path=copy, image_format='raw')
        self.extract(copy, 'raw', call.out_path, call.image_format)
        os.unlink(copy)

    def extract(self, source, source_format, target, stock):
        """Write the image, with nothing in it but what the disk holds.

        :param source: path of a disk that nobody writes to
        :param source_format: its format
        :param target: path of a file to make
        :param stock: the format that Nova would choose
        :raises NewosError: when it cannot be made
        """
        try:
            if self._finish is None:
                self._convert(source, source_format, target, stock)
            else:
                self._finish_and_convert(source, source_format, target, stock)
        except processutils.ProcessExecutionError as error:
            raise exception.CaptureToolFailed(
                reason=(error.stderr or str(error)).strip()
            ) from error
        self._is_extracted = True

    def _finish_and_convert(self, source, source_format, target, stock):
        # What is changed of the disk, not a copy of it.
        overlay = f'{target}.overlay'
        qemu_img.create_overlay(overlay, source, source_format)
        self.found = self._finish(golden_base.Disk(overlay, 'qcow2'))
        self._convert(overlay, 'qcow2', target, stock)
        os.unlink(overlay)
        self._record.add(self.found)

    def _format(self, stock):
        return 'qcow2' if self._compression else stock

    def _convert(self, source, source_format, target, stock):
        with compute_utils.disk_ops_semaphore:
            if self._compression:
                qemu_img.convert_compressed(
                    source, source_format, target, self._compression
                )
            else:
                qemu_img.convert(
                    source,
                    source_format,
                    target,
                    stock,
                    direct=nova.privsep.utils.supports_direct_io(
                        os.path.dirname(target)
                    ),
                    compress=CONF.libvirt.snapshot_compression
                    and stock == 'qcow2',
                )


class SigningImageAPI:
    """Nova's image API, which signs what is captured as it is uploaded.

    Here are the bytes that Glance gets, whatever they were made by, and the
    last request to Glance before they go: the signature takes none of its own.
    """

    def __init__(self, image_api, signer):
        """Put a key to it.

        :param image_api: a ``nova.image.glance.API``, which does the work
        :param signer: a :class:`nova_newos.golden.signature.Signer`
        """
        self._image_api = image_api
        self._signer = signer

    def __getattr__(self, name):
        return getattr(self._image_api, name)

    def update(self, context, image_id, image_info, data=None, **kwargs):
        """Change an image, or upload it; see Nova's.

        :raises StatementTooLong: for a capture of which there is too much to
            say
        """
        capture = under_way()
        if capture is not None and data is not None:
            properties = image_info['properties']
            signed = self._signer.sign(
                image_id,
                signature.digest(_chunks(data)),
                properties | capture.found,
            )
            data.seek(0)
            image_info = {**image_info, 'properties': properties | signed}
        return self._image_api.update(
            context, image_id, image_info, data=data, **kwargs
        )


def _chunks(file):
    while chunk := file.read(_CHUNK):
        yield chunk
        # Where Nova's threads are eventlet's, the others run meanwhile.
        time.sleep(0)


def _compression():
    """How images of install servers are compressed, None for not at all."""
    wanted = CONF.newos.capture_compression
    # An explicit format of the operator's wins.
    possible = CONF.libvirt.snapshot_image_format in (None, 'qcow2')
    return wanted if possible and wanted in qemu_img.COMPRESSION else None


@contextlib.contextmanager
def _alone(instance):
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(
                lockutils.lock(
                    f'nova-newos-capture-{instance.uuid}', blocking=False
                )
            )
        except lockutils.AcquireLockFailedException as error:
            raise exception.CaptureFailed(
                reason='another image of it is being made'
            ) from error
        yield
