# SPDX-License-Identifier: Apache-2.0

import random
import time
import tracemalloc
from unittest import mock

import ddt

from nova_newos import exception
from nova_newos.media.answers import detect
from tests.unit import base
from tests.unit.media.answers import samples

ENTITY = b"""\
<!DOCTYPE unattend [<!ENTITY a "%s">]>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
<settings pass="windowsPE">&a;</settings></unattend>
"""
EXTERNAL = b"""\
<!DOCTYPE profile [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<profile xmlns="http://www.suse.com/1.0/yast2ns">&a;</profile>
"""


def declared(data, encoding):
    """The same document with another encoding declared."""
    _declaration, rest = data.split(b'?>', 1)
    return b'<?xml version="1.0" encoding="%s"?>%s' % (encoding, rest)


#: Each level has ten of the one before.
LAUGHS = (
    b'<!DOCTYPE profile [<!ENTITY a0 "ha">'
    + b''.join(
        b'<!ENTITY a%d "%s">' % (level, b'&a%d;' % (level - 1) * 10)
        for level in range(1, 12)
    )
    + b']><profile xmlns="http://www.suse.com/1.0/yast2ns">&a11;</profile>'
)

#: Each merges the one before twice: a constructor would need 2**40 keys.
YAML_LAUGHS = b'#cloud-config\na0: &a0 {k: v}\n' + b''.join(
    b'a%d: &a%d {<<: [*a%d, *a%d]}\n' % (n, n, n - 1, n - 1)
    for n in range(1, 40)
)


