#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Host set-up through the real daemon and command on a made tree, with a fake virt-vgpu-host: running guests are not
# disturbed, new facts become known, and everything else works when that program is broken or missing.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session
export FAKE_HOST_DIR="$root/fake-host"
mkdir "$FAKE_HOST_DIR"

does() { echo "$2" > "$FAKE_HOST_DIR/$1"; } # VERB COMMANDS: what the program does
was_called() { grep -Fx -- "--root $root $*" "$FAKE_HOST_DIR/calls"; }

annotated 1 A2-4Q
{ echo '<node>'; cat "$root/vm1.xml"; echo '</node>'; } > "$root/host.xml"
gpu=0000:41:00.0
enabled="echo \"{'address': <'$gpu'>, 'vfs_total': <uint32 16>, 'vfs_enabled': <uint32 16>}\""

# --- without the program ----------------------------------------------------------------------
check "starts without the program" up --host-program "$root/none"
check "a domain starts all the same" prepare 1
check "set-up says what is missing" fails_with "$root/none" cli mig-list 41:00.0
check "list --stats" says '"fb_used_mib":null' cli list --stats --json
check "says so, too" grep -F "cannot get statistics: " "$root/said"
release 1
until_true nothing_left
down

# --- facts ------------------------------------------------------------------------------------
does facts "echo \"[{'address': <'$gpu'>, 'mixed': <true>, 'types': <[{'id': <'nvidia-9'>, 'name': <'NVIDIA A2-Z'>,
    'max_per_domain': <uint32 3>}]>}]\""
check "starts" up --host-program "$srcdir/tests/fake-host.sh"
check "the library's facts are known" until_true says '"mixed":true' cli gpu-info 41:00.0 --json
check "without MIG mode" says '"mig":false' cli gpu-info 41:00.0 --json
check "with numbers that sysfs does not tell" says '"max_per_domain":3' cli profile-list 41:00.0 --json
check "series and licence go by the name" \
    says '"series":"Q","needs_license":"NVIDIARTXVirtualWorkstation"' cli profile-list 41:00.0 --json

# --- virtual functions ------------------------------------------------------------------------
does enable "$enabled"
does facts "echo \"[{'address': <'$gpu'>, 'mixed': <false>}]\""
check "gpu-enable" says '16of16' cli gpu-enable 41:00.0
check "has it done" was_called enable $gpu max
check "and changed facts are known" says '"mixed":false' cli gpu-info 41:00.0 --json
check "gpu-enable --persistent" cli gpu-enable 41:00.0 --vfs 8 --persistent
check "has it done" was_called enable $gpu 8
check "and written down" was_called persist $gpu vfs=8
check "a missing GPU" fails_with "there is no GPU 0000:42:00.0" cli gpu-enable 42:00.0
prepare 1
: > "$FAKE_HOST_DIR/calls"
check "refused while a domain has a vGPU" fails_with "vm1" cli gpu-disable 41:00.0
check "so is another scheduler" fails_with "vm1" cli scheduler 41:00.0 equal-share
check "and nothing is called" test ! -s "$FAKE_HOST_DIR/calls"
release 1
until_true nothing_left

# --- a GPU that is being set up ---------------------------------------------------------------
does disable "until [ -f '$root/go' ]; do sleep 0.05; done; $enabled"
cli gpu-disable 41:00.0 --persistent > "$root/disabled" 2>&1 &
disabling=$!
until_true was_called disable $gpu
check "another set-up of it is refused" fails_with "already in progress" cli gpu-enable 41:00.0
check "the daemon answers meanwhile" cli list
touch "$root/go"
wait "$disabling"
check "the first comes to its end" grep -F "16 of 16" "$root/disabled"
check "then a domain starts on it" prepare 1
release 1
until_true nothing_left

