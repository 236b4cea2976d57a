#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-vgpu doctor --capture on a made tree, with the real daemon: the content of a bundle, a trial on an
# idle GPU and the clean-up if it is killed, tests/add-capture and tests/on-hardware.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
other=0000:85:00.0
hand=11111111-2222-4333-8444-555555555555
bundle=$root/bundle.json

# like cli, with the fake driver also in the processes that read
capture()
{
    ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 FAKE_DRIVER_ROOT=$root \
        LD_PRELOAD=$builddir/tests/fake-driver.so \
        "$builddir/virt-vgpu" doctor --root "$root" --capture "$@"
}
exits() # STATUS COMMAND...
{
    want=$1
    shift
    "$@" > "$root/said" 2>&1
    [ $? -eq "$want" ]
}
has() { grep -qF -- "$1" "$bundle"; }
has_file() { has "\"sys/bus/pci/devices/$1\" : \"$2\""; }
trial() { sed -n '/^ "trial"/,/^ }/p' "$bundle"; }
trial_has() { trial | tr -d ' \n' | grep -F -- "$1"; }
idle() { cli list --all --json > "$root/said" && not grep -q '"uuid" *: *"' "$root/said"; }
# every UUID in the bundle is a replacement
is_anonymous()
{
    not grep -oiE '[0-9a-f]{8}([-_])[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}' "$bundle" > "$root/uuids" ||
        not grep -v '^00000000[-_]0000[-_]4000' "$root/uuids"
}

echo '<node/>' > "$root/host.xml"

# --- without the daemon ---------------------------------------------------------------------------
check "a host is captured" capture "$bundle"
check "a type's description is in the bundle" has_file \
    "0000:41:00.4/mdev_supported_types/nvidia-746/description" "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4"
check "and how many of it are available" has_file "0000:41:00.4/mdev_supported_types/nvidia-746/available_instances" 1
check "the PF's numbers of VFs" has_file 0000:41:00.0/sriov_totalvfs 16
check "links" has "\"sys/bus/pci/devices/0000:41:00.4/physfn\" : \"sys/bus/pci/devices/0000:41:00.0\""
check "versions" has '"libvirt" : "'
check "nothing is missing" has '"gaps" : []'
check "the same goes to stdout" sh -c "'$builddir/virt-vgpu' doctor --root '$root' --capture - | cmp - '$bundle'"
check "a bundle in a missing directory fails" exits 3 capture "$root/none/bundle"
check "a directory is not overwritten" exits 1 capture "$root/sys"
check "nothing unfinished is left" sh -c "! ls '$root' | grep 'bundle.json.'"
check "--try without --capture is wrong usage" exits 2 cli doctor --try 84:00.0
check "so is --try without a GPU" exits 2 cli doctor --capture "$bundle" --try
check "and a GPU without --try" exits 2 cli doctor --capture "$bundle" 84:00.0
check "a trial needs the daemon" exits 6 capture "$root/never" --try 84:00.0
check "no bundle is written then" test ! -e "$root/never"

knob "hang_read-0000:84:00.0" 1
check "a GPU that is silent does not keep it" capture "$bundle"
unknob "hang_read-0000:84:00.0"
check "the bundle says so" has '"0000:84:00.0: it has not answered for'
check "the bundle has the other GPU" has_file "$other/vendor" 0x10de

# --- a trial --------------------------------------------------------------------------------------
check "the daemon starts" up
check "a trial is made on an idle GPU" capture "$bundle" --try 84:00.0
check "of the smallest type" trial_has '"profile_id":"nvidia-36"'
check "its times are there" trial_has '"create_ms":'
check "one fits less with it" trial_has '/mdev_supported_types/nvidia-36/available_instances":"15"'
check "and none of another size" trial_has '/mdev_supported_types/nvidia-39/available_instances":"0"'
check "its vGPU exists meanwhile" trial_has '"sys/bus/mdev/devices/00000000-0000-4000-8000-000000000001":"sys/bus/pci/devices/0000:84:00.0/'
check "all is as before afterwards" trial_has '"after":{}'
check "the daemon's own numbers" trial_has '"with":{"nvidia-36":15'
check "nothing is left" nothing_left
check "the bundle is anonymous" is_anonymous

