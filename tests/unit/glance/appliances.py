# SPDX-License-Identifier: Apache-2.0
"""OVAs, descriptors and disks, as tools write them and as attackers do."""

import io
import struct
import tarfile

RASD = (
    'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
    'CIM_ResourceAllocationSettingData'
)
OVF_1 = 'http://schemas.dmtf.org/ovf/envelope/1'
OVF_2 = 'http://schemas.dmtf.org/ovf/envelope/2'
#: What VMware made before the standard.
OVF_0 = 'http://www.vmware.com/schema/ovf/1/envelope'


def item(kind, quantity, units=None, attributes=''):
    allocation = (
        f'<rasd:AllocationUnits>{units}</rasd:AllocationUnits>'
        if units
        else ''
    )
    return (
        f'<Item {attributes}>{allocation}'
        f'<rasd:ElementName>x</rasd:ElementName>'
        f'<rasd:InstanceID>{kind}</rasd:InstanceID>'
        f'<rasd:ResourceType>{kind}</rasd:ResourceType>'
        f'<rasd:VirtualQuantity>{quantity}</rasd:VirtualQuantity></Item>'
    )


CPUS = item(3, 2, 'hertz * 10^6')
MEMORY = item(4, 512, 'byte * 2^20')


def system(hardware=CPUS + MEMORY, name='<Name>Web shop</Name>'):
    return (
        f'<VirtualSystem ovf:id="vm-1"><Info>A machine</Info>{name}'
        '<OperatingSystemSection ovf:id="96"><Info>OS</Info>'
        '</OperatingSystemSection><VirtualHardwareSection><Info>H</Info>'
        f'{hardware}{item(17, 0)}</VirtualHardwareSection></VirtualSystem>'
    )


def file(identity='file1', href='disk.vmdk', more=''):
    return f'<File ovf:href="{href}" ovf:id="{identity}" {more}/>'


def disk(reference='file1', more=''):
    return (
        '<Disk ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^30" '
        f'ovf:diskId="vmdisk-{reference}" ovf:fileRef="{reference}" '
        'ovf:format="http://www.vmware.com/interfaces/specifications/'
        f'vmdk.html#streamOptimized" {more}/>'
    )


def descriptor(
    files=None, disks=None, systems=None, namespace=OVF_1, prologue=''
):
    files = file() if files is None else files
    disks = disk() if disks is None else disks
    systems = system() if systems is None else systems
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'{prologue}<Envelope xmlns="{namespace}" xmlns:ovf="{namespace}" '
        f'xmlns:rasd="{RASD}"><References>{files}</References>'
        f'<DiskSection><Info>Disks</Info>{disks}</DiskSection>'
        f'{systems}</Envelope>'
    ).encode()


def ova(*members, tar_format=tarfile.USTAR_FORMAT):
    """A tar archive of (name or TarInfo, content)."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode='w', format=tar_format) as tar:
        for name, content in members:
            info = name
            if isinstance(name, str):
                info = tarfile.TarInfo(name)
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


def member(name, kind, linkname=''):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = linkname
    return info


def raw(size=3 * 2**20):
    """With a boot sector."""
    content = bytearray(size)
    # One active partition of Linux.
    content[446:462] = struct.pack(
        '<B3sB3sII', 0x80, b'\0\2\0', 0x83, b'\0\3\0', 1, size // 512 - 1
    )
    content[510:512] = b'\x55\xaa'
    return bytes(content)


def qcow2(size=5 * 2**30 + 1, backing=0, incompatible=0):
    """The headers of one, version 3."""
    header = struct.pack(
        '>4sIQIIQIIQQIIQQQQII',
        *(b'QFI\xfb', 3, backing, 8 if backing else 0, 16, size),
        *(0, 0, 0x30000, 0x10000, 1, 0, 0, incompatible, 0, 0, 4, 104),
    )
    return header.ljust(2**16, b'\0')


_VMDK = """# Disk DescriptorFile
version=1
CID=3f2a1b0c
parentCID={parent_cid}
createType="{kind}"
{more}
# Extent description
RW {sectors} SPARSE "{extent}"