# --- the rest ---------------------------------------------------------------------------------
cli events --json > "$root/events" &
events=$!
heard() { cli pool-refresh default > /dev/null && grep -q pool-refreshed "$root/events"; }
check "events are listened to" until_true heard
told() { grep -q "\"event\": *\"$1\".*\"outcome\": *\"$2\", *\"reason\": *\"$3\"" "$root/events"; }
does mig-list "echo \"[{'gi': <uint32 1>, 'profile': <'1g.5gb'>}]\""
check "mig-list" says '"gi":1,"profile":"1g.5gb"' cli mig-list 41:00.0 --json
does mig-apply "echo 'GPU x: reset required' >&2; exit 1"
check "mig-apply" fails_with "GPU x: reset required" cli mig-apply 41:00.0 1g.5gb:7
check "has it done" was_called mig-apply $gpu 1g.5gb:7
# an invalid value that only the program can detect is still wrong usage
exits() { want=$1; shift; "$@" > "$root/said" 2>&1; [ $? -eq "$want" ]; }
does mig-apply "echo 'GPU x has no 1g.5gb:99' >&2; exit 2"
check "mig-apply with a bad layout" exits 2 cli mig-apply 41:00.0 1g.5gb:99
does enable "echo 'x has 16 virtual functions at most, not 33' >&2; exit 2"
check "gpu-enable with too many" exits 2 cli gpu-enable 41:00.0 --vfs 33
does scheduler "echo 'averaging factor' >&2; exit 2"
check "scheduler with a bad value" exits 2 cli scheduler 41:00.0 equal-share --averaging 99
check "the same for the next load" exits 2 cli scheduler 41:00.0 equal-share --averaging 99 --next-load
does diff "echo 'host layout: line 1: wrong' >&2; exit 2"
check "a wrong file is not a usage error" exits 1 cli host-diff "$root/host.xml"
does mig-clear "echo \"['1g.5gb']\""
check "mig-clear" cli mig-clear 41:00.0
check "has it cleared" was_called mig-clear $gpu
does mig-end "echo \"['turned MIG mode off']\""
check "mig-clear --off" says turnedMIGmodeoff cli mig-clear 41:00.0 --off --persistent
check "has MIG mode ended" was_called mig-end $gpu
check "and written down" was_called persist $gpu mig=off
does mig-apply "echo \"['created one']\""
check "mig-apply --persistent" cli mig-apply 41:00.0 1g.5gb:7 --persistent
check "is reported" until_true told mig-changed ok "created one"
check "and written down, too" was_called persist $gpu mig=1g.5gb:7
does scheduler "echo \"{'policy': <'equal-share'>}\""
check "scheduler" says '"policy":"equal-share"' cli scheduler 41:00.0 equal-share --timeslice 2000 --json
check "has it asked for" says '"policy":"equal-share"' cli scheduler 41:00.0 --json
check "has it set" was_called scheduler $gpu policy=equal-share timeslice_us=2000
check "and reported" until_true told scheduler-changed ok "policy=equal-share timeslice_us=2000"
check "scheduler --persistent" cli scheduler 41:00.0 equal-share --timeslice 2000 --persistent
check "is written down as a whole" \
    was_called persist $gpu policy=equal-share strict= timeslice=2 averaging= frequency=
does apply "cat > '$root/input'; echo \"[{'gpu': <'$gpu'>, 'step': <'vfs'>, 'result': <'failed'>}]\""
echo "<vgpuhost><gpu address='$gpu'><sriov vfs='max'/></gpu></vgpuhost>" > "$root/layout.xml"
check "host-apply with a step that fails exits 1" fails_with failed cli host-apply "$root/layout.xml"
check "which is reported" until_true told layout-applied failed "0 done, 0 unchanged, 1 failed"
kill $events
check "the program gets the file's content" cmp "$root/input" "$root/layout.xml"
check "a layout that is none" fails_with "host layout: line 1" cli host-apply "$root/host.xml"
does diff "echo '[]'"
check "host-diff" cli host-diff "$root/layout.xml"
does export "echo '\"<vgpuhost/>\"'"
check "host-export" says '<vgpuhost/>' cli host-export

# --- figures ----------------------------------------------------------------------------------
figures() # CELSIUS VGPU: what the library reports for the GPU and for a vGPU on it
{
    does stats "echo \"([{'gpu': <'$gpu'>, 'temperature_c': <uint32 $1>, 'health': <'ok'>}],
        [{'gpu': <'$gpu'>, 'profile_id': <'nvidia-746'>, 'framebuffer_used_mib': <uint32 512>,
          'license_state': <'unlicensed'>, $2}])\""
}
metric() { cli metrics > "$root/said" && grep -F -- "$1" "$root/said"; }
has_none() { cli metrics > "$root/said" && ! grep -E 'virtvgpu_v?gpu_(temperature|fb|health)' "$root/said"; }
: > "$FAKE_HOST_DIR/calls"
figures 45 "'vm_uuid': <'$(domain_uuid 1)'>"
check "while no vGPU runs there are no figures" has_none
check "and the library is not called" not was_called stats
prepare 1
check "one of a domain that runs" metric 'virtvgpu_vgpu_fb_used_mib{gpu="0000:41:00.0",profile="NVIDIA A2-4Q",interface="mdev",domain="vm1",uuid='
check "its licence" metric 'license_state="unlicensed"} 1'
check "its GPU" metric 'virtvgpu_gpu_temperature_c{gpu="0000:41:00.0"} 45'
check "the figures are requested" was_called stats
check "the VF is passed on" says "'vf':<'0000:41:00." gdbus call --session --dest org.virtvgpu.Manager1 \
    --object-path /org/virtvgpu/Manager1 --method org.virtvgpu.Manager1.GetStats