check "a vGPU is made by hand" cli create $other 'GRID M10-1Q' --uuid $hand
check "a GPU that has one is not tried" exits 5 capture "$root/never" --try $other
check "which says why" grep "GPU $other is not idle: there is a vGPU on $other" "$root/said"
check "no bundle is written" test ! -e "$root/never"
check "a missing GPU" exits 3 capture "$root/never" --try 99:00.0
check "a hand-made vGPU is in the bundle, under another UUID" capture "$bundle"
check "it is" has '"sys/bus/mdev/devices/00000000-0000-4000-8000-000000000001"'
check "that is anonymous, too" is_anonymous

# --- a trial that is killed -----------------------------------------------------------------------
# begin_trial: in the background, until its vGPU is there; its removal takes a while
begin_trial()
{
    env ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 FAKE_DRIVER_ROOT="$root" \
        LD_PRELOAD="$builddir/tests/fake-driver.so" \
        "$builddir/virt-vgpu" doctor --root "$root" --capture "$root/killed" --try 84:00.0 > "$root/trial" 2>&1 &
    pid=$!
    until_true has_devices 2
}
# it has ended, by a signal
ended()
{
    wait "$pid" 2> /dev/null
    [ $? -gt 128 ]
}
knob remove_delay_ms 1000
check "a trial begins" begin_trial
kill -TERM "$pid"
check "it ends by the signal" ended
check "its vGPU was removed first" has_devices 1
check "the hand-made vGPU is not" cli list --all
knob create_late_ms 1500
check "another one begins" begin_trial
kill -KILL "$pid"
unknob create_late_ms
check "it is killed" ended
killed
unknob remove_delay_ms
check "its vGPU is there" has_devices 2
check "the daemon starts again" up
check "the vGPU is removed" until_true has_devices 1
check "the hand-made vGPU stays" says "\"uuid\":\"$hand\"" cli list --all --json
knob create_late_ms 1500
check "a third one begins" begin_trial
kill -KILL "$pid"
unknob create_late_ms
check "it is killed" ended
check "the next trial removes its leftovers" capture "$bundle" --try 84:00.0
check "and succeeds" trial_has '"after":{}'
check "nothing but that by hand is left" until_true has_devices 1
knob create_late_ms 300
begin_silence() { until_true has_devices 2 && knob hang_read-0000:84:00.0 1; }
begin_silence &
check "a trial on a GPU that falls silent" capture "$bundle" --try 84:00.0
unknob hang_read-0000:84:00.0
unknob create_late_ms
check "says when it did not answer" trial_has '"gaps":["with:0000:84:00.0:ithasnotanswered'
check "its vGPU is gone" until_true has_devices 1
knob create_fail_next 1
check "a trial that fails" capture "$bundle" --try 84:00.0
check "is in the bundle, with its reason" trial_has '"error":"'
check "it goes" cli destroy $hand

# --- a bundle becomes a capture -------------------------------------------------------------------
mkdir "$root/captures"
add() { VGPU_CAPTURES=$root/captures top_srcdir=$srcdir TMPDIR=$root "$srcdir/tests/add-capture" "$1" "$2" "$builddir"; }
check "a host is captured" capture "$bundle"
check "its bundle becomes a capture" add "$bundle" made
check "of the same GPUs" grep -q "^0000:41:00.0 0x10de:0x25b6 nvidia .* mdev node 0 VFs 16/16" "$root/captures/made.out"
check "with the same types" grep -q "profile nvidia-39 'GRID M10-1Q' 1024 MiB 4 heads 60 frames 5120x2880 max 8" \
    "$root/captures/made.out"
