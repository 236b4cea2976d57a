#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of virt-vgpu: usage, exit codes, tables and JSON against a fake daemon, files, doctor
# on a made tree. Needs no GPU, no libvirtd (libvirt's test driver) and no system bus.
# shellcheck disable=SC2154 # tests and failures are counted in functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-cli.sh" --on-bus
fi

tmp=$(mktemp -d)
manager='' libvirtd='' events=''
cleanup()
{
    for pid in $manager $libvirtd $events; do
        kill "$pid" 2> /dev/null
    done
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml"
unset VIRT_VGPU_ROOT
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

# --- usage ------------------------------------------------------------------------------------
cli 0 --help
out "Usage: virt-vgpu VERB" "gpu-list" "--json" "-c, --connect URI"
sed -nE 's/^  ([a-z][a-z-]*( [a-z]+)?)  +.*/\1/p' "$tmp/out" > "$tmp/verbs"
sed 's/ .*//' "$tmp/verbs" | uniq > "$tmp/words"
"$builddir/virt-vgpu" help --words VERB | grep -v '^-' | cmp -s - "$tmp/words"
verdict $? "all verbs are listed, and no others are completed"
while read -r verb; do
    # shellcheck disable=SC2086 # those of a fleet have two words
    cli 0 $verb --help
    out "Usage: virt-vgpu $verb" "Example:" "virt-vgpu $verb"
    narrow
done < "$tmp/verbs"
cli 0 help create
out "virt-vgpu create GPU|VF PROFILE"
! grep -qe --columns -e --noheadings "$tmp/out"
verdict $? "no options about a table that it does not print"
cli 0 help list
out "  -o, --columns COLUMN,…  only these columns" "Columns for -o: domain, domain_uuid, index,"
cli 0 help host-export
[ "$(grep -c -- " -o" "$tmp/out")" -eq 1 ]
verdict $? "a letter stands for one option"
cli 0 --version
out "virt-vgpu "

cli 6
err "virtvgpud is not running"
cli 2 gpu-lst
err "unknown verb 'gpu-lst'; did you mean 'gpu-list'?"
cli 2 lits
err "did you mean 'list'?"
cli 2 help expalin
err "did you mean 'explain'?"
cli 2 frobnicate
err "unknown verb 'frobnicate'"
! grep -q "did you mean" "$tmp/err"
verdict $? "no suggestion for a word unlike any verb"
cli 2 list-gpus
err "unknown verb 'list-gpus'; did you mean 'gpu-list'?"
cli 2 gpus
err "did you mean 'gpu-list', 'gpu-info', 'gpu-enable'"
cli 2 help pool
err "did you mean 'pool-list', "
cli 2 list --jsn
err "unknown option --jsn; did you mean --json?"
cli 2 annotate x --profil=y
err "unknown option --profil; did you mean --profile?"
grep -qx "See 'virt-vgpu help annotate'." "$tmp/err"
verdict $? "names the help of the verb"
cli 2 atach
err "did you mean 'attach'?"
cli 2 list --frob
err "Unknown option --frob"
cli 2 list --bus elsewhere
err "unknown bus 'elsewhere'"
cli 2 gpu-info
err "an argument is missing: GPU"
cli 2 gpu-list 41:00.0
err "unexpected argument '41:00.0'"
cli 2 gpu-info 41:00
err "'41:00' is not a PCI address"
cli 2 create nowhere 'NVIDIA A2-4Q'
err "'nowhere' is not a PCI address"
cli 2 create 41:00.0 'NVIDIA A2-4Q' --uuid 12
err "'12' is not a UUID"
cli 2 destroy 12
err "'12' is not a UUID"
cli 2 explain
err "DOMAIN or --xml FILE is missing"
cli 2 explain web1 --xml "$tmp/x"
err "not both"
cli 2 annotate web1 --display off
err "--profile or --pool is missing"
cli 2 annotate web1 --remove --profile x
err "--remove cannot be combined with other settings"
cli 2 annotate --xml "$tmp/x" --remove --tenant acme
err "--remove cannot be combined with other settings"
cli 2 annotate web1 --remove --output "$tmp/y"
err "--output needs --xml"
cli 2 annotate --xml "$tmp/x" --remove --json
err "--output"
cli 2 annotate --xml "$tmp/x" --count 2
err "--profile or --pool is missing"
cli 2 annotate --xml "$tmp/x" --tenant acme
err "--profile or --pool is missing"
cli 2 annotate web1 --profile x --count 0
err "at least 1"
cli 2 annotate web1 --profile x --gpu 41
err "'41' is not a PCI address"
cli 2 annotate web1 --profile x --output "$tmp/y"
err "--output needs --xml"
cli 2 annotate --xml "$tmp/x" --profile x --json
err "--output"

# --- libvirt of another host ------------------------------------------------------------------
# elsewhere URI COMMAND ARGUMENT...: virt-vgpu ARGUMENT... with that URI prints COMMAND, to be run on that host
elsewhere()
{
    uri=$1
    command=$2
    shift 2
    cli 2 "$@"
    grep -qxF "virt-vgpu: $uri is the libvirt of another host, but virt-vgpu sees only the GPUs of this one; run it there: $command" \
        "$tmp/err"
    verdict $? "says $command"
}
elsewhere qemu+ssh://h2/system "ssh h2 virt-vgpu list --all" -c qemu+ssh://h2/system list --all
elsewhere qemu+ssh://h2/system "ssh h2 virt-vgpu list --all" list --connect=qemu+ssh://h2/system --all
elsewhere "qemu+libssh2://root@h2.example.org:2222/system?keyfile=/k" \
    "ssh -p 2222 root@h2.example.org virt-vgpu gpu-info 41:00.0 --json" \
    gpu-info 41:00.0 --json --connect "qemu+libssh2://root@h2.example.org:2222/system?keyfile=/k"
elsewhere qemu+tls://me@h2:16514/system "ssh h2 virt-vgpu start web1" start -c qemu+tls://me@h2:16514/system web1
elsewhere qemu://h2/system "ssh h2 virt-vgpu" -c qemu://h2/system
elsewhere qemu+ssh://h2/system "ssh h2 \"virt-vgpu annotate web1 --profile 'NVIDIA A2-4Q'\"" \
    -c qemu+ssh://h2/system annotate web1 --profile 'NVIDIA A2-4Q'
elsewhere qemu+ssh://h2/system "ssh h2 'virt-vgpu destroy '\\''\$x'\\'''" -c qemu+ssh://h2/system destroy "\$x"
LIBVIRT_DEFAULT_URI=qemu+ssh://h2/system elsewhere qemu+ssh://h2/system \
    "ssh h2 virt-vgpu explain web1 (the URI is that of LIBVIRT_DEFAULT_URI)" explain web1
# verbs that need no host
for verb in "help" "version" "help --words VERB"; do
    # shellcheck disable=SC2086
    cli 0 -c qemu+ssh://h2/system $verb
done
# URIs that name this host are passed to libvirt
own=$(uname -n)
for uri in "test://localhost/x" "test://127.0.0.1/x" "test://[::1]/x" "test://$own/x" "test://${own%%.*}/x" \
    "test+unix:///x?socket=$tmp/none"; do
    cli 6 inject web1 -c "$uri"
    err "cannot connect to libvirt at $uri"
done
cli 6 list -c qemu:///session
err "virtvgpud is not running"

# --- no daemon --------------------------------------------------------------------------------
cli 6 gpu-list
err "virtvgpud is not running; start it with 'systemctl start virtvgpud'"
cli 6 events
err "virtvgpud is not running"
cli 0 version --json
json '"daemon_version":null'
VIRT_VGPU_BUS=system DBUS_SYSTEM_BUS_ADDRESS="unix:path=$tmp/none" cli 6 list
err "cannot reach the system bus"

# --- files ------------------------------------------------------------------------------------
domain() # NAME UUID ANNOTATION
{
    echo "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <name>$1</name>
  <uuid>$2</uuid>
  <metadata>$3</metadata>
  <memory>65536</memory>
  <os><type>hvm</type></os>
  <devices><graphics type='vnc'/></devices>
  <test:runstate>5</test:runstate>
</domain>"
}
annotation='<vgpu:devices xmlns:vgpu="urn:virt-vgpu:domain:1">'
annotation="$annotation<vgpu:device profile=\"A2-4Q\"/></vgpu:devices>"
web1=aaaaaaaa-0000-4000-8000-000000000001
domain web1 $web1 "$annotation" > "$tmp/web1.xml"
domain web1 $web1 "" > "$tmp/plain.xml"
{
    echo "<node>"
    domain web1 $web1 "$annotation"
    domain big bbbbbbbb-0000-4000-8000-000000000002 \
        "$(echo "$annotation" | sed 's/A2-4Q/A2-16Q/')"
    domain denied dddddddd-0000-4000-8000-000000000003 ""
    domain tight cccccccc-0000-4000-8000-000000000005 "$annotation" |
        sed "s|<os>|<memtune><hard_limit>1024</hard_limit></memtune>&|"
    domain calm eeeeeeee-0000-4000-8000-000000000004 ""
    domain crooked ffffffff-0000-4000-8000-000000000006 \
        "$(echo "$annotation" | sed 's/profile="A2-4Q"/colour="blue"/')"
    domain later 99999999-0000-4000-8000-000000000007 "$(echo "$annotation" | sed 's/domain:1"/domain:7"/')"
    echo "</node>"
} > "$tmp/node.xml"

cli 0 validate "$tmp/web1.xml"
out "$tmp/web1.xml: valid, 1 vGPU" "not checked; 'virt-vgpu explain --xml $tmp/web1.xml' does that."
cli 0 validate "$tmp/plain.xml"
out "$tmp/plain.xml: valid, no annotation found"
! grep -q "not checked" "$tmp/out"
verdict $? "without an annotation there is nothing left to check"
stdin=$tmp/web1.xml cli 0 validate -
out "standard input: valid, 1 vGPU"
cli 0 --json validate "$tmp/web1.xml"
json '"valid":true,"line":null,"reason":null,"findings":[]'
printf '<?xml version="1.0"?>\n<!-- mine -->\n%s\n' "$annotation" > "$tmp/bare.xml"
cli 0 validate "$tmp/bare.xml"
out "valid, 1 vGPU" "this host's GPUs were not checked."
printf '<?xml version="1.0"?>\n\n<vgpu:devices xmlns:vgpu="urn:virt-vgpu:domain:1">\n%s\n%s' \
    '<vgpu:device profile="x" colour="blue"/>' '</vgpu:devices>' > "$tmp/bad.xml"
cli 1 validate "$tmp/bad.xml"
err "$tmp/bad.xml: line 4: unknown attribute 'colour'"
cli 1 validate "$tmp/bad.xml" --json
json "\"file\":\"$tmp/bad.xml\",\"valid\":false,\"line\":4,\"reason\":\"unknownattribute'colour'"
silent
# elements that were meant as an annotation
echo "$annotation" | sed 's/domain:1/domains:1/' > "$tmp/space.xml"
cli 1 validate "$tmp/space.xml"
err "line 1: the namespace 'urn:virt-vgpu:domains:1' of <vgpu:devices> is not that of an annotation"
sed "s|<metadata/>||; s|<metadata></metadata>||; s|<graphics type='vnc'/>|$annotation|" "$tmp/plain.xml" > "$tmp/place.xml"
cli 1 validate "$tmp/place.xml"
err "$tmp/place.xml: line 7: <vgpu:devices> is in <devices>, where libvirt drops it"
cli 1 validate "$tmp/place.xml" --json
json '"valid":false,"line":7,"reason":"<vgpu:devices>isin' '"findings":[{"severity":"error","line":7,'
cli 1 annotate --xml "$tmp/place.xml"
err "line 7: <vgpu:devices> is in <devices>, where libvirt drops it"
domain web1 $web1 "<devices><device profile='A2-4Q'/></devices>" > "$tmp/bald.xml"
cli 1 validate "$tmp/bald.xml"
err "line 4: <devices> has no namespace, and libvirt drops it"
echo "<network/>" > "$tmp/network.xml"
cli 1 validate "$tmp/network.xml"
err "line 1: <network> is not a <domain>"
sed 's/aaaaaaaa-0000-4000-8000-/aaaaaaaa000040008000/' "$tmp/web1.xml" > "$tmp/dashless.xml"
cli 0 validate "$tmp/dashless.xml"
out "valid, 1 vGPU"
# elements that conflict with the vGPU
qemu="<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
qemu="$qemu<qemu:arg value='-set'/><qemu:arg value='device.hostdev0.x-igd-opregion=on'/></qemu:commandline>"
sed "s|<test:runstate>|$qemu&|" "$tmp/web1.xml" > "$tmp/wiki.xml"
sed "s|<test:runstate>|$qemu&|" "$tmp/plain.xml" > "$tmp/wiki-plain.xml"
cli 0 validate "$tmp/wiki.xml"
out "valid, 1 vGPU"
err "$tmp/wiki.xml: line 8: warning: <qemu:commandline> names the device 'hostdev0'"
cli 0 validate "$tmp/wiki.xml" --json
json '"findings":[{"severity":"warning","line":8,'
silent
cli 0 annotate --xml "$tmp/wiki-plain.xml" --profile A2-4Q
err "$tmp/wiki-plain.xml: line 8: warning: <qemu:commandline> names the device 'hostdev0'"
out "ua-vgpu-0"
sed "s|<devices>|<memtune><hard_limit>1024</hard_limit></memtune>&|" "$tmp/web1.xml" > "$tmp/locked.xml"
cli 0 validate "$tmp/locked.xml"
err "line 7: warning: <hard_limit> is 1 MiB, and the domain has 64 MiB of memory"
sed "s|<graphics|<video><model type='virtio'/></video>&|" "$tmp/web1.xml" > "$tmp/video.xml"
cli 0 validate "$tmp/video.xml"
err "line 7: note: <video> 'virtio' is a second display"
cli 0 annotate --xml "$tmp/video.xml"
silent
sed 's/domain:1"/domain:7"/' "$tmp/bare.xml" > "$tmp/version.xml"
cli 1 validate "$tmp/version.xml"
err "line 3: "
sed "s|<metadata>|<metadata>$annotation|" "$tmp/web1.xml" > "$tmp/two.xml"
cli 1 validate "$tmp/two.xml"
err "line 4: "
sed "s|A2-4Q\"|A2-4Q\" uuid=\"11111111-2222-4333-8444-555555555555\"|" "$tmp/web1.xml" \
    > "$tmp/uuid.xml"
cli 1 validate "$tmp/uuid.xml"
err "11111111-2222-4333-8444-555555555555"
printf '<!DOCTYPE domain [<!ENTITY a "b">]>\n<domain/>' > "$tmp/dtd.xml"
cli 1 validate "$tmp/dtd.xml"
err "line 1: a document type declaration (DTD) is not allowed"
printf 'this is\nnot XML' > "$tmp/text.xml"
cli 1 validate "$tmp/text.xml"
err "$tmp/text.xml: line 1: "
head -c 5242880 /dev/zero | tr '\0' '\n' > "$tmp/large.xml"
cli 1 validate "$tmp/large.xml"
err "longer than 4 MiB"
stdin=$tmp/large.xml cli 1 annotate --xml - --profile x
err "longer than 4 MiB"
: > "$tmp/empty.xml"
cli 1 validate "$tmp/empty.xml"
err "$tmp/empty.xml: "
cli 3 validate "$tmp/missing.xml"
err "$tmp/missing.xml: No such file or directory"
cli 1 validate "$tmp"
err "$tmp: Is a directory"

cli 0 annotate --xml "$tmp/plain.xml" --profile 'NVIDIA A2-4Q' --profile 'NVIDIA A2-8Q' --count 2 \
    --gpu 41:00.0 --placement spread --late-attach off
silent
out 'name="NVIDIA A2-8Q"' 'count="2"' 'gpu="0000:41:00.0"' 'placement="spread"' \
    'lateAttach="off"' 'ua-vgpu-1'
cp "$tmp/out" "$tmp/once.xml"
cli 0 annotate --xml "$tmp/plain.xml" --profile A2-4Q --guest-address 07:00.0
out '<vgpu:hostdev>' '<address type="pci" domain="0x0000" bus="0x07" slot="0x00" function="0x0"/>'
grep -c 'bus="0x07"' "$tmp/out" | grep -qx 2
verdict $? "the address is in the annotation and on the hostdev"
cp "$tmp/out" "$tmp/placed.xml"
cli 0 validate "$tmp/placed.xml"
out "valid, 1 vGPU"
cli 2 annotate --xml "$tmp/plain.xml" --profile A2-4Q --guest-address nowhere
err "nowhere"
cli 0 annotate --xml "$tmp/plain.xml" --pool design --tenant 'acme & sons' --placement numa --driver-iso yes
err "no display: its profile is its pool's"
out 'tenant="acme &amp; sons"' 'pool="design"' 'placement="numa"' 'driverISO="yes"' 'ua-vgpu-0'
cli 2 annotate --xml "$tmp/plain.xml" --pool design --driver-iso on
err "attribute 'driverISO' on <vgpu:device> is 'on', expected one of: yes, no"
cli 0 validate "$tmp/once.xml"
out "valid, 2 vGPUs"
cli 0 annotate --xml "$tmp/once.xml"
cmp -s "$tmp/out" "$tmp/once.xml"
verdict $? "annotating again without a profile changes nothing"
cli 0 annotate --xml "$tmp/once.xml" --output "$tmp/once.xml" --json
json "\"domain\":\"$tmp/once.xml\",\"changes\":[]"
grep -v '<uuid>' "$tmp/plain.xml" > "$tmp/no-uuid.xml"
cli 0 annotate --xml "$tmp/no-uuid.xml" --profile A2-4Q --output "$tmp/with-uuid.xml"
out "$tmp/with-uuid.xml written"
grep -q '<uuid>' "$tmp/with-uuid.xml"
verdict $? "a UUID is added"
cli 0 annotate --xml "$tmp/plain.xml" --profile A2-4Q --migratable
silent
out '<qemu:device alias="ua-vgpu-0">' '<qemu:property name="enable-migration" type="string" value="on"/>'
cp "$tmp/out" "$tmp/migratable.xml"
cli 0 validate "$tmp/migratable.xml"
silent
cli 0 annotate --xml "$tmp/migratable.xml" --migratable
cmp -s "$tmp/out" "$tmp/migratable.xml"
verdict $? "made migratable again it is the same"
cli 1 annotate --xml "$tmp/plain.xml"
err "$tmp/plain.xml"
cli 1 annotate --xml "$tmp/dtd.xml" --profile A2-4Q
err "DTD"
cli 3 annotate --xml "$tmp/plain.xml" --profile A2-4Q --output "$tmp/no/such/directory.xml"
err "$tmp/no/such"

# --- annotating, and removing annotations -------------------------------------------------------
cli 0 annotate web1
printf '%s\n' '<vgpu:devices xmlns:vgpu="urn:virt-vgpu:domain:1">' '  <vgpu:device profile="A2-4Q"/>' \
    '</vgpu:devices>' | cmp -s - "$tmp/out"
verdict $? "shows the annotation, in lines of its own"
silent
cp "$tmp/out" "$tmp/shown.xml"
cli 0 validate "$tmp/shown.xml"
cli 0 annotate $web1 --json
json '"domain":"web1","domain_uuid":"'$web1'","tenant":null,"keep_room":null,"devices":[{"index":0,' \
    '"profiles":["A2-4Q"],"pool":null,"gpu":null}],"xml":"<vgpu:devices'
cli 0 annotate calm
[ ! -s "$tmp/out" ]
verdict $? "nothing to show"
err "virt-vgpu: domain 'calm' has no annotation"
cli 0 annotate calm --json
json '"domain":"calm"' '"devices":[],"xml":null}'
silent
cli 1 annotate crooked
out '<vgpu:device colour="blue"/>'
err "domain 'crooked': line "
cli 3 annotate nobody
err nobody
cli 0 annotate web1 --migratable
out '<qemu:override xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">' '  <qemu:device alias="ua-vgpu-0">'
err "put it into the definition with 'virsh edit web1'"
cli 0 annotate web1 --migratable --json
json '{"domain":"web1","xml":"<qemu:override'
silent
cli 3 annotate calm --migratable
err "domain 'calm' has no vGPU that this applies to"
cli 2 annotate web1 --migratable --profile A2-4Q
err "--migratable of a domain only prints an element"
cli 2 annotate web1 --migratable --remove
err "--remove cannot be combined"
cli 0 annotate web1 --remove
out "Domain 'web1' is no longer annotated; its definition follows when virtvgpud runs"
cli 0 annotate crooked --remove
out "Domain 'crooked' is no longer annotated"
cli 0 annotate crooked --remove --json
json '{"domain":"crooked","changes":null}'
cli 0 annotate calm --remove
out "Domain 'calm' had no annotation"
cli 1 annotate later --remove
err "virt-vgpu: domain 'later': line "
sed "s|<domain type='test' \(.*\)>|<domain \1 type='test'>|; s|<metadata></metadata>||; s|'|\"|g" \
    "$tmp/plain.xml" | tr -d ' \n' > "$tmp/once-plain"
cli 0 annotate --xml "$tmp/once.xml" --remove
tr -d ' \n' < "$tmp/out" | cmp -s - "$tmp/once-plain"
verdict $? "a file is as it was before it was annotated"
cli 0 annotate --xml "$tmp/once.xml" --remove --output "$tmp/stripped.xml" --json
json '"changes":["annotationremoved","detachvGPU0' '"detachvGPU1'
tr -d ' \n' < "$tmp/stripped.xml" | cmp -s - "$tmp/once-plain"
verdict $? "also where --output says"
cli 0 annotate --xml "$tmp/plain.xml" --remove --output "$tmp/stripped.xml" --json
json '"changes":[]'
cli 1 annotate --xml "$tmp/network.xml" --remove
err "<network> is not a <domain>"

LIBVIRT_DEFAULT_URI=qemu+ssh://h2/system cli 0 annotate --xml "$tmp/plain.xml" --profile A2-4Q
silent
LIBVIRT_DEFAULT_URI=qemu+ssh://h2/system cli 0 validate "$tmp/plain.xml"

# --- the domains that virt-install prints -----------------------------------------------------
# Captured of virt-install 4.1.0: --connect test:///default --osinfo debian11 --disk none --network user, with
# --cdrom and --pxe, where it prints the domain of the installation and the one of after it, and with --import.
captured=$srcdir/tests/data/virt-install
for name in cdrom pxe; do
    cli 0 validate "$captured/$name.xml"
    out "$captured/$name.xml: domain 1 of 2: valid, no annotation found" "$captured/$name.xml: domain 2 of 2: valid"
    cli 0 annotate --xml "$captured/$name.xml" --profile 'NVIDIA A2-4Q'
    silent
    cp "$tmp/out" "$tmp/$name.xml"
    [ "$(grep -c '<vgpu:device ' "$tmp/$name.xml")" -eq 2 ] && [ "$(grep -c 'ua-vgpu-0' "$tmp/$name.xml")" -eq 2 ]
    verdict $? "both are annotated"
    [ "$(grep -c '<domain' "$tmp/$name.xml")" -eq 2 ] &&
        [ "$(grep '<address uuid=' "$tmp/$name.xml" | sort -u | wc -l)" -eq 1 ]
    verdict $? "their vGPU has one UUID"
    grep -q '<on_reboot>destroy' "$tmp/$name.xml"
    verdict $? "the parts for the installation stay"
    cli 0 validate "$tmp/$name.xml"
    out "domain 1 of 2: valid, 1 vGPU" "domain 2 of 2: valid, 1 vGPU"
    cli 0 annotate --xml "$tmp/$name.xml"
    cmp -s "$tmp/out" "$tmp/$name.xml"
    verdict $? "annotating again changes nothing"
    stdin=$captured/$name.xml cli 0 annotate --xml - --profile 'NVIDIA A2-4Q'
    cmp -s "$tmp/out" "$tmp/$name.xml"
    verdict $? "also from standard input"
    cli 0 annotate --xml "$tmp/$name.xml" --remove
    tr -d ' \n' < "$captured/$name.xml" > "$tmp/captured"
    tr -d ' \n' < "$tmp/out" | cmp -s - "$tmp/captured"
    verdict $? "and back"
done
cli 0 annotate --xml "$captured/import.xml" --profile 'NVIDIA A2-4Q'
[ "$(grep -c '<domain' "$tmp/out")" -eq 1 ]
verdict $? "one domain stays one"
# without virt-vgpu, by virt-install's own --xml
cli 0 validate "$captured/annotated.xml"
out "domain 1 of 2: valid, 1 vGPU" "domain 2 of 2: valid, 1 vGPU"
cli 0 annotate --xml "$captured/annotated.xml"
[ "$(grep -c 'ua-vgpu-0' "$tmp/out")" -eq 2 ]
verdict $? "the annotation that virt-install wrote is kept"
# the same UUID for both when they have none, another one for another domain
sed '/<uuid>/d' "$captured/cdrom.xml" > "$tmp/uuidless.xml"
sed '/<uuid>/d; s/web1/web2/' "$captured/cdrom.xml" >> "$tmp/uuidless.xml"
cli 0 annotate --xml "$tmp/uuidless.xml" --profile xxxgpu-Standard
[ "$(grep -o '<uuid>.*' "$tmp/out" | sort | uniq -c | sed 's/ *\([0-9]*\).*/\1/' | tr -d '\n')" = 22 ]
verdict $? "two of one name are one domain"
[ "$(grep -c "no display: it is not known" "$tmp/err")" -eq 2 ]
verdict $? "and are warned of once"
# a mistake in the second has its line
cat "$captured/import.xml" "$tmp/bad.xml" > "$tmp/second.xml"
cli 1 validate "$tmp/second.xml"
err "$tmp/second.xml: line $(($(wc -l < "$captured/import.xml") + 4)): unknown attribute 'colour'"
out "domain 1 of 2: valid"
cli 1 validate "$tmp/second.xml" --json
json '"valid":false,"line":'$(($(wc -l < "$captured/import.xml") + 4))
cli 1 annotate --xml "$tmp/second.xml" --profile A2-4Q
[ ! -s "$tmp/out" ]
verdict $? "nothing is printed when one of them is wrong"

# --- displays, where only the profile's name is known ------------------------------------------
sed "s/<graphics type='vnc'\/>/&<graphics type='egl-headless'\/>/" "$tmp/plain.xml" > "$tmp/gl.xml"
cli 0 annotate --xml "$tmp/plain.xml" --profile A2-4Q
out 'display="on" ramfb="on"'
silent
cli 0 annotate --xml "$tmp/plain.xml" --profile i915-GVTg_V5_4
out 'display="off" ramfb="off"'
err "$tmp/plain.xml: vGPU 0: no display: GVT-g needs OpenGL"
cli 0 annotate --xml "$tmp/gl.xml" --profile i915-GVTg_V5_4
out 'display="on" ramfb="on"'
silent
cli 0 annotate --xml "$tmp/plain.xml" --profile A2-4Q --console-vnc off
out 'display="off" ramfb="off"'
err "no display: consoleVNC='off'"
cli 0 annotate --xml "$tmp/plain.xml" --profile xxxgpu-Standard
out 'display="off" ramfb="off"'
err "no display: it is not known"
cli 0 annotate --xml "$tmp/plain.xml" --profile xxxgpu-Standard --display off
silent
cli 1 annotate --xml "$tmp/plain.xml" --profile i915-GVTg_V5_4 --display on
err "display='on', but GVT-g needs OpenGL"
err "write display='off' to go without"
cli 0 annotate --xml "$tmp/plain.xml" --profile xxxgpu-Standard --display on --output "$tmp/shown.xml"
err "vGPU 0: display='on', but it is not known"
cli 0 validate "$tmp/shown.xml"
out "valid, 1 vGPU"
err "$tmp/shown.xml: vGPU 0: display='on', but it is not known"
cli 0 annotate web1 --profile xxxgpu-Standard --display off
silent

# --- domains, without the daemon --------------------------------------------------------------
cli 0 annotate web1 --profile 'NVIDIA A2-4Q'
out "Domain 'web1' annotated; its definition follows when virtvgpud runs"
cli 0 annotate $web1 --profile 'NVIDIA A2-4Q' --json
json '{"domain":"web1","changes":null}'
cli 3 annotate web2 --profile x
err "web2"
cli 2 annotate web1 --profile x --display off --ramfb on
err "ramfb"
cli 6 start web1
err "virtvgpud is not running"
cli 6 annotate web1 --profile x --connect "test://$tmp/missing.xml"
err "missing.xml"

# --- with the daemon --------------------------------------------------------------------------
start_manager
vgpu=11111111-2222-5333-8444-555555555555

cli 0 annotate --xml "$tmp/plain.xml" --pool design
out 'display="on" ramfb="on"'
silent

# Without a verb, the overview.
cli 0
out "GPUs:      2, of which 1 can make vGPUs" "vGPUs:" "Pools:" "'virt-vgpu help' all verbs"
silent
narrow

# In the C locale, too, names are UTF-8.
LC_ALL=C cli 0 annotate --xml "$tmp/plain.xml" --profile A2-4Q --tenant büro
out 'tenant="b&#xFC;ro"'

# A reader that closes the pipe is not an error.
mkfifo "$tmp/unread"
exec 9<> "$tmp/unread"
exec 8> "$tmp/unread"
exec 9>&-
for verb in list help 'gpu-info 41:00.0 --json'; do
    # shellcheck disable=SC2086
    "$builddir/virt-vgpu" $verb >&8 2> "$tmp/err"
    [ "$?:$(cat "$tmp/err")" = 141: ]
    verdict $? "$verb ends silently when its reader has"
done
exec 8>&-

# Each listing fits 80 columns, and has the keys of its verb.
cli 0 gpu-list
out "0000:41:00.0  A2 with" "2/16" "0000:e1:00.0  -" "no driver"
narrow
! grep -q 05:00.0 "$tmp/out"
verdict $? "the server's console is left out"
cli 0 gpu-list --all
out "0000:05:00.0  ASPEED"
cli 0 gpu-list --json
! grep -q 05:00.0 "$tmp/out"
verdict $? "also as JSON"
for verb in gpu-info profile-list gpu-enable mig-list; do
    cli 3 $verb 41:00.4
    err "virt-vgpu: 0000:41:00.4 is a virtual function of GPU 0000:41:00.0; name the GPU"
done
cli 3 gpu-info 41:00.7
err "virt-vgpu: no such GPU"
cli 0 --wide gpu-list
out "NVIDIA A2 with a name that is far too long for a table" pci_0000_41_00_0
cli 0 gpu-list --json
json '"address":"0000:e1:00.0","nodedev":null,"vendor":null,"product":null,"name":null' \
    '"driver":null,"interface":"none","numa_node":null,"vfs_total":null,"vfs_enabled":null' \
    '"vfs_enabled":null,"vgpus":0' \
    '"vfs_total":16,'
for address in 0000:41:00.0 41:00.0 pci_0000_41_00_0; do
    cli 0 gpu-info $address
    out "0000:41:00.5" "VFs enabled:"
    narrow
done
cli 0 gpu-info 41:00.0 --json
json '"vgpus":1,"cordoned":null,"mig":true,"mixed":false,"passed_through":false,"vfs":[{"address":"0000:41:00.4"' \
    '"state":"free","driver":null,"profile":null,"uuid":null,"creatable":["NVIDIAA2-4Q","NVIDIAA2-8Q"],' \
    '"state":"used","driver":null,"profile":null,"uuid":null,"creatable":null,"framebuffer_mib":null}],"gpu_instances":[{"gi":3,"profile"' \
    '"profiles":[{"gpu":"0000:41:00.0","id":"nvidia-746"'
cli 3 gpu-info 41:00.1
err "virt-vgpu: no such GPU"
cli 0 profile-list
out "0000:41:00.0  nvidia-746 " "NVIDIA A2-4Q " "0000:61:00.0: it is too old"
narrow
cli 0 --json profile-list 41:00.0
json '"gpu":"0000:41:00.0","id":"nvidia-746","name":"NVIDIAA2-4Q","framebuffer_mib":4096' \
    '"num_heads":4,"frl":60,"max_resolution":"7680x4320","max_instances":4,"capacity":4,"available":3' \
    '"max_per_domain":16,"interface":"mdev","series":"Q"' \
    '"needs_license":"NVIDIARTXVirtualWorkstation","purpose":"virtualworkstation"}]'
cli 0 --json profile-list
json '"max_per_domain":null,"interface":"vendor-vfio","series":null,"needs_license":null,"purpose":null}'
cli 0 profile-list 42:00.0
[ "$(wc -l < "$tmp/out")" -eq 2 ]
verdict $? "an empty list is its header"
cli 0 --json profile-list 42:00.0
json '[]'
cli 0 list
out "web1    0  0000:41:00.0  0000:41:00.4  NVIDIA A2-4Q  active"
cli 0 list --all
out "a domain with a v…" " RTX6000-Ada-24Q " planned
narrow
out "cad1  " "active *" "-                   -  0000:61:00.0  0000:61:00.4  -" \
    "* the domain's vGPUs differ from its definition"
cli 0 list --all -o DOMAIN,uuid,state,domain_uuid
out " Domain                                            UUID  " "88888888-2222-5333-8444-555555555555  active" \
    "a domain with a very long name that does not fit"
cli 0 list --noheadings -o domain,state
printf 'web1  active\n' | cmp -s - "$tmp/out"
verdict $? "the cells and nothing else"
cli 0 gpu-list --noheadings --columns board,vfs,status
out "A2 with a name that is far too long for a table  2/16  ok"
cli 2 list -o frob
err "there is no column 'frob'; the columns are domain, domain_uuid, index, uuid, gpu, parent, profile, "
cli 2 list -o fb_used_mib
err "there is no column 'fb_used_mib'"
cli 0 list --stats -o fb_used_mib
cli 2 list -o domain --json
err "-o applies to tables, and --json prints none"
cli 2 inventory --noheadings
err "--noheadings applies to verbs that print a single table"
cli 0 --all list --json
json '"domain":"web1","domain_uuid":"aaaaaaaa-0000-4000-8000-000000000001","index":0' \
    "\"uuid\":\"$vgpu\",\"gpu\":\"0000:41:00.0\",\"parent\":\"0000:41:00.4\"" \
    '"profile":"NVIDIAA2-4Q","profile_id":"nvidia-746","interface":"mdev","pool":null' \
    '"tenant":null,"restart_needed":false,"state":"active"}' '"state":"planned"},{' \
    '"uuid":null,"gpu":"0000:61:00.0","parent":"0000:61:00.4","profile":null' '"state":"foreign"}]'
cli 0 list
! grep -q '\*' "$tmp/out"
verdict $? "no mark where nothing needs a restart"
cli 0 list --all --wide
out "design  acme    yes"
cli 0 create 41:00.0 'NVIDIA A2-4Q'
out "vGPU $vgpu created on 0000:41:00.5"
cli 0 create --json --persistent pci_0000_41_00_0 A2-4Q \
    --uuid 99999999-AAAA-4333-8444-555555555555
json '"uuid":"99999999-aaaa-4333-8444-555555555555"' '"gpu":"0000:41:00.0"' '"state":"planned"' \
    '"pool":null'
cli 4 create 41:00.0 full
err "virt-vgpu: GPU 0000:41:00.0: no room for full"
cli 3 create 41:00.0 'NVIDIA A2-4X'
err "GPU 0000:41:00.0 has no profile 'NVIDIA A2-4X'; did you mean 'NVIDIA A2-4Q'?"
cli 0 destroy $vgpu
out "vGPU $vgpu destroyed"
cli 0 destroy $vgpu --json
json "{\"uuid\":\"$vgpu\",\"done\":true}"
cli 3 destroy 99999999-2222-5333-8444-555555555555
err "virt-vgpu: no such vGPU"
cli 0 destroy --help
out "made with 'create'" "for a saved vGPU, gives up the room"

cli 0 explain web1
out "web1: a start is possible now" "vGPU 0: NVIDIA A2-4Q on 0000:41:00.0" "vGPU  GPU           Verdict  Reason" \
    " 0     0000:41:00.0  fits     on 0000:41:00.4" \
    "Room now:" "  0000:41:00.0  NVIDIA A2-4Q: 3, NVIDIA A2-8Q: 1" "  0000:61:00.0  NVIDIA L40S-8Q: 2"
! grep -q "Did you mean" "$tmp/out"
verdict $? "no suggestion where all is well"
cli 0 explain web1 --noheadings -o gpu,verdict
printf '0000:41:00.0  fits\n' | cmp -s - "$tmp/out"
verdict $? "explain -o: the table of GPUs alone"
cli 0 explain --xml "$tmp/web1.xml" --json
json '{"possible":true,"plan":[{"index":0,"profile":"NVIDIAA2-4Q","gpu":"0000:41:00.0",' \
    '"parent":"0000:41:00.0","state":"planned","note":null}],"candidates":[{"index":0,"gpu":' \
    '"verdict":"fits","reason":"on0000:41:00.4"}],"reason":null,"available":[{"gpu":' \
    '{"gpu":"0000:61:00.0","id":"nvidia-1155","name":"NVIDIAL40S-8Q","available":2}]}'
cli 1 explain big
out "big: a start is not possible now" "no-room" "web1" \
    "domain big: NVIDIA A2-16Q: no GPU has room for it; the nearest is"
narrow
sed 's/A2-4Q/A2-4X/' "$tmp/web1.xml" > "$tmp/misspelt.xml"
cli 1 explain --xml "$tmp/misspelt.xml"
out "$tmp/misspelt.xml: a start is not possible now" "no GPU has that profile" \
    "Did you mean 'NVIDIA A2-4Q'?"
cli 1 explain big --json
json '{"possible":false,"plan":[],'
silent
# annotated output of virt-install
cli 0 explain --xml "$tmp/cdrom.xml"
out "$tmp/cdrom.xml: a start is possible now"
cat "$tmp/web1.xml" "$tmp/cdrom.xml" | sed 's/<name>web1</<name>web2</' | sed '1,/web2/s/web2/web1/' > "$tmp/others.xml"
cli 1 explain --xml "$tmp/others.xml"
err "$tmp/others.xml has several domains, 'web1' and 'web2': explain them one by one"
cli 1 explain --xml "$tmp/bad.xml"
err "$tmp/bad.xml: line 3"
cli 0 explain $web1
cli 3 explain nobody
err "nobody"

cli 0 annotate web1 --profile A2-4Q
out "Domain 'web1' annotated" "attach vGPU 0 ($vgpu)"
silent
cli 3 annotate web1 --profile A2-4Q --pool desing
err "there is no pool 'desing'; see 'virt-vgpu pool-list'; did you mean 'design'?"
cli 3 annotate web1 --pool nosuch
err "there is no pool 'nosuch'; see 'virt-vgpu pool-list'"
cli 0 annotate web1 --profile A2-4X
out "Domain 'web1' annotated"
err "warning: no GPU of this host has the profile 'A2-4X'; did you mean 'NVIDIA A2-4Q'? web1 will not start here"
cli 0 annotate web1 --profile A2
err "warning: no GPU of this host has the profile 'A2' (see 'virt-vgpu profile-list'); web1 will not start here"
cli 0 annotate web1 --profile T4-16C --profile A2-4Q
err "warning: no GPU of this host has the profile 'T4-16C' (see 'virt-vgpu profile-list')"
! grep -q "will not start" "$tmp/err"
verdict $? "with an alternative it may start"
cli 0 annotate web1 --profile A2-4Q --gpu 99:00.0
err "warning: this host has no GPU 0000:99:00.0 (see 'virt-vgpu gpu-list'); web1 will not start here"
cli 0 annotate web1 --profile A2-4Q --gpu 41:00.4
silent
cli 0 annotate web1 --profile L40S-8Q --gpu 41:00.0
err "warning: GPU 0000:41:00.0 does not have the profile 'L40S-8Q', 0000:61:00.0 has it (see 'virt-vgpu profile-list'); web1 will not start here"
# another host's XML
cli 0 annotate --xml "$tmp/plain.xml" --profile A2 --pool nosuch
err "warning: this host has no pool 'nosuch' (see 'virt-vgpu pool-list'); web1 will not start here"
err "warning: no GPU of this host has the profile 'A2'"
out 'profile="A2"'
# hostdevs that the domain has already
sed "s|<graphics|<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x41' slot='0' function='4'/></source></hostdev>&|" \
    "$tmp/web1.xml" > "$tmp/vf.xml"
cli 0 annotate --xml "$tmp/vf.xml"
err "line 7: warning: the domain already has a <hostdev> of 0000:41:00.4, a virtual function of GPU 0000:41:00.0"
cli 0 explain --xml "$tmp/vf.xml"
err "line 7: warning: the domain already has a <hostdev> of 0000:41:00.4"
cli 0 explain --xml "$tmp/wiki.xml"
err "warning: <qemu:commandline> names the device 'hostdev0'"
cli 0 annotate web1 --remove
out "Domain 'web1' is no longer annotated" "attach vGPU 0 ($vgpu)"
cli 0 annotate denied --remove
out "Domain 'denied' had no annotation; its definition follows within a second"
cli 0 annotate denied --profile A2-4Q
silent
out "its definition follows within a second"
cli 0 inject web1
out "Domain 'web1': definition changed" "attach vGPU 0"
cli 0 inject tight
err "warning: <hard_limit> is 1 MiB, and the domain has 64 MiB of memory"
cli 0 start tight
err "warning: <hard_limit> is 1 MiB"
cli 0 inject calm
silent
out "Domain 'calm': nothing to change"
cli 0 inject calm --json
json '{"domain":"calm","changes":[]}'
cli 7 inject denied
err "virt-vgpu: only root may inject"
cli 0 start web1
out "Domain 'web1' started" "attach vGPU 0"
# a start that fails, and the message of NVIDIA's manager about it
mkdir "$tmp/bin"
cat > "$tmp/bin/journalctl" <<'EOF'
#!/bin/sh
case "$*" in --since=@[0-9]*' -q --no-pager -n 1000 -t nvidia-vgpu-mgr _UID=0')
    echo 'Feb 13 15:20:08 h nvidia-vgpu-mgr[9]: error: vmiop_log: (0x0): no room for it' ;;
