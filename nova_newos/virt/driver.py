# SPDX-License-Identifier: Apache-2.0
"""Nova's libvirt driver, for servers that are installed from an ISO.

Each method overrides one of ``nova.virt.libvirt.driver.LibvirtDriver`` and
leads into a neighbour of this module. :mod:`nova_newos.virt.override` tells
the servers that are meant from all others.
"""

import contextlib
import functools

from nova import block_device
from nova import exception as nova_exception
from nova.compute import task_states
import nova.conf
from nova.virt.libvirt import driver
from oslo_serialization import jsonutils
from oslo_utils import units

from nova_newos import conf
from nova_newos import exception
from nova_newos import layout
from nova_newos import media
from nova_newos.golden import finishing
from nova_newos.golden import signature
from nova_newos.golden import signing_keys
from nova_newos.media import virtio
from nova_newos.virt import blockinfo
from nova_newos.virt import boot
from nova_newos.virt import config
from nova_newos.virt import disks
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import imagebackend
from nova_newos.virt import imagecache
from nova_newos.virt import install
from nova_newos.virt import keys
from nova_newos.virt import migration
from nova_newos.virt import override
from nova_newos.virt import owner
from nova_newos.virt import rebuild as virt_rebuild
from nova_newos.virt import server as servers
from nova_newos.virt import snapshot as virt_snapshot

CONF = nova.conf.CONF
conf.register_opts(CONF)