check "a name is taken once" fails_with "there is a capture made" add "$bundle" made
sed "s/\"gaps\" : \[\]/\"gaps\" : [\"$hand\"]/" "$bundle" > "$root/private.json"
check "one with a UUID is not taken" fails_with "is not anonymous: a UUID" add "$root/private.json" private
sed 's/"gaps" : \[\]/"gaps" : ["52:54:00:12:34:56"]/' "$bundle" > "$root/private.json"
check "nor one with a MAC address" fails_with "is not anonymous: a MAC address" add "$root/private.json" private
sed 's/virt-vgpu capture 1/virt-vgpu capture 0/' "$bundle" > "$root/private.json"
check "nor one of another format" fails_with "it is not of the format" add "$root/private.json" private
check "none of them is left" test ! -e "$root/captures/private.json"

# --- tests/on-hardware ----------------------------------------------------------------------------
trip()
{
    VIRT_VGPU=$root/virt-vgpu NO_DOMAIN=1 "$srcdir/tests/on-hardware" "$@"
}
cat > "$root/virt-vgpu" << SH
#!/bin/sh
exec "$builddir/virt-vgpu" "\$@"
SH
chmod +x "$root/virt-vgpu"
export VIRT_VGPU_ROOT="$root"
check "the trip on an idle GPU" trip 84:00.0 "$root/trip.json"
check "it ends in a bundle" grep -q '"trial"' "$root/trip.json"
check "nothing is left" nothing_left
check "it is refused without a GPU" exits 2 trip

# With a domain: this virsh keeps one definition, with the hostdev that the daemon would put into it, and runs the hook.
mkdir "$root/bin"
cat > "$root/bin/virsh" << SH
#!/bin/sh
while [ "\${1#-}" != "\$1" ]; do
    [ "\$1" != -c ] || shift
    shift
done
echo "\$*" >> "$root/virsh"
definition=$root/definition.xml
hook()
{
    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$builddir/tests/as-root.so VIRT_VGPU_ROOT=$root \
        "$builddir/virt-vgpu-hook" virt-vgpu-on-hardware "\$@" - < "\$definition"
}
case \$1 in
dominfo) [ -e "\$definition" ] ;;
define)
    sed '/<metadata>/,/<\/metadata>/d; s/type=.kvm./type="test"/' "\$2" > "\$definition" &&
        "$builddir/virt-vgpu" annotate --xml "\$definition" --profile nvidia-36 --gpu 84:00.0 > "$root/with" &&
        mv "$root/with" "\$definition"
    ;;
start) [ ! -e "$root/fails" ] && hook prepare begin ;;
destroy) hook release end ;;
undefine) rm "\$definition" ;;
esac
SH
cat > "$root/virt-vgpu" << SH
#!/bin/sh
[ "\$1" = inject ] || exec "$builddir/virt-vgpu" "\$@"
SH
chmod +x "$root/bin/virsh"
with_domain()
{
    : > "$root/virsh"
    PATH=$root/bin:$PATH VIRT_VGPU=$root/virt-vgpu "$srcdir/tests/on-hardware" 84:00.0 "$root/trip.json" > "$root/trip" 2>&1
}
check "the trip with a domain" with_domain
check "it had its vGPU" grep -q "^ok - it has its vGPU" "$root/trip"
check "nothing is left" nothing_left
check "the domain neither" test ! -e "$root/definition.xml"
touch "$root/fails"
check "a start that fails" exits 1 with_domain
check "is said" grep -q "^not ok - it starts" "$root/trip"
check "and the domain is undefined all the same" test ! -e "$root/definition.xml"
rm "$root/fails"
echo '<domain/>' > "$root/definition.xml"
check "a domain of that name is left alone" with_domain
check "its definition still exists" grep -q '^<domain/>$' "$root/definition.xml"
check "virsh was asked for nothing else" not grep -qv "^list\|^dominfo" "$root/virsh"
check "nor on a missing GPU" exits 1 trip 99:00.0 "$root/never"
check "a vGPU is made by hand" cli create $other 'GRID M10-1Q'
check "it is refused on a GPU with a vGPU" exits 1 trip $other "$root/never"
check "which says why" grep "GPU $other is not idle; nothing was done" "$root/said"
check "that vGPU stays" has_devices 1

finish