esac
EOF
chmod +x "$tmp/bin/journalctl"
path=$PATH
PATH=$tmp/bin:$PATH
sed '/runstate/d' "$tmp/node.xml" > "$tmp/running.xml"
cli 1 start web1 --connect "test://$tmp/running.xml"
err "nvidia-vgpu-mgr reports: Feb 13 15:20:08: (0x0): no room for it"
PATH=$path
cli 0 start calm --json
json '{"domain":"calm","changes":[]}'
cli 7 start denied
err "only root may inject"

cli 0 reconcile --dry-run
out "remove  $vgpu  its domain is off"
cli 0 reconcile --json --dry-run
json "[{\"action\":\"remove\",\"uuid\":\"$vgpu\",\"reason\":\"itsdomainisoff\"}]"
cli 0 reconcile
cli 0 version
out "9.8.7" "connected to libvirt:  yes"
"$builddir/virt-vgpu" list > /dev/full 2> "$tmp/err"
[ $? -eq 1 ]
verdict $? "a full disk is an error"

# --- events -----------------------------------------------------------------------------------
# Events come from then on, so ask for one until it arrives.
has_event()
{
    "$builddir/virt-vgpu" reconcile > /dev/null && [ -s "$tmp/events" ]
}
for mode in --wide --json; do
    "$builddir/virt-vgpu" events $mode > "$tmp/events" 2> "$tmp/err" &
    events=$!
    until_true has_event
    verdict $? "events $mode prints at once"
    kill "$manager"
    until_true grep -q "is gone" "$tmp/err"
    verdict $? "events $mode says that the daemon went"
    start_manager
    until_true grep -q "is back" "$tmp/err"
    : > "$tmp/events"
    until_true has_event
    verdict $? "events $mode continues with the next daemon"
    kill -INT "$events"
    wait "$events"
    verdict $? "events $mode ends well when interrupted"
    events=''
    head -n 1 "$tmp/events" | tr -d '\0' > "$tmp/out"
    if [ $mode = --json ]; then
        json '{"time":"2026-01-02T03:04:05Z","event":"vgpu-removed","domain":null,' \
            "\"domain_uuid\":null,\"uuid\":\"$vgpu\",\"gpu\":null,\"parent\":null" \
            '"profile":null,"pool":null,"outcome":null,"reason":"itsdomainisoff","duration_ms":12,' \
            '"libvirt_ms":null,"downtime_ms":null,"data_bytes":null,"xid":null,"action":null,"text":null}'
    else
        out "2026-01-02T03:04:05Z vgpu-removed uuid=$vgpu reason='its domain is off' duration_ms=12"
    fi
