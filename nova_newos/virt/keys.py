# SPDX-License-Identifier: Apache-2.0
"""Keys that the host types into the installer's boot menu.

An installer that nobody has remastered waits at its menu, or asks for a key
before it boots at all. What to type is a property of the install ISO or the
server's metadata. It is typed once, in the first start after a spawn or
rebuild, by a thread that ends with that start at the latest.
"""

import os
import threading
import time

from nova import exception as nova_exception
import nova.conf
from oslo_log import log as logging

from nova_newos import exception
from nova_newos import keys
from nova_newos import layout
from nova_newos.virt import keyboard
from nova_newos.virt import owner
from nova_newos.virt import prompt

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

#: Property of the install ISO, or key of the server's metadata.
KEYS = 'newos_boot_keys'

#: Seconds without a read from the CD-ROM after which a boot loader waits, if
#: it could have read: on a busy host a guest may not run for a second. One
#: that looks for keys again and again has had this much of a processor in that
#: time, and one that halts until there is a key next to nothing.
IDLE = 1.0
_RAN = 0.5
_HALTED = 0.02

# For who asks for any.
_ANY_KEY = '<waitIdle><enter>'

#: Seconds between two strokes: a boot loader without interrupts polls.
_GAP = 0.1

#: Seconds between two looks at what was read.
_POLL = 0.2

# Seconds after which a pause looks whether the guest is still there.
_SLICE = 5

# VIR_DOMAIN_SEND_KEY_MAX_KEYS: libvirt takes no more in one stroke.
_AT_ONCE = 16

# Of a value in system_metadata. Nova cuts what is longer.
_CUT_AT = 255


class _Ended(Exception):
    """The start that is typed into has ended."""


class _TimedOut(Exception):
    """It takes longer than the operator allows."""


def check(instance):
    """Refuse keys that cannot be typed, before anything is created.

    :param instance: a ``nova.objects.Instance``
    :raises BootKeysRefused: for what :func:`nova_newos.keys.parse` refuses,
        what Nova has cut, and pauses beyond ``[newos] boot_keys_timeout``
    :raises BootKeysOff: when the operator does not have keys typed
    """
    source, text = _wanted(instance)
    if not text:
        return
    limit = CONF.newos.boot_keys_timeout
    if not limit:
        raise exception.BootKeysOff()
    if len(text.encode()) >= _CUT_AT:
        _refuse(source, f'make it shorter than {_CUT_AT} characters')
    try:
        steps = keys.parse(text)
    except keys.KeysInvalid as error:
        _refuse(source, error)
    if any(len(stroke.codes) > _AT_ONCE for stroke in keyboard.pressed(steps)):
        _refuse(source, f'more than {_AT_ONCE} keys at once')
    pauses = keys.seconds(steps)
    if pauses > limit:
        _refuse(source, f'pauses of {pauses:.0f} s, and {limit} s are allowed')


def type_into(host, instance):
    """Type the boot keys of a server that was just started, if it has any.

    Returns at once. What goes wrong is logged and told to the owner.

    :param host: a ``nova.virt.libvirt.host.Host``
    :param instance: a ``nova.objects.Instance``
    """
    _source, text = _wanted(instance)
    if text is None and prompt.is_asked(instance):
        text = _ANY_KEY
    steps = keys.parse(text or '')
    if not (steps and CONF.newos.boot_keys_timeout):
        return
    # With eventlet it is a green one.
    threading.Thread(
        target=_Typist(host, instance).run,
        args=(steps,),
        name=f'newos-keys-{instance.uuid}',
        daemon=True,
    ).start()


def _wanted(instance):
    """Where keys are asked for, and the text, None if they are not."""
    if KEYS in instance.metadata:
        return 'server', instance.metadata[KEYS]
    properties = layout.image_properties(instance.system_metadata)
    return 'image', properties.get(KEYS)


def _refuse(source, reason):
    raise exception.BootKeysRefused(source=source, reason=reason)


class _Typist:
    """Types into one start of a server, and no other."""

    def __init__(self, host, instance):
        """Nothing is asked of libvirt yet; the time begins to run."""
        self._host = host
        self._instance = instance
        self._end = time.monotonic() + CONF.newos.boot_keys_timeout
        self._start = None
        self._iso = None
        self._read = 0

    def run(self, steps):
        """Type them; never raises."""
        try:
            self._start = self._look_up().id
            self._type(steps)
        except (_Ended, nova_exception.InstanceNotFound):
            LOG.info(
                'The boot keys are not typed to their end, for the server '
                'was stopped',
                instance=self._instance,
            )
        except _TimedOut:
            self._warn(
                'not typed to their end within [newos] boot_keys_timeout='
                f'{CONF.newos.boot_keys_timeout}'
            )
        except Exception:
            LOG.exception('libvirt did not type', instance=self._instance)
            self._warn('not typed: ask the operator for the log')
        else:
            LOG.info('The boot keys were typed', instance=self._instance)

    def _type(self, steps):
        for step in keyboard.strokes(steps):
            match step:
                case keyboard.Stroke():
                    self._strike(step)
                case keys.Wait(seconds):
                    self._sleep(seconds)
                case keys.WaitIdle():
                    self._wait_idle()

    def _look_up(self):
        return self._host.get_guest(self._instance)

    def _guest(self):
        """The guest, as long as it is that of this start."""
        guest = self._look_up()
        if guest.id != self._start:
            raise _Ended
        return guest

    def _sleep(self, seconds):
        left = self._end - time.monotonic()
        if seconds > left:
            raise _TimedOut
        while seconds > _SLICE:
            time.sleep(_SLICE)
            self._guest()
            seconds -= _SLICE
        time.sleep(seconds)

    def _strike(self, stroke):
        # Nova has no method for it.
        self._guest()._domain.sendKey(
            keyboard.CODESET,
            round(stroke.seconds * 1000),
            # A list: the binding takes no tuple.
            list(stroke.codes),
            len(stroke.codes),
            0,
        )
        # QEMU lets the keys go by itself, later.
        self._sleep(stroke.seconds + _GAP)

    def _wait_idle(self):
        """Until it has read since the last time, and then has not."""
        before = read = self._read
        since, ran = time.monotonic(), self._seconds_run()
        while read == before or not self._is_waiting(since, ran):
            self._sleep(_POLL)
            last, read = read, self._bytes_read()
            if read != last:
                since, ran = time.monotonic(), self._seconds_run()
        self._read = read

    def _is_waiting(self, since, ran):
        """Whether a guest waits that has not read since then.

        :param ran: the seconds that it had run until then
        """
        waited = time.monotonic() - since
        ran = self._seconds_run() - ran
        return waited >= IDLE and (ran >= _RAN or ran < _HALTED * waited)

    def _seconds_run(self):
        """Seconds for which the guest has had a processor."""
        return sum(vcpu.time for vcpu in self._guest().get_vcpus_info()) / 1e9

    def _bytes_read(self):
        guest = self._guest()
        self._iso = self._iso or _iso_of(guest)
        _requests, read, *_rest = guest.get_block_device(
            self._iso
        ).blockStats()
        return read

    def _warn(self, problem):
        text = f'boot keys were {problem}'
        LOG.warning('%s', text, instance=self._instance)
        try:
            owner.warn(self._instance._context, self._instance.uuid, text)
        except Exception:
            LOG.exception('The owner is not told', instance=self._instance)


def _iso_of(guest):
    """Name of the install ISO's device."""
    (iso,) = (
        disk
        for disk in guest.get_all_disks()
        if os.path.basename(disk.source_path or '') == layout.STOCK_ROOT
    )
    return iso.target_dev