check "list --stats" says '"fb_used_mib":512' cli list --stats --json
check "gpu-info --stats" says '"temperature_c":45' cli gpu-info 41:00.0 --stats --json
does stats "until [ -f '$root/told' ]; do sleep 0.05; done; echo '([], [])'"
check "metrics do not wait for a library that hangs" until_true has_none
touch "$root/told"
release 1
until_true nothing_left

# --- a library that crashes -------------------------------------------------------------------
does stats "kill -SEGV \$\$"
check "a library that crashes affects nothing else" until_true says '"fb_used_mib":null' cli list --all --stats --json
check "the daemon lives" cli list

# --- a library that hangs ---------------------------------------------------------------------
hangs() { cli metrics > "$root/said"; test -s "$root/hung"; }
is_hung() { tr '\0' ' ' < "/proc/$(cat "$root/hung")/cmdline" | grep -q '^sleep 1000'; }
does stats "echo \$\$ > '$root/hung'; exec sleep 1000"
prepare 1
check "a library hangs" until_true hangs
check "in a process of its own" until_true is_hung
down
check "which ends with the daemon" until_true not is_hung
up --host-program "$srcdir/tests/fake-host.sh"
release 1
check "nothing is left" until_true nothing_left
down

# --- GPU instances, each of which takes one size at a time --------------------------------------
instance() { printf "{'gi': <uint32 %s>, 'profile_id': <uint32 47>}" "$1"; }
sliced() { printf "{'id': <'%s'>, 'gi_profile': <uint32 47>, 'max_per_gi': <uint32 %s>}" "$1" "$2"; }
does facts "echo \"[{'address': <'$gpu'>, 'mig': <true>,
    'gpu_instances': <[$(instance 1), $(instance 2), $(instance 3), $(instance 4)]>,
    'types': <[$(sliced nvidia-744 4), $(sliced nvidia-745 1)]>}]\""
knob lie_available 1
knob gpu_instance_id 1
check "starts" up --host-program "$srcdir/tests/fake-host.sh"
check "in MIG mode" until_true says '"mig":true' cli gpu-info 41:00.0 --json
check "one vGPU on a GPU instance" cli create 41:00.0 A2-1Q
check "a second one of its size" cli create 41:00.0 A2-1Q
check "is on the same, so that three are free for another size" \
    says '"name":"NVIDIAA2-2Q","framebuffer_mib":2048,"num_heads":4,"frl":60,"max_resolution":"7680x4320","max_instances":8,"capacity":4,"available":3,' \
    cli profile-list 41:00.0 --json
knob gpu_instance_id 2
check "a third one that its driver puts elsewhere" cli create 41:00.0 A2-1Q
check "so that two are free" says '"capacity":4,"available":2,' cli profile-list 41:00.0 --json
unknob gpu_instance_id
check "a vGPU whose place it does not report" cli create 41:00.0 A2-1Q
check "so that the number is unknown" says '"capacity":4,"available":null,' cli profile-list 41:00.0 --json
unknob lie_available
for uuid in $(cli list --json | tr -d ' ' | grep -o '"uuid":"[^"]*"' | cut -d'"' -f4); do
    cli destroy "$uuid"
done
until_true nothing_left
down

# --- mixed sizes, each of which has places of its own -------------------------------------------
placed() { printf "{'id': <'nvidia-%s'>, 'placement_size': <uint32 %s>, 'placements': <[uint32 %s]>}" "$1" "$2" "$3"; }
does facts "echo \"[{'address': <'$gpu'>, 'mixed': <true>, 'types': <[$(placed 746 4 '0, 4, 8, 12'),
    $(placed 747 8 '0, 8'), $(placed 748 16 0)]>}]\""
knob placement_id 12
check "starts" up --host-program "$srcdir/tests/fake-host.sh"
check "with mixed sizes" until_true says '"mixed":true' cli gpu-info 41:00.0 --json
check "a domain starts" prepare 1
check "three more of its size fit" says '"max_instances":4,"capacity":4,"available":3,' cli profile-list 41:00.0 --json
annotated 2 A2-16Q
check "explain names the obstacle" fails_with \
    "1 × 'NVIDIA A2-8Q' fits, but no 'NVIDIA A2-16Q': slot 12 is taken by vm1" cli explain --xml "$root/vm2.xml" --json
release 1
until_true nothing_left
unknob placement_id
check "it starts where its driver does not say where" prepare 1
check "so that the capacity is unknown" \
    says '"max_instances":4,"capacity":4,"available":null,' cli profile-list 41:00.0 --json
release 1
until_true nothing_left
down

finish
