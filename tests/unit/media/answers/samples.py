# SPDX-License-Identifier: Apache-2.0
"""User data, most of it as the documentation of its reader shows it."""

import io
import tarfile

UUID = '8d1b0b0e-65fd-4b5c-8d71-8b8a5a4f5a55'

KICKSTART = b"""\
#version=RHEL9
text
cdrom
lang en_US.UTF-8
rootpw --plaintext secret
clearpart --all --initlabel
autopart --type=plain
poweroff
%packages
@core
%end
%post --log=/root/post.log
#!/bin/sh
FOO = bar
echo "installed" > /etc/motd
%end
"""

KICKSTART_WITHOUT_PACKAGES = b"""\
lang en_US.UTF-8
part / --size=2000 \\
    --grow
"""

AUTOINSTALL = b"""\
#cloud-config
autoinstall:
  version: 1
  identity: {hostname: golden, username: ubuntu, password: "$6$salt$hash"}
  storage:
    layout: &layout
      name: direct
"""

WINDOWS_PE = b"""\
<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <settings pass="windowsPE"><component name="x"/></settings>
  <settings pass="oobeSystem"/>
</unattend>
"""

OFFLINE_SERVICING = WINDOWS_PE.replace(b'windowsPE', b'offlineServicing')
SPECIALIZE = WINDOWS_PE.replace(b'windowsPE', b'specialize')
UTF_16 = b'\xff\xfe' + WINDOWS_PE.decode().replace('utf-8', 'utf-16').encode(
    'utf-16-le'
)

AUTOYAST = b"""\
<?xml version="1.0"?>
<!DOCTYPE profile>
<profile xmlns="http://www.suse.com/1.0/yast2ns"
         xmlns:config="http://www.suse.com/1.0/configns">
  <general>
    <mode><confirm config:type="boolean">false</confirm></mode>
  </general>
</profile>
"""

PRESEED = b"""\
#_preseed_V1
d-i debian-installer/locale string en_US.UTF-8
d-i partman/confirm boolean true
tasksel tasksel/first multiselect standard
"""

IGNITION = b"""\
{
  "ignition": {"version": "3.3.0"},
  "passwd": {"users": [{"name": "root", "passwordHash": "$6$salt$hash"}]}
}
"""

COMBUSTION = b"""\
#!/bin/bash
# combustion: network
zypper --non-interactive install vim-small
"""

