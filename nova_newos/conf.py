# SPDX-License-Identifier: Apache-2.0
"""The ``[newos]`` group of nova.conf."""

from oslo_config import cfg
from oslo_config import types

# Facts that can be insisted on: what the verdict on an image can say is true.
_REFUSABLE = (
    'boot_loader',
    'efi_fallback',
    'virtio_drivers',
    'cloud_init',
    'ssh_host_keys_gone',
    'machine_id_gone',
    'file_systems_clean',
)

newos_group = cfg.OptGroup(
    'newos',
    title='Installing servers from installer ISOs',
    help="""
An *install server* is created from an image with ``disk_format=iso``. It gets
a blank root disk, the ISO as its first CD-ROM and further CD-ROMs from media
plug-ins. These options are read by nova-compute.
""",
)

newos_opts = [
    cfg.IntOpt(
        'root_disk_size',
        min=1,
        help="""
Size in GiB of the blank root disk of an install server.

It holds for images without the property ``newos_root_disk_size``, is raised
to the image's ``min_disk`` and is never more than the flavor's root disk. When
unset, the flavor's root disk gives the size.

Related: the image property ``newos_root_disk_size``.
""",
    ),
    cfg.StrOpt(
        'virtio_image_id',
        help="""
UUID of the Glance image with virtio drivers that install servers get as their
second CD-ROM.

The image must be active, of disk format iso and readable by the projects that
install servers (public, say). A server that cannot have it goes without, and
its owner reads so in the metadata ``newos_warning``. When unset, or ``none``,
there is no such CD-ROM unless the install ISO names one.

Related: the image property ``newos_virtio_image_id``, which wins over this
option; ``[newos] media``, which must list ``virtio``.
""",
    ),
    cfg.ListOpt(
        'media',
        default=['virtio', 'answers'],
        help="""
Media plug-ins that may give install servers further CD-ROMs, in the order of
the CD-ROMs.

Each is the name of an entry point in the namespace ``nova_newos.media``.
nova-compute does not start if one of them cannot be loaded. ``virtio`` is the
driver ISO; ``answers`` is made of a server's user data when that is answers
for an installer.
""",
    ),
    cfg.IntOpt(
        'media_max_size',
        default=4,
        min=1,
        help="""
Size in GiB of the largest Glance image that an install server gets as a
further CD-ROM.

Whoever creates a server names such images, and a flavor does not count them. A
larger one is refused before anything is created, and not fetched again for a
server that has it. The install ISO itself is bounded by the flavor, as every
image is.

Related: ``[newos] virtio_image_id``, the image property
``newos_virtio_image_id``.
""",
    ),
    cfg.IntOpt(
        'boot_keys_timeout',
        default=600,
        min=0,
        max=3600,
        help="""
Seconds from the start of an install server in which its boot keys are typed.

What is not typed then is not typed any more; the owner reads so in the
metadata ``newos_warning``, and the server goes on. Keys whose pauses alone
take longer are refused when the server is created. With 0 no keys are typed,
and who asks for some is refused.

Related: the image property, or key of a server's metadata,
``newos_boot_keys``.
""",
    ),
    cfg.StrOpt(
        'capture_compression',
        default='zstd',
        choices=[
            (
                'none',
                'What Nova makes of an ordinary server: the format of the '
                'disk, compressed if ``[libvirt] snapshot_compression`` says '
                'so',
            ),
            ('zlib', 'qcow2 that QEMU of any version reads; slow to make'),
            ('zstd', 'qcow2 that QEMU 5.1 and newer reads; quick to make'),
        ],
        help="""
How images of install servers are compressed: golden images, backups and what
is shelved.

Compressed images have the disk format qcow2, on hosts that keep disks as raw
files too. An explicit ``[libvirt] snapshot_image_format`` other than qcow2
wins and is not compressed.
""",
    ),
    cfg.StrOpt(
        'seal',
        default='allow',
        choices=[
            ('never', 'None is. Who asks for it is refused'),
            ('allow', 'Those are whose owner asks for it'),
            ('require', 'All are. Who asks for one that is not is refused'),
        ],
        help="""
Which golden images are sealed.

An owner asks for it with ``newos_seal``, ``true`` or ``false``, in the
server's metadata or else as a property of the ISO's image. What is refused is
so when the server is created, or when the image is asked for if it came later.

Only what ``openstack server image create`` takes of an install server is
sealed: backups and shelved servers are to come back as they were. The server
and its own disk stay what they are.

Related: ``[newos] refuse``, ``[newos] sealers``, ``[newos] seal_concurrency``.
""",
    ),
    cfg.BoolOpt(
        'keep_answers',
        default=False,
        help="""
Whether owners may have an installer's answers kept as a property of the image.

Who installs by hand sets ``newos_keep_answers=true`` in the server's metadata,
and makes a recipe of what Anaconda, Subiquity, debian-installer or YaST has
written down. Passwords and keys that are known as such are replaced before
anything leaves the guest. Whoever can see the image can read the rest: names
of users and hosts, addresses, lists of packages. It takes one more run of the
libguestfs appliance for the image.

Related: ``[newos] seal``, ``[newos] appliance_timeout``.
""",
    ),
    cfg.IntOpt(
        'seal_concurrency',
        default=1,
        min=1,
        max=64,
        help="""
How many images are sealed or inspected on this host at a time.

Each takes ``[newos] appliance_memory`` and some 100 MiB more of the host,
which Nova does not count: add that to ``reserved_host_memory_mb``. One more
waits for a minute, and then fails with a text that says to try again.

Related: ``[newos] appliance_timeout``, which bounds how long each takes;
``[DEFAULT] max_concurrent_snapshots``, which should be more, so that images of
other servers are made meanwhile.
""",
    ),
    cfg.ListOpt(
        'sealers',
        default=['sysprep', 'sparsify'],
        help="""
What is done to seal a golden image, in this order.

Each is the name of an entry point in the namespace ``nova_newos.sealers``:

* ``sysprep`` removes what identifies one host, with virt-sysprep
* ``sparsify`` gives back the room of deleted files

nova-compute does not start if one of them cannot be loaded.

Related: ``[newos] sysprep_operations``, ``[newos] appliance_memory``,
``[newos] appliance_timeout``.
""",
    ),
    cfg.ListOpt(
        'sysprep_operations',
        item_type=types.String(regex='^[a-z][a-z0-9-]*$'),
        default=[
            'abrt-data',
            'bash-history',
            'blkid-tab',
            'crash-data',
            'dhcp-client-state',
            'ipa-client',
            'kerberos-hostkeytab',
            'logfiles',
            'machine-id',
            'mail-spool',
            'net-hostname',
            'net-hwaddr',
            'net-nmconn',
            'pacct-log',
            'package-manager-cache',
            'passwd-backups',
            'puppet-data-log',
            'rh-subscription-manager',
            'rhn-systemid',
            'rpm-db',
            'samba-db-log',
            'smolt-uuid',
            'ssh-hostkeys',
            'sssd-db-log',
            'tmp-files',
            'udev-persistent-net',
            'utmp',
            'yum-uuid',
        ],
        help="""
Operations of virt-sysprep that the sealer ``sysprep`` does.

``virt-sysprep --list-operations`` lists what the host has; names that it does
not have are refused when nova-compute starts, but those of the default are
left out then. The default removes what belongs
to one host and comes back by itself: host keys, machine-id, logs, leases,
rules bound to a MAC address, enrolments, histories and caches. It leaves what
an installation may have put there on purpose: crontabs, authorized keys
(``ssh-userdir``), accounts, firewall rules. It leaves LVM's UUIDs
(``lvm-uuids``), which a guest's ``/etc/lvm/devices`` may name.

With ``net-hostname`` ``/etc/hostname`` is emptied too. With ``ssh-hostkeys``
a guest whose sshd would not start again without keys gets a unit that makes
them at boot. ``customize`` and ``script`` are refused: they do nothing
without arguments, and ``customize`` gives all servers one machine-id.

Related: ``[newos] sealers``, which must list ``sysprep``.
""",
    ),
    cfg.IntOpt(
        'appliance_memory',
        default=1280,
        min=256,
        max=65536,
        help="""
Memory in MiB of the libguestfs appliance in which disks are sealed and
inspected.

QEMU takes some 100 MiB more on the host, and without KVM up to 1 GiB for the
code that it translates. Each image that is being made has one appliance at a
time. None of its processes can have more than 2 GiB above this. Large XFS and
btrfs file systems need more than small ones.

Related: ``[newos] seal_concurrency``.
""",
    ),
    cfg.IntOpt(
        'appliance_timeout',
        default=1800,
        min=30,
        max=86400,
        help="""
Seconds that all runs of the libguestfs appliance for one image may take.

To inspect a disk that is not sealed takes one run. To seal it takes two, the
last of which also gives unused room back; a virt-sysprep that failed takes
another, to tell why. When the time is over the appliance is killed. If a disk
is not sealed then, the image fails; what an inspection does not find in time
is unknown. With KVM a run takes seconds to a few minutes; much longer for
large disks on slow storage.

Related: ``[newos] seal_concurrency``.
""",
    ),
    cfg.StrOpt(
        'signing_key',
        help="""
Path of the key that images of install servers are signed with.

It is an Ed25519 private key in PEM, without a password, which others can
neither read nor change: mode 0640 or less, with the group of nova-compute.
nova-compute does not start when it cannot be used, and reads it only then.
Hosts may share one or have their own. When unset, images are not signed.

What is signed is the digest of the bytes, the id of the image, and its
properties ``provenance_*``, ``seal_*`` and ``verdict_*``. Whoever has the
public key can tell with ``openstack golden image verify`` what was changed.
""",
    ),
    cfg.ListOpt(
        'refuse',
        item_type=types.String(choices=_REFUSABLE),
        default=[],
        help="""
Facts that must be ``true`` of a golden image or a backup. Otherwise it is not
made.

Each is found by inspecting the disk, sealed or not. One that cannot be told
counts as not true.

* ``boot_loader``: there is a boot loader
* ``efi_fallback``: UEFI firmware finds it without variables, which an image
  does not carry
* ``virtio_drivers``: the installed system can boot from a virtio disk
* ``cloud_init``: cloud-init is installed, not disabled, and asks Nova; or
  cloudbase-init is installed
* ``ssh_host_keys_gone``: there is no SSH host key
* ``machine_id_gone``: there is no machine-id, or Windows is generalized
* ``file_systems_clean``: each file system says that it was unmounted properly
""",
    ),
]


def register_opts(conf):
    """Register the group and its options.

    :param conf: an ``oslo_config.cfg.ConfigOpts``; Nova's own, in
        nova-compute
    """
    conf.register_group(newos_group)
    conf.register_opts(newos_opts, group=newos_group)


def list_opts():
    """Options for the oslo.config generator."""
    return [(newos_group, newos_opts)]