done

# --- doctor -----------------------------------------------------------------------------------
root=$tmp/root
mkdir -p "$root/sys/kernel/iommu_groups/0" "$root/sys/module/vfio" "$root/sys/module/mdev" \
    "$root/sys/module/vfio_iommu_type1" "$root/dev/vfio" "$root/$hookdir" "$root/run" \
    "$root/usr/sbin" "$root/usr/share/dbus-1/system.d" "$root/sys/class/mdev_bus/0000:41:00.0" \
    "$root/etc/mdevctl.d/0000:41:00.0" "$root/var/lib/virt-vgpu/mdevs"
touch "$root/dev/vfio/vfio" "$root/usr/sbin/mdevctl" \
    "$root/usr/share/dbus-1/system.d/org.virtvgpu.Manager1.conf"
printf '#!/bin/sh\n' > "$root/usr/sbin/virt-vgpu-hook"
chmod 755 "$root/usr/sbin/virt-vgpu-hook"
ln -sr "$root/usr/sbin/virt-vgpu-hook" "$root/$hookdir/50-virt-vgpu"
sleep 0.1
sleep 600 &
libvirtd=$!
echo $libvirtd > "$root/run/libvirtd.pid"

check() # CHECK STATUS [TEXT]: what doctor says of CHECK
{
    tr -d '\n' < "$tmp/out" | sed 's/}/}\n/g' | grep -F "\"check\" : \"$1\"" > "$tmp/row"
    grep -F "\"status\" : \"$2\"" "$tmp/row" | grep -qF -- "${3:-}"
    verdict $? "doctor: $1 is $2 ${3:-}"
}
doctor() # EXIT
{
    cli "$1" doctor --json --root "$root"
}

