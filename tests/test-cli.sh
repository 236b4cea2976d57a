#!/bin/sh
# virt-vgpu as it is typed: usage, exit codes, tables and JSON against a fake daemon, files, doctor
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
sed -nE 's/^  ([a-z][a-z-]*)  +.*/\1/p' "$tmp/out" > "$tmp/verbs"
"$builddir/virt-vgpu" help --words VERB | grep -v '^-' | cmp -s - "$tmp/verbs"
verdict $? "all verbs are listed, and no others are completed"
while read -r verb; do
    cli 0 "$verb" --help
    out "Usage: virt-vgpu $verb" "Example:" "virt-vgpu $verb"
    narrow
done < "$tmp/verbs"
cli 0 help create
out "virt-vgpu create GPU PROFILE"
cli 0 --version
out "virt-vgpu "

cli 2
err "no verb given"
cli 2 gpu-lst
err "unknown verb 'gpu-lst'; did you mean 'gpu-list'?"
cli 2 lits
err "did you mean 'list'?"
cli 2 help expalin
err "did you mean 'explain'?"
cli 2 frobnicate
err "unknown verb 'frobnicate'"
! grep -q "did you mean" "$tmp/err"
verdict $? "no suggestion for what is far from every verb"
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
cli 2 annotate web1
err "--profile or --pool is missing"
cli 2 annotate --xml "$tmp/x" --count 2
err "--profile or --pool is missing"
cli 2 annotate --xml "$tmp/x" --tenant acme
err "--profile or --pool is missing"
cli 2 annotate web1 --profile x --count 0
err "at least 1"
cli 2 annotate web1 --profile x --gpu 41
err "'41' is not a PCI address"
cli 2 annotate web1 --profile x --output "$tmp/y"
err "--output goes with --xml"
cli 2 annotate --xml "$tmp/x" --profile x --json
err "--output"

# --- no daemon --------------------------------------------------------------------------------
cli 1 gpu-list
err "virtvgpud is not running; start it with 'systemctl start virtvgpud'"
cli 1 events
err "virtvgpud is not running"
cli 0 version --json
json '"daemon_version":null'
VIRT_VGPU_BUS=system DBUS_SYSTEM_BUS_ADDRESS="unix:path=$tmp/none" cli 1 list
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
    domain calm eeeeeeee-0000-4000-8000-000000000004 ""
    echo "</node>"
} > "$tmp/node.xml"

cli 0 validate "$tmp/web1.xml"
out "$tmp/web1.xml: valid, 1 vGPU"
cli 0 validate "$tmp/plain.xml"
out "valid, 0 vGPUs"
stdin=$tmp/web1.xml cli 0 validate -
out "standard input: valid, 1 vGPU"
cli 0 --json validate "$tmp/web1.xml"
json '"valid":true,"line":null,"reason":null'
printf '<?xml version="1.0"?>\n<!-- mine -->\n%s\n' "$annotation" > "$tmp/bare.xml"
cli 0 validate "$tmp/bare.xml"
out "valid, 1 vGPU"
printf '<?xml version="1.0"?>\n\n<vgpu:devices xmlns:vgpu="urn:virt-vgpu:domain:1">\n%s\n%s' \
    '<vgpu:device profile="x" colour="blue"/>' '</vgpu:devices>' > "$tmp/bad.xml"
cli 1 validate "$tmp/bad.xml"
err "$tmp/bad.xml: line 4: unknown attribute 'colour'"
cli 1 validate "$tmp/bad.xml" --json
json "\"file\":\"$tmp/bad.xml\",\"valid\":false,\"line\":4,\"reason\":\"unknownattribute'colour'"
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
cli 1 validate "$tmp/missing.xml"
err "$tmp/missing.xml: No such file or directory"
cli 1 validate "$tmp"
err "$tmp: Is a directory"

cli 0 annotate --xml "$tmp/plain.xml" --profile 'NVIDIA A2-4Q' --profile 'NVIDIA A2-8Q' --count 2 \
    --gpu 41:00.0 --placement spread --late-attach off
silent
out 'name="NVIDIA A2-8Q"' 'count="2"' 'gpu="0000:41:00.0"' 'placement="spread"' \
    'lateAttach="off"' 'ua-vgpu-1'