class NewosLibvirtDriver(driver.LibvirtDriver):
    """``compute_driver = newos.NewosLibvirtDriver``."""

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        blockinfo.install()
        self.image_cache_manager = imagecache.ImageCacheManager()
        self.image_backend = imagebackend.Backend(CONF.use_cow_images)

    @functools.cached_property
    def _media(self):
        return media.Media(CONF)

    @functools.cached_property
    def _finisher(self):
        return finishing.Finisher(
            CONF, emulate=CONF.libvirt.virt_type == 'qemu'
        )

    @functools.cached_property
    def _disks(self):
        return disks.Disks(self.image_backend, self._try_fetch_image_cache)

    def _install_server(self, instance):
        """A server by its persisted layout.

        :returns: a :class:`~nova_newos.virt.server.InstallServer`, or None
            for a server that is Nova's alone
        :raises LayoutInvalid: see :func:`nova_newos.layout.load`
        """
        try:
            found = layout.load(instance.system_metadata)
        except nova_exception.OrphanedObjectError:
            # Nobody has persisted a server that no database knows of.
            return None
        return found and servers.InstallServer(instance, found, self._media)

    def init_host(self, host):
        """Refuse to start with what could not work for any server."""
        if CONF.libvirt.images_type not in disks.IMAGES_TYPES:
            raise exception.ImagesTypeUnsupported(
                images_type=CONF.libvirt.images_type,
                choices=', '.join(disks.IMAGES_TYPES),
            )
        if CONF.newos.virtio_image_id:
            virtio.image_id(CONF.newos.virtio_image_id, virtio.OPTION)
        # Loads the plug-ins, or says which cannot.
        self._media  # noqa: B018
        self._finisher  # noqa: B018
        if CONF.newos.signing_key:
            self._image_api = virt_snapshot.SigningImageAPI(
                self._image_api,
                signature.Signer(
                    signing_keys.load_private(CONF.newos.signing_key)
                ),
            )
        super().init_host(host)

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        """Report that this host keeps install servers, and with which media.

        Traits of media that are not here any more are taken away.
        """
        super().update_provider_tree(
            provider_tree, nodename, allocations=allocations
        )
        found = provider_tree.data(nodename).traits
        ours = {layout.TRAIT, *map(layout.medium_trait, media.installed())}
        stale = set(filter(layout.is_medium_trait, found)) - ours
        provider_tree.remove_traits(nodename, *stale)
        provider_tree.add_traits(nodename, *ours)

    # Spawn: the layout is decided.

    @override.for_servers_to_be()
    def default_root_device_name(self, call):
        """Name the blank disk, before Nova has made anything."""
        volume_root = install.boots_from_volume(call.root_bdm)
        with self._naming(call.instance, call.image_meta, volume_root):
            return call.proceed()

    @override.for_servers_to_be()
    def default_device_names_for_instance(self, call):
        """Name the other disks, before Nova has made anything."""
        bdms = [bdm for bdms in call.block_device_lists for bdm in bdms]
        volume_root = install.boots_from_volume(
            block_device.get_root_bdm(bdms)
        )
        with self._naming(
            call.instance, call.instance.image_meta, volume_root
        ):
            return call.proceed()

    def _naming(self, instance, image_meta, volume_root):
        return install.naming(
            install.propose(self._media, instance, image_meta, volume_root),
            image_meta,
        )

    @override.for_servers_to_be()
    def spawn(self, call):
        """Decide and persist the layout, then spawn."""
        if virt_rebuild.evacuates(call.instance):
            # It has the disks and the layout that it had: see
            # instance_on_disk().
            with self._start(self._install_server(call.instance)):
                call.proceed()
            return
        server = self._decide(call)
        if server is None:
            owner.forget(call.instance, owner.WARNING, boot.ORDER)
        virt_rebuild.reset_root_device(
            call.instance, server, call.image_meta, call.block_device_info
        )
        with (
            install.persisted(call.instance, server, call.image_meta),
            self._start(server, is_first=True),
        ):
            call.proceed()
        if server is not None and call.power_on:
            keys.type_into(self._host, server.instance)

    @override.for_servers_to_be()
    def rebuild(self, call):
        """Refuse what cannot be spawned before Nova deletes the old disks.

        Nova's own method says that there is no special way to rebuild, and
        the compute manager then destroys and spawns.
        """
        if not call.evacuate:
            # A layout that cannot be read is not overwritten: the spawn would
            # say so when the disks are gone.
            self._install_server(call.instance)
            with virt_rebuild.undone_if_failed(
                call.context,
                self._image_api,
                call.instance,
                call.bdms,
                functools.partial(self._local_root, call),
            ):
                self._decide(call)
        return call.proceed()

    def _start(self, server, is_first=False, is_started=True):
        """Start a server inside, see :mod:`nova_newos.virt.boot`.

        :param server: None for one that is not to be installed
        """
        if server is None or not server.cdroms:
            return contextlib.nullcontext()
        return self._as_start(server, is_first).under_way(is_started)

    def _as_start(self, server, is_first=False):
        return boot.Start(
            server, functools.partial(self._disks.is_blank, server), is_first
        )

    def _local_root(self, call):
        """The image backend of an ordinary server's disk, or None."""
        if self._is_booted_from_volume(call.block_device_info):
            return None
        return self.image_backend.by_name(call.instance, layout.STOCK_ROOT)

    def _decide(self, call):
        """The server to be, or None for one that is not to be installed."""
        server = install.propose(
            self._media,
            call.instance,
            call.image_meta,
            self._is_booted_from_volume(call.block_device_info),
        )
        if server is not None:
            install.check_devices(
                server, call.image_meta, call.block_device_info
            )
            server = install.verified(call.context, self._image_api, server)
        return server

    @override.for_install_servers(
        errors=virt_exception.rolled_back, when=virt_rebuild.evacuates
    )
    def instance_on_disk(self, server, call):
        """Refuse to install anew what was on a host that failed.

        An evacuation asks this first, before it moves the ports.
        """
        if not self._disks.has_root(server):
            raise exception.EvacuationRefused()
        return call.proceed()

    # Disks.

    @override.for_install_servers()
    def _create_and_inject_local_root(self, server, call):
        """Make the disks, or leave those of a rescue or unshelve to Nova."""
        if call.suffix or _comes_from_image(server, call.disk_images):
            return call.proceed()
        return self._disks.create(
            call.context, server, call.disk_mapping, call.fallback_from_host
        )

    @override.for_install_servers()
    def _hard_reboot(self, server, call):
        """Have the disks that the guest is started with."""
        self._disks.require_root(server)
        # A host that boots has nobody's token to ask Glance with, and nobody
        # to tell of a mistake.
        if call.context.auth_token is not None:
            boot.check_start(server.instance)
            self._disks.restore_cdroms(call.context, server)
        with self._start(server):
            call.proceed()

    @override.for_install_servers()
    def _soft_reboot(self, server, call):
        """Start the guest that was shut down in the order of this start."""
        if not server.cdroms:
            return call.proceed()
        boot.check_start(server.instance)
        start = self._as_start(server)
        described = self._host.get_guest(server.instance).get_xml_desc(
            dump_inactive=True, dump_sensitive=True
        )
        self._host.write_instance_config(start.applied(described))
        has_rebooted = call.proceed()
        if has_rebooted:
            start.tell()
        return has_rebooted

    @override.for_install_servers()
    def _create_images_and_backing(self, server, call):
        """Leave to Nova what is not a CD-ROM of ours.

        It would download the install ISO into every base that is missing.
        """
        if not server.layout.installs:
            call.proceed()
            return
        ours, others = disks.split(server, call.disk_info)
        if server.instance.task_state == task_states.MIGRATING:
            # Nova fills what a guest can write, not its CD-ROMs.
            self._disks.restore_cdroms(
                call.context,
                server,
                {name: info['type'] for name, info in ours.items()},
                call.fallback_from_host,
            )
        root = ours.get(server.root)
        call.proceed(disk_info=([root] if root else []) + others)

    @override.for_install_servers()
    def _rebase_original_qcow2_image(self, server, call):
        """Flatten what came back from an image of the root disk.

        Nova would rebase it onto the server's image, the install ISO.
        """
        if self._needs_rebase_original_qcow2_image(
            server.instance, call.backend
        ):
            self._rebase_with_qemu_img(call.backend.path, None)

    # XML.

    @override.for_install_servers(when=lambda _: boot.ends_at_reboot())
    def _get_guest_config(self, _server, call):
        """Have the installer's reboot end its run."""
        return config.LibvirtConfigInstaller.of(call.proceed())

    @override.for_install_servers()
    def _get_guest_disk_config(self, server, call):
        """Describe a CD-ROM as one that the server can do without."""
        root = call.disk_mapping.get(layout.INSTALL_ROOT)
        if root is None:
            return call.proceed()
        if call.disk_mapping.get(call.name) == root:
            # In a legacy rescue 'disk' stands for the disk to repair.
            return call.proceed(name=layout.INSTALL_ROOT)
        image_type = call.image_type or self._disks.image_type(
            server, call.name
        )
        described = call.proceed(image_type=image_type)
        if call.name in server.cdroms:
            return config.LibvirtConfigCdrom.of(described)
        return described

    @override.for_install_servers()
    def _get_guest_storage_config(self, server, call):
        """Add the disks that Nova does not know."""
        configs = call.proceed()
        mapping = call.disk_info['mapping']
        if layout.INSTALL_ROOT in mapping and not blockinfo.is_legacy_rescue(
            mapping
        ):
            _iso, *others = server.cdroms
            root, *cdroms = [
                self._get_guest_disk_config(
                    server.instance, name, mapping, call.flavor
                )
                for name in (server.root, *others)
            ]
            for added in (root, *cdroms):
                self._set_cache_mode(added)
            config.insert(
                configs,
                mapping,
                config.LibvirtConfigRootDisk.of(root),
                cdroms,
            )
        return configs

    # Images of the root disk.

    @override.for_servers_to_be()
    def snapshot(self, call):
        """Take the golden image, see :mod:`nova_newos.virt.snapshot`.

        Of an ordinary server Nova's own, which must not claim to be what the
        image is that the server was made from.
        """
        server = self._install_server(call.instance)
        if server is not None:
            return self._capture(server, call)
        if virt_snapshot.inherits_claims(call.instance):
            virt_snapshot.Record(
                call.context, self._image_api, call.image_id
            ).drop_claims()
        return call.proceed()

    def _capture(self, server, call):
        # The event has the text of Nova's errors only.
        with (
            virt_snapshot.reported(call.context, server.instance),
            virt_exception.refused(server.instance),
        ):
            migration.check_cross_cell(self._disks, server)
            path, disk_format = virt_snapshot.check_root(
                self._host.get_guest(server.instance), server.root
            )
            record = virt_snapshot.Record(
                call.context, self._image_api, call.image_id
            )
            capture = virt_snapshot.Capture(
                record,
                virt_snapshot.origin(
                    call.context,
                    server,
                    self._host.get_connection().getVersion(),
                ),
                virt_snapshot.finish_of(server.instance, self._finisher),
            )
            record.make_right(virt_snapshot.min_disk(path, disk_format))
            with capture.under_way(server.instance):
                return call.proceed()

    @override.for_install_servers(when=virt_snapshot.is_under_way)
    def _create_snapshot_metadata(self, _server, call):
        return virt_snapshot.under_way().metadata(call)

    @override.for_install_servers(when=virt_snapshot.is_under_way)
    def _live_snapshot(self, _server, call):
        virt_snapshot.under_way().copy(call)

    @override.for_install_servers()
    def rescue(self, server, call):
        """Refuse the install ISO, Nova's default, as the rescue image."""
        if install.image_id_of(
            call.image_meta
        ) in install.default_rescue_images(server):
            raise exception.RescueIsoRefused()
        call.proceed()

    @override.for_install_servers()
    def unrescue(self, server, call):
        """Start what was rescued in the order of this start."""
        if not server.cdroms:
            call.proceed()
            return
        path = boot.kept_description(server.instance)
        start = self._as_start(server)
        path.write_text(start.applied(path.read_text()))
        call.proceed()
        start.tell()

    # Moves.

    @override.for_install_servers(errors=virt_exception.rolled_back)
    def migrate_disk_and_power_off(self, server, call):
        """Refuse what would lose the root disk, before it is powered off."""
        self._disks.require_root(server)
        migration.check_size(self._disks.root_size(server), call.flavor)
        migration.check_destination(
            call.context, self.virtapi.reportclient, server
        )
        return call.proceed()

    @override.for_install_servers()
    def finish_migration(self, server, call):
        """Fit the disks to this host and flavor, then start.

        Nova would make a qcow2 of every raw disk, and grow the ISO. The image
        it gives is that of the request, not always the server's.
        """
        others = self._disks.convert(
            server, jsonutils.loads(call.disk_info), self._disk_raw_to_qcow2
        )
        self._disks.grow_root(server, migration.grown_gb(server) * units.Gi)
        with self._start(server, is_started=call.power_on):
            call.proceed(
                disk_info=jsonutils.dumps(others),
                image_meta=server.instance.image_meta,
            )

    @override.for_install_servers()
    def finish_revert_migration(self, server, call):
        """Start it where it was before."""
        with self._start(server, is_started=call.power_on):
            call.proceed()

    @override.for_install_servers(errors=virt_exception.unfit_destination)
    def check_can_live_migrate_source(self, _server, call):
        """Refuse a destination that could not keep the server."""
        migration.check_test_file(call.dest_check_data.filename)
        return call.proceed()

    @override.for_install_servers()
    def _create_shared_storage_test_file(self, _server, call):
        return migration.sign_test_file(call.proceed())


def _comes_from_image(server, disk_images):
    """Whether the root disk is to be made of an image of it.

    At an unshelve Nova lets ``image_ref`` name that image, and the install
    ISO at any other time.
    """
    return (
        not server.layout.installs
        and disk_images['image_id'] != server.layout.iso
    )