doctor 0
for name in iommu "module vfio" "module vfio_iommu_type1" "module mdev" "vfio device" hook \
    "hook in libvirtd" mdevctl "mdevctl autostart" "bus policy" daemon leaks; do
    check "$name" ok
done
check libvirt warn "start libvirtd"
json '"fix":null'
VIRT_VGPU_ROOT=$root cli 0 doctor
out "  warn  libvirt: not connected" "        fix: start libvirtd"
narrow
cli 0 doctor --wide --root "$root"
out "start libvirtd"

echo $$ > "$root/run/virtqemud.pid"
doctor 1
check "hook in virtqemud" fail "reload virtqemud"
echo 999999999 > "$root/run/virtqemud.pid"
doctor 0
printf '#!/bin/sh\nvirsh list\n' > "$root/${hookdir%/*}/qemu"
printf '#!/bin/sh\necho 1 > /sys/bus/mdev/x\n' > "$root/$hookdir/10-mdev"
printf '#!/bin/sh\nlogger virshish\n' > "$root/$hookdir/20-other"
printf '#!/bin/sh\nvirsh list\n' > "$root/$hookdir/30-off"
chmod 755 "$root/${hookdir%/*}/qemu" "$root/$hookdir/10-mdev" "$root/$hookdir/20-other"
doctor 0
check "hook /${hookdir%/*}/qemu" warn "virsh"
check "hook /$hookdir/10-mdev" warn "mediated"
! grep -qE "20-other|30-off" "$tmp/out"
verdict $? "harmless and disabled hooks are not named"
for uuid in 11111111-0000-4000-8000-000000000001 22222222-0000-4000-8000-000000000002; do
    echo '{ "mdev_type": "nvidia-746", "start": "auto", "attrs": [] }' \
        > "$root/etc/mdevctl.d/0000:41:00.0/$uuid"
