# SPDX-License-Identifier: Apache-2.0
"""The words of the support matrix, in its order."""

#: Name that tests mark themselves with, to the words of the matrix.
OPERATIONS = {
    'create': 'create and install',
    'stop-start': 'stop and start',
    'soft-reboot': 'soft reboot',
    'hard-reboot': 'hard reboot',
    'pause': 'pause and unpause',
    'suspend': 'suspend and resume',
    'lock': 'lock and unlock',
    'host-boot': 'boot of the host, resume_guests_state_on_host_boot',
    'lost-files': 'hard reboot after the bases or the images are gone',
    'image-cache': 'cleaning of the image cache',
    'rescue-disk-image': 'rescue with a disk image',
    'rescue-stable-device': 'rescue with a stable device',
    'rescue-iso': 'rescue with an ISO',
    'rescue-own-iso': 'rescue with no image named',
    'resize-confirm': 'resize up, confirm',
    'resize-revert': 'resize up, revert',
    'resize-down': 'resize to a smaller root disk',
    'resize-zero-disk': 'resize with flavors without a root disk',
    'cold-migrate-same-host': 'cold migration to the same host',
    'cold-migrate': 'cold migration to another host',
    'live-migrate': 'live migration',
    'evacuate-shared': 'evacuation, shared storage',
    'evacuate': 'evacuation, local storage',
    'stock-host': 'moves to hosts without the driver',
    'rebuild-same-iso': 'rebuild with the same ISO',
    'rebuild-other-iso': 'rebuild with another ISO',
    'rebuild-to-disk-image': 'rebuild with a disk image',
    'rebuild-to-iso': 'rebuild of an ordinary server with an ISO',
    'shelve-unshelve': 'shelve, offload and unshelve',
    'after-unshelve': 'reboot, rescue and resize after unshelve',
    'backup': 'backup with rotation',
    'snapshot-live': 'snapshot of a running server',
    'snapshot-cold': 'snapshot of a stopped server',
    'snapshot-by-admin': 'snapshot by another project',
    'volume': 'attach and detach a volume',
    'interface': 'attach and detach an interface',
    'config-drive': 'config drive',
    'ephemeral-swap': 'ephemeral and swap disks',
    'buses': 'disk and CD-ROM buses, machine types',
    'bus-refusals': 'impossible combinations of buses',
    'delete-building': 'delete while building',
    'delete-installing': 'delete while installing',
    'delete-installed': 'delete when installed',
    'delete-shelved': 'delete when shelved',
    'delete-error': 'delete in error',
    'compute-killed': 'nova-compute killed',
    'libvirtd-restarted': 'libvirtd restarted',
    'rabbitmq-stopped': 'RabbitMQ stopped',
    'mariadb-stopped': 'MariaDB stopped',
    'glance-stopped': 'Glance stopped',
    'disk-full': 'disk of the host full',
}

#: Values of ``[libvirt] images_type`` that the driver starts with.
IMAGES_TYPES = ('qcow2', 'flat', 'raw')

#: What may come of an operation, as it should.
OUTCOMES = ('works', 'refused')