cp "$tmp/out" "$tmp/once.xml"
cli 0 annotate --xml "$tmp/plain.xml" --pool design --tenant 'acme & sons' --placement numa --driver-iso yes
err "no display: its profile is its pool's"
out 'tenant="acme &amp; sons"' 'pool="design"' 'placement="numa"' 'driverISO="yes"' 'ua-vgpu-0'
cli 1 annotate --xml "$tmp/plain.xml" --pool design --driver-iso on
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
cli 1 annotate --xml "$tmp/plain.xml"
err "$tmp/plain.xml"
cli 1 annotate --xml "$tmp/dtd.xml" --profile A2-4Q
err "DTD"
cli 1 annotate --xml "$tmp/plain.xml" --profile A2-4Q --output "$tmp/no/such/directory.xml"
err "$tmp/no/such"

# --- displays, where the profile's name is all there is ----------------------------------------
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
cli 1 annotate web2 --profile x
err "web2"
cli 1 annotate web1 --profile x --display off --ramfb on
err "ramfb"
cli 1 start web1
err "virtvgpud is not running"
cli 1 annotate web1 --profile x --connect "test://$tmp/missing.xml"
err "missing.xml"

# --- with the daemon --------------------------------------------------------------------------
start_manager
vgpu=11111111-2222-5333-8444-555555555555

cli 0 annotate --xml "$tmp/plain.xml" --pool design
out 'display="on" ramfb="on"'
silent

# Each listing fits 80 columns, and has the keys of its verb.
cli 0 gpu-list
out "0000:41:00.0  NVIDIA A2 with" "0000:e1:00.0  -"
narrow
cli 0 --wide gpu-list
out "NVIDIA A2 with a name that is far too long for a table" pci_0000_41_00_0
cli 0 gpu-list --json
json '"address":"0000:e1:00.0","nodedev":null,"vendor":null,"product":null,"name":null' \
    '"driver":null,"interface":"none","numa_node":null,"vfs_total":null,"vfs_enabled":null' \
    '"vfs_enabled":null,"vgpus":0' \
    '"vfs_total":16,'
for address in 0000:41:00.0 41:00.0 pci_0000_41_00_0; do
    cli 0 gpu-info $address
    out "0000:41:00.5" "VFs:"
    narrow
done
cli 0 gpu-info 41:00.0 --json
json '"vgpus":1,"mig":true,"mixed":false,"passed_through":false,"vfs":[{"address":"0000:41:00.4"' \
    '"state":"free","profile":null,"uuid":null,"creatable":["NVIDIAA2-4Q","NVIDIAA2-8Q"]}' \
    '"state":"used","profile":null,"uuid":null,"creatable":null}],"gpu_instances":[{"gi":3,"profile"' \
    '"profiles":[{"gpu":"0000:41:00.0","id":"nvidia-746"'
cli 1 gpu-info 41:00.1
err "virt-vgpu: no such GPU"
cli 0 profile-list
out "0000:41:00.0  nvidia-746 " "NVIDIA A2-4Q "
narrow
cli 0 --json profile-list 41:00.0
json '"gpu":"0000:41:00.0","id":"nvidia-746","name":"NVIDIAA2-4Q","framebuffer_mib":4096' \
    '"num_heads":4,"frl":60,"max_resolution":"7680x4320","max_instances":4,"available":3' \
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
out "web1    0  $vgpu  NVIDIA A2-4Q  active"
cli 0 list --all
out "a domain wit…" planned
narrow
out "cad1           0  88888888-2222-5333-8444-555555555555" "active *" \
    "* runs with something else than its definition has"
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
cli 1 create 41:00.0 full
err "virt-vgpu: GPU 0000:41:00.0: no room for full"
cli 1 create 41:00.0 'NVIDIA A2-4X'
err "GPU 0000:41:00.0 has no profile 'NVIDIA A2-4X'; did you mean 'NVIDIA A2-4Q'?"
cli 0 destroy $vgpu
out "vGPU $vgpu destroyed"
cli 0 destroy $vgpu --json
json "{\"uuid\":\"$vgpu\",\"done\":true}"
cli 1 destroy 99999999-2222-5333-8444-555555555555
err "virt-vgpu: no such vGPU"

cli 0 explain web1
out "web1: a start is possible now" "vGPU 0: NVIDIA A2-4Q on 0000:41:00.0" "fits     3 more fit" \
    "Room now:" "  0000:41:00.0  NVIDIA A2-4Q: 3, NVIDIA A2-8Q: 1" "  0000:61:00.0  NVIDIA L40S-8Q: 2"