@ddt.ddt
class RecogniseTest(base.TestCase):
    @ddt.data(
        (samples.KICKSTART, detect.KICKSTART),
        (samples.KICKSTART_WITHOUT_PACKAGES, detect.KICKSTART),
        (samples.KICKSTART.replace(b'\n', b'\r\n'), detect.KICKSTART),
        (b'%packages\n@core\n%end\n', detect.KICKSTART),
        (
            samples.KICKSTART_WITHOUT_PACKAGES.replace(b'\n', b'\r\n'),
            detect.KICKSTART,
        ),
        (b'%include /tmp/disks\nzerombr\nkeyboard de\n', detect.KICKSTART),
        (b'autopart\nclearpart --all\n# Gr\xfc\xdfe\n', detect.KICKSTART),
        (samples.AUTOINSTALL, detect.AUTOINSTALL),
        (b'\xef\xbb\xbf' + samples.AUTOINSTALL, detect.AUTOINSTALL),
        (b'#cloud-config\n"autoinstall": {version: 1}\n', detect.AUTOINSTALL),
        (b'#cloud-config\na: [1]\nautoinstall: {}\n', detect.AUTOINSTALL),
        (b'#cloud-config\n{autoinstall: {version: 1}}\n', detect.AUTOINSTALL),
        (b'#cloud-config\n---\nautoinstall: {}\n', detect.AUTOINSTALL),
        (
            b'#cloud-config\nautoinstall: {}\n---\n- other\n',
            detect.AUTOINSTALL,
        ),
        (samples.WINDOWS_PE, detect.AUTOUNATTEND),
        (samples.UTF_16, detect.AUTOUNATTEND),
        (samples.OFFLINE_SERVICING, detect.AUTOUNATTEND),
        (samples.SPECIALIZE, detect.UNATTEND),
        (
            b'<u:unattend xmlns:u="urn:schemas-microsoft-com:unattend"/>',
            detect.UNATTEND,
        ),
        (samples.AUTOYAST, detect.AUTOYAST),
        (b'\n' + samples.AUTOYAST, detect.AUTOYAST),
        (
            samples.AUTOYAST.replace(
                b'TYPE profile', b'TYPE profile SYSTEM "x"'
            ),
            detect.AUTOYAST,
        ),
        (samples.PRESEED, detect.PRESEED),
        (b'# mine\nd-i\tpartman/confirm\tboolean\ttrue\n', detect.PRESEED),
        (samples.IGNITION, detect.IGNITION),
        (samples.COMBUSTION, detect.COMBUSTION),
        (b'# combustion: prepare network\nls\n', detect.COMBUSTION),
    )
    @ddt.unpack
    def test_answers(self, data, kind):
        self.assertIs(kind, detect.recognise(data))

    @ddt.data(*samples.ORDINARY)
    def test_ordinary(self, name):
        self.assertIsNone(detect.recognise(samples.ORDINARY[name]))

    @mock.patch('yaml.parse', side_effect=AssertionError)
    def test_ordinary_cloud_config_is_not_parsed(self, _parse):
        self.assertIsNone(detect.recognise(b'#cloud-config\na: 1\n'))

    def test_junk(self):
        """64 KiB of it, again and again."""
        source = random.Random(6)
        for _ in range(20):
            self.assertIsNone(detect.recognise(source.randbytes(2**16)))

    @ddt.data(
        (samples.AUTOINSTALL + b'broken: [\n', 'Ubuntu autoinstall', 'line '),
        (b'#cloud-config\nautoinstall: *a\nb: }', 'autoinstall', 'line 3'),
        (
            b'#cloud-config\n# mine\n---\na: [\nautoinstall: {}\n',
            'autoinstall',
            '',
        ),
        (samples.WINDOWS_PE[:-4], 'Windows answer file', 'line 5'),
        (
            samples.WINDOWS_PE.replace(b'<component', b'<&component'),
            'Windows answer file',
            'line 3',
        ),
        (samples.AUTOYAST[:-4], 'AutoYaST profile', 'line 8'),
        (samples.IGNITION[:-4], 'Ignition', 'line '),
        (
            b'{"ignition": {"version": "3.3.0"}, "a": ' + b'[' * 30000,
            'Ign',
            '',
        ),
        (b'{"a": 1, "ignition": {"version": "3.3.0"},}', 'Ignition', 'line 1'),
        (
            b'{"ignition": {"config": {}, "version": "3.3.0"}, // mine\n}',
            'Ignition',
            'line 1',
        ),
        (b'{"ignition": {"version": "3.3.0",}}', 'Ignition', 'line 1'),
        (ENTITY % b'b', 'Windows answer file', 'entities'),
        *(
            (declared(data, encoding), kind, 'save it as UTF-8')
            for data, kind in (
                (samples.WINDOWS_PE, 'Windows answer file'),
                (samples.AUTOYAST, 'AutoYaST profile'),
            )
            # As Windows' editors convert it, two that expat does not know,
            # and one that nobody does.
            for encoding in (b'utf-16', b'gb2312', b'utf-7', b'utf-3')
        ),
        (EXTERNAL, 'AutoYaST profile', 'entities'),
        (LAUGHS, 'AutoYaST profile', 'entities'),
    )
    @ddt.unpack
    def test_broken(self, data, kind, reason):
        with self.assertRaises(exception.AnswersUnreadable) as caught:
            detect.recognise(data)
        self.assertIn(kind, str(caught.exception))
        self.assertIn(reason, str(caught.exception))
        self.assertLessEqual(len(str(caught.exception)), 190)

    @ddt.data(
        # Each element, and each attribute, would have the whole of it.
        b''.join(b'<b%d/>' % number for number in range(2000)),
        b'<n:a %s/>'
        % b' '.join(b'n:b%d=""' % number for number in range(2000)),
    )
    def test_namespace_is_written_out_nowhere(self, content):
        data = (
            b'<unattend xmlns="urn:schemas-microsoft-com:unattend">'
            b'<x xmlns="%s" xmlns:n="%s">%s</x></unattend>'
        ) % (b'a' * 20000, b'b' * 20000, content)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertEqual(detect.UNATTEND, detect.recognise(data))
        _now, most = tracemalloc.get_traced_memory()
        self.assertLess(most, 4 * 2**20)

    @ddt.data(b'u:', b'')
    def test_namespace_with_a_prefix(self, prefix):
        name = b':' + prefix[:-1] if prefix else b''
        data = (
            b'<%(p)sunattend xmlns%(n)s="urn:schemas-microsoft-com:unattend">'
            b'<%(p)ssettings pass="windowsPE"/></%(p)sunattend>'
        ) % {b'p': prefix, b'n': name}
        self.assertEqual(detect.AUTOUNATTEND, detect.recognise(data))

    def test_entities_in_the_attributes_of_the_root(self):
        """Replaced before its name is told, as far as expat allows."""
        data = LAUGHS.replace(b'<profile', b'<profile a="&a11;"')
        start = time.process_time()
        self.assertIsNone(detect.recognise(data))
        self.assertLess(time.process_time() - start, 5)

    @ddt.data(
        b'#cloud-config\nautoinstall: ' + b'{' * 48000,
        b'#cloud-config\nautoinstall: ' + b'[' * 48000,
        b'#cloud-config\nautoinstall:\n' + b'- ' * 24000,
    )
    def test_deep_yaml(self, data):
        """Refused before it takes the minutes that PyYAML would need."""
        start = time.process_time()
        with self.assertRaisesRegex(exception.AnswersUnreadable, 'levels'):
            detect.recognise(data)
        self.assertLess(time.process_time() - start, 20)

    def test_yaml_aliases_are_not_followed(self):
        data = YAML_LAUGHS + b'autoinstall: *a39\n'
        self.assertIs(detect.AUTOINSTALL, detect.recognise(data))


@ddt.ddt
class CheckTest(base.TestCase):
    """Files that have the name of answers."""

    @ddt.data(
        (detect.AUTOUNATTEND, samples.WINDOWS_PE),
        (detect.AUTOUNATTEND, samples.SPECIALIZE),
        (detect.UNATTEND, samples.WINDOWS_PE),
        (detect.AUTOYAST, samples.AUTOYAST),
        (detect.IGNITION, samples.IGNITION),
        (detect.KICKSTART, b'%include /run/install/other.ks'),
        (detect.PRESEED, b''),
        (detect.AUTOINSTALL, b'#cloud-config\n'),
        (detect.COMBUSTION, b'echo\n'),
    )
    @ddt.unpack
    def test_good(self, kind, data):
        detect.check(kind, data)

    @ddt.data(
        (detect.AUTOUNATTEND, samples.AUTOYAST),
        (detect.AUTOYAST, samples.WINDOWS_PE),
        (detect.AUTOYAST, samples.AUTOYAST[:-4]),
        (detect.UNATTEND, b''),
        (detect.IGNITION, b'{}'),
        (detect.AUTOUNATTEND, LAUGHS),
    )
    @ddt.unpack
    def test_bad(self, kind, data):
        with self.assertRaises(exception.AnswersUnreadable) as caught:
            detect.check(kind, data)
        self.assertLessEqual(len(str(caught.exception)), 190)