# The Disk Data Base
ddb.adapterType = "ide"
"""


def vmdk(
    size=2 * 2**30,
    kind='monolithicSparse',
    extent='disk.vmdk',
    parent_cid='ffffffff',
    more='',
):
    """The headers of one."""
    sectors = size // 512
    header = struct.pack(
        '<4sIIQQQQIQQQB',
        *(b'KDMV', 1, 3, sectors, 128, 1, 20, 512, 21, 26, 128, 0),
    )
    text = _VMDK.format(
        parent_cid=parent_cid,
        kind=kind,
        more=more,
        sectors=sectors,
        extent=extent,
    )
    content = header.ljust(512, b'\0') + text.encode().ljust(20 * 512, b'\0')
    return content.ljust(2**17, b'\0')


def iso():
    """A file system of a CD, without files."""
    content = bytearray(2**16)
    content[0x8000:0x8006] = b'\1CD001'
    content[0x8006] = 1
    content[0x8050:0x8058] = struct.pack('<I', 32) + struct.pack('>I', 32)
    content[0x8080:0x8084] = struct.pack('<HH', 2048, 2048)
    return bytes(content)


_NAMESPACES = (
    f'xmlns="{OVF_1}" xmlns:ovf="{OVF_1}" xmlns:rasd="{RASD}" '
    'xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
    'CIM_VirtualSystemSettingData" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
_STREAM_OPTIMIZED = (
    'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized'
)


def vmware(href, size, memory, firmware='bios'):
    """A descriptor in the manner of VMware's ovftool.

    :param size: bytes of the file
    :param memory: MiB
    :param firmware: or efi
    """
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!--Generated by VMware ovftool 4.4.0 (build-16360108), UTC time: 2021-01-01-->
<Envelope vmw:buildId="build-16360108" {_NAMESPACES}
 xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"
 xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:href="{href}" ovf:id="file1" ovf:size="{size}"/>
  </References>
  <DiskSection>
    <Info>Virtual disk information</Info>
    <Disk ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^30"
     ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="{_STREAM_OPTIMIZED}"
     ovf:populatedSize="9437184"/>
  </DiskSection>
  <NetworkSection>
    <Info>The list of logical networks</Info>
    <Network ovf:name="nat"><Description>nat</Description></Network>
  </NetworkSection>
  <VirtualSystem ovf:id="vm">
    <Info>A virtual machine</Info>
    <Name>probe</Name>
    <OperatingSystemSection ovf:id="96" vmw:osType="debian10_64Guest">
      <Info>The kind of installed guest operating system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware requirements</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>probe</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>
        <rasd:Description>Number of Virtual CPUs</rasd:Description>
        <rasd:ElementName>1 virtual CPU(s)</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>1</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:Description>Memory Size</rasd:Description>
        <rasd:ElementName>{memory}MB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>{memory}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:ElementName>disk0</rasd:ElementName>
        <rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
      <vmw:Config ovf:required="false" vmw:key="firmware"
       vmw:value="{firmware}"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
""".encode()


def virtualbox(href, memory, firmware=''):
    """A descriptor in the manner of VirtualBox 7.

    :param memory: MiB
    :param firmware: an element
    """
    return f"""<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" {_NAMESPACES}
 xmlns:vbox="http://www.virtualbox.org/ovf/machine">
  <References>
    <File ovf:id="file1" ovf:href="{href}"/>
  </References>
  <DiskSection>
    <Info>List of the virtual disks used in the package</Info>
    <Disk ovf:capacity="68157440" ovf:diskId="vmdisk1" ovf:fileRef="file1"
     ovf:format="{_STREAM_OPTIMIZED}"
     vbox:uuid="2f5b9d5c-2d5e-4a0e-9f1b-3a6a3c1f0d11"/>
  </DiskSection>
  <VirtualSystem ovf:id="probe">
    <Info>A virtual machine</Info>
    <OperatingSystemSection ovf:id="96">
      <Info>The kind of installed guest operating system</Info>
      <Description>Debian_64</Description>
      <vbox:OSType ovf:required="false">Debian_64</vbox:OSType>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Virtual hardware requirements for a virtual machine</Info>
      <Item>
        <rasd:Caption>2 virtual CPU</rasd:Caption>
        <rasd:Description>Number of virtual CPUs</rasd:Description>
        <rasd:ElementName>2 virtual CPU</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>2</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits>
        <rasd:Caption>{memory} MB of memory</rasd:Caption>
        <rasd:Description>Memory Size</rasd:Description>
        <rasd:ElementName>{memory} MB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>{memory}</rasd:VirtualQuantity>
      </Item>
    </VirtualHardwareSection>
    <vbox:Machine ovf:required="false" version="1.19-linux" name="probe"
     uuid="{{4c4c4544-0000-4000-8000-000000000001}}" OSType="Debian_64">
      <ovf:Info>Complete VirtualBox machine configuration</ovf:Info>
      <Hardware>
        <CPU count="2"/><Memory RAMSize="{memory}"/>{firmware}
      </Hardware>
      <StorageControllers>
        <StorageController name="SATA" type="AHCI" PortCount="1">
          <AttachedDevice type="HardDisk" port="0" device="0">
            <Image uuid="{{2f5b9d5c-2d5e-4a0e-9f1b-3a6a3c1f0d11}}"/>
          </AttachedDevice>
        </StorageController>
      </StorageControllers>
    </vbox:Machine>
  </VirtualSystem>
</Envelope>
""".encode()