#: What is for nobody but cloud-init, cloudbase-init or the user's own agent.
ORDINARY = {
    'shell script': b'#!/bin/sh\nlang=de\nrootpw\nclearpart\n',
    'script with preseed': b'#!/bin/sh\ncat > p <<E\n' + PRESEED + b'E\n',
    'script with kickstart': b'#!/bin/sh\ncat > k <<E\n' + KICKSTART + b'E\n',
    'cloud-config': b'#cloud-config\npackages: [vim]\n',
    'cloud-config that writes autoinstall': (
        b'#cloud-config\nwrite_files:\n- content: |\n   autoinstall:\n'
        b'  path: /autoinstall\n'
    ),
    'cloud-config with the word as a value': (
        b'#cloud-config\na: autoinstall\nb: {autoinstall: 1}\n'
    ),
    'cloud-config with a list of words': b'#cloud-config\n- autoinstall\n',
    'cloud-config with a list': b'#cloud-config\n- autoinstall: 1\n',
    'cloud-config with another document': (
        b'#cloud-config\na: 1\n---\nautoinstall: {version: 1}\n'
    ),
    'cloud-config with another broken document': (
        b'#cloud-config\n---\na: {}}\n---\nautoinstall:\n'
    ),
    'broken cloud-config': b'#cloud-config\nautoinstall_is: "here\n',
    'cloud-config-archive': b'#cloud-config-archive\nautoinstall: 1\n',
    'boothook': b'#cloud-boothook\nautoinstall: 1\n',
    'include': b'#include\nhttp://example.org/ks.cfg\n',
    'part handler': b'#part-handler\nautopart\nkeyboard b\n',
    'jinja': b'## template: jinja\n#cloud-config\nautoinstall: 1\n',
    'PowerShell': b'#ps1_sysnative\nautopart\nkeyboard b\n',
    'batch': b'rem cmd\nautopart\nkeyboard b\n',
    'PowerShell of EC2': (
        b'<powershell>\n@"\n' + WINDOWS_PE + b'"@ > a.xml & dir\n</powershell>'
    ),
    'other XML': b'<unattend xmlns="urn:example"/>',
    'unattend without its namespace': b'<unattend/>',
    'broken other XML': b'<html><br></html>',
    'XML that mentions Windows': (
        b'<a xmlns:u="urn:schemas-microsoft-com:unattend"><u:unattend/></a>'
    ),
    'broken XML that mentions Windows': (
        b'<doc>urn:schemas-microsoft-com:unattend</dok>'
    ),
    'other XML with entities, which mentions AutoYaST': (
        b'<!DOCTYPE profile [<!ENTITY a "b">]>'
        b'<notes>http://www.suse.com/1.0/yast2ns &a;</notes>'
    ),
    'other XML with external entities, which mentions AutoYaST': (
        b'<!DOCTYPE profile [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        b'<notes>http://www.suse.com/1.0/yast2ns &a;</notes>'
    ),
    'other XML in an encoding it does not declare': (
        b'<?xml version="1.0" encoding="utf-16"?>'
        b'<notes>http://www.suse.com/1.0/yast2ns</notes>'
    ),
    'other JSON': b'{"password": "secret"}',
    'JSON that mentions Ignition': b'{"a": {"ignition": {"version": "3"}}}',
    'Ignition without a version': b'{"ignition": {}}',
    'template of JSON': b'{"a": {{ b }}, "ignition": {"version": "3"}}',
    'broken JSON with Ignition below': (
        b'{"a": {"ignition": {"version": "3.3.0"}, }}'
    ),
    'broken JSON with another Ignition': b'{"ignition": {"key": 1}, }',
    'notes on Ignition': b'{see "ignition": {"version": "3.3.0"}}',
    'broken JSON': b'{"ignition": 1',
    'INI': b'[a]\nautopart = de\nkeyboard = de\n',
    'INI without sections': b'autopart = de\nkeyboard = de\n',
    'YAML': b'autopart: de\nkeyboard: de\nrootpw: x\n',
    'environment': b'autopart=de\nkeyboard=de\n',
    'notes on Combustion': b'see also\n# combustion: network\n',
    'kickstart in something binary': KICKSTART.replace(b'"', b'\0'),
    'one word of kickstart': b'clearpart --all\n',
    'settings of a host': (
        b'timezone Europe/Berlin\nkeyboard de\nlang de_DE\nhostname a\n'
    ),
    'prose': b'part of this text\nlang is short.\n\nUpper case begins here.\n',
    'kickstart for others': b'vmaccepteula\nclearpart x\n%firstboot\nlang x\n',
    'other debconf selections': b'tasksel tasksel/first string standard\n',
    'empty': b'',
    'blank': b' \n\t\n',
    'zeros': bytes(1024),
    'gzip magic': b'\x1f\x8b' + b'junk' * 200,
    'bzip2 magic': b'BZh9' + b'junk' * 200,
    'xz magic': b'\xfd7zXZ\0' + b'junk' * 200,
}


def tar(*members, mode='w', tar_format=tarfile.PAX_FORMAT):
    """A tar archive.

    :param members: each a (name, data) or a TarInfo
    :param mode: of tarfile.open()
    """
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode, format=tar_format) as archive:
        for member in members:
            data = b''
            if not isinstance(member, tarfile.TarInfo):
                name, data = member
                member = tarfile.TarInfo(name)
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def special(name, kind, **attributes):
    """A TarInfo of a link, device or the like."""
    member = tarfile.TarInfo(name)
    member.type = kind
    for key, value in attributes.items():
        setattr(member, key, value)
    return member


def multipart(*parts, boundary='=='):
    """A MIME multipart as cloud-init's make-mime writes it.

    :param parts: each a (name, data); a part without a name has None
    """
    lines = [
        f'Content-Type: multipart/mixed; boundary="{boundary}"'.encode(),
        b'MIME-Version: 1.0',
        b'',
    ]
    for name, data in parts:
        lines += [
            f'--{boundary}'.encode(),
            b'Content-Type: text/plain; charset="us-ascii"',
            b'MIME-Version: 1.0',
        ]
        if name is not None:
            lines.append(
                f'Content-Disposition: attachment; filename="{name}"'.encode()
            )
        # The line's end before a boundary belongs to the boundary.
        lines += [b'', data]
    return b'\n'.join([*lines, f'--{boundary}--'.encode(), b''])