! grep -q "Did you mean" "$tmp/out"
verdict $? "no suggestion where all is well"
cli 0 explain --xml "$tmp/web1.xml" --json
json '{"possible":true,"plan":["vGPU0:NVIDIAA2-4Qon0000:41:00.0"],"candidates":[{"gpu":' \
    '"verdict":"fits","reason":"3morefit","index":0}],"reason":null,"available":[{"gpu":' \
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
cli 1 explain --xml "$tmp/bad.xml"
err "$tmp/bad.xml: line 3"
cli 0 explain $web1
cli 1 explain nobody
err "nobody"

cli 0 annotate web1 --profile A2-4Q
out "Domain 'web1' annotated" "attach vGPU 0 ($vgpu)"
cli 0 annotate web1 --profile A2-4X --pool desing
err "no GPU of this host has the profile 'A2-4X' now; did you mean 'NVIDIA A2-4Q'?"
err "this host has no pool 'desing' now; did you mean 'design'?"
cli 0 annotate denied --profile A2-4Q
silent
out "its definition follows within a second"
cli 0 inject web1
out "Domain 'web1': definition changed" "attach vGPU 0"
cli 0 inject calm
out "Domain 'calm': nothing to change"
cli 0 inject calm --json
json '{"domain":"calm","changes":[]}'
cli 1 inject denied
err "virt-vgpu: only root may inject"
cli 0 start web1
out "Domain 'web1' started" "attach vGPU 0"
cli 0 start calm --json
json '{"domain":"calm","changes":[]}'
cli 1 start denied
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
    verdict $? "events $mode goes on with the next daemon"
    kill -INT "$events"
    wait "$events"
    verdict $? "events $mode ends well when interrupted"
    events=''
    head -n 1 "$tmp/events" | tr -d '\0' > "$tmp/out"
    if [ $mode = --json ]; then
        json '{"time":"2026-01-02T03:04:05Z","event":"vgpu-removed","domain":null,' \
            "\"domain_uuid\":null,\"uuid\":\"$vgpu\",\"gpu\":null,\"parent\":null" \
            '"profile":null,"outcome":null,"reason":"itsdomainisoff","duration_ms":12}'
    else
        out "2026-01-02T03:04:05Z vgpu-removed uuid=$vgpu reason='its domain is off' duration_ms=12"
    fi
done

# --- doctor -----------------------------------------------------------------------------------
root=$tmp/root
hooks=$root/etc/libvirt/hooks
mkdir -p "$root/sys/kernel/iommu_groups/0" "$root/sys/module/vfio" "$root/sys/module/mdev" \
    "$root/sys/module/vfio_iommu_type1" "$root/dev/vfio" "$hooks/qemu.d" "$root/run" \
    "$root/usr/sbin" "$root/usr/share/dbus-1/system.d" "$root/sys/class/mdev_bus/0000:41:00.0" \
    "$root/etc/mdevctl.d/0000:41:00.0" "$root/var/lib/virt-vgpu/mdevs"
touch "$root/dev/vfio/vfio" "$root/usr/sbin/mdevctl" \
    "$root/usr/share/dbus-1/system.d/org.virtvgpu.Manager1.conf"
printf '#!/bin/sh\n' > "$root/usr/sbin/virt-vgpu-hook"
chmod 755 "$root/usr/sbin/virt-vgpu-hook"
ln -s ../../../../usr/sbin/virt-vgpu-hook "$hooks/qemu.d/50-virt-vgpu"
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
printf '#!/bin/sh\nvirsh list\n' > "$hooks/qemu"
printf '#!/bin/sh\necho 1 > /sys/bus/mdev/x\n' > "$hooks/qemu.d/10-mdev"
printf '#!/bin/sh\nlogger virshish\n' > "$hooks/qemu.d/20-other"
printf '#!/bin/sh\nvirsh list\n' > "$hooks/qemu.d/30-off"
chmod 755 "$hooks/qemu" "$hooks/qemu.d/10-mdev" "$hooks/qemu.d/20-other"
doctor 0
check "hook /etc/libvirt/hooks/qemu" warn "virsh"
check "hook /etc/libvirt/hooks/qemu.d/10-mdev" warn "mediated"
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
verdict $? "what virt-vgpu made persistent is not counted"

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
rm "$hooks/qemu.d/50-virt-vgpu"
doctor 1
check hook fail "not there"
kill "$manager"
manager=''
doctor 1
check daemon fail "systemctl start virtvgpud"
cli 1 doctor --root "$tmp/none"
out "root"

echo "1..$tests"
[ "$failures" -eq 0 ]