done
echo "[22222222-0000-4000-8000-000000000002]" > "$root/var/lib/virt-vgpu/mdevs/web1"
doctor 0
check "mdevctl autostart" warn 11111111-0000
! grep -q 22222222 "$tmp/out"
verdict $? "persistent vGPUs of virt-vgpu are not counted"

rm -r "$root/sys/kernel/iommu_groups/0" "$root/sys/module/mdev" "$root/sys/class/mdev_bus" \
    "$root/usr/sbin/mdevctl"
doctor 0
check iommu warn
check "module mdev" warn
check mdevctl warn
rm -r "$root/sys/module/vfio" "$root/dev/vfio" "$root/usr/share/dbus-1"
chmod 644 "$root/usr/sbin/virt-vgpu-hook"
doctor 1
check "module vfio" fail
check "vfio device" fail
check "bus policy" fail
check hook fail "not executable"
rm "$root/usr/sbin/virt-vgpu-hook"
doctor 1
check hook fail "points to nothing"
rm "$root/$hookdir/50-virt-vgpu"
doctor 1
check hook fail "does not exist"
kill "$manager"
manager=''
doctor 1
check daemon fail "systemctl start virtvgpud"
cli 1 doctor --root "$tmp/none"
out "root"

echo "1..$tests"
[ "$failures" -eq 0 ]
