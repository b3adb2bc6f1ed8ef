# SPDX-License-Identifier: Apache-2.0
"""Find out by trying whether KVM works."""

import subprocess

from devstack.onebox.progress import step

# A boot sector that counts 2**26 down, which a processor does in a tenth of a
# second and a KVM that emulates instructions not in minutes; then it writes
# 0x10 to port 0x501, where QEMU's isa-debug-exit listens, so that QEMU ends
# with status 0x10 * 2 + 1.
_CODE = (
    b'\x66\xb9\0\0\0\x04'  # mov ecx, 0x4000000
    b'\x66\x49'  # again: dec ecx
    b'\x75\xfc'  # jnz again
    b'\xba\x01\x05'  # mov dx, 0x501
    b'\xb0\x10'  # mov al, 0x10
    b'\xee'  # out dx, al
    b'\xf4'
)  # hlt
_BOOT_SECTOR = _CODE.ljust(510, b'\0') + b'\x55\xaa'
_STATUS = 0x10 * 2 + 1
_TIME_LIMIT = 6


def find_out(state):
    """Try it once in the life of a box, whose mark 'kvm' is yes or no."""
    if not state.marked('kvm', 'yes') and not state.marked('kvm', 'no'):
        with step('trying KVM'):
            state.mark('kvm', 'yes' if works(state.work) else 'no')


def works(directory, accelerator='kvm'):
    """Whether a guest of that boot sector runs to its end in time.

    :param directory: for the boot sector.
    :param accelerator: QEMU's name of what is tried.
    """
    disk = directory / 'kvm-trial.img'
    disk.write_bytes(_BOOT_SECTOR)
    process = subprocess.Popen(
        [
            *('qemu-system-x86_64', '-accel', accelerator, '-machine', 'pc'),
            *('-m', '16', '-nodefaults', '-no-user-config'),
            *('-display', 'none'),
            *('-drive', f'file={disk},format=raw,if=ide'),
            *('-device', 'isa-debug-exit,iobase=0x501,iosize=1'),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(_TIME_LIMIT) == _STATUS
    except subprocess.TimeoutExpired:
        # Not waited for: hung inside /dev/kvm it may not even die of this.
        process.kill()
        return False
