#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints a dictionary for libFuzzer: the names and values of the public schemas in xml-schemas/, and other parts of
# libvirt's XML that the parsers look for.
set -eu
cd "${top_srcdir:-.}/xml-schemas"

quote() { sort -u | sed 's/[\\"]/\\&/g; s/.*/"&"/'; }

sed -n 's/.*<element name="\([^"]*\)".*/\1/p' ./*.rng | while read -r name; do
    printf '<%s\n</%s>\n' "$name" "$name"
done | quote
sed -n 's/.*<attribute name="\([^"]*\)".*/\1/p' ./*.rng | sed "s/\$/=''/" | quote
sed -n 's/.*<value[^>]*>\([^<]*\)<.*/\1/p' ./*.rng | quote
quote << 'END'
<vgpu:device
<vgpu:hostdev>
<vgpu:param
<vgpu:profile
<hostdev mode='subsystem' type='mdev' model='vfio-pci'>
<hostdev mode='subsystem' type='pci'>
<address domain='0x0000' bus='0x61' slot='0x00' function='0x4'/>
<alias name='ua-vgpu-0'/>
<alias name='ua-vgpu-driver'/>
<disk type='file' device='cdrom'>
<graphics type='vnc'/>
<metadata>
<source>
<uuid>
xmlns:vgpu='urn:virt-vgpu:domain:1'
urn:virt-vgpu:domain:2
<![CDATA[
]]>
<!--
-->
<?
&#x41;
&lt;
END
