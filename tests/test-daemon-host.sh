#!/bin/sh
# Host set-up through the real daemon and command on a made tree, with a program of the test's in place of virt-vgpu-host:
# who may not be disturbed, what becomes known, and what goes on when that program is bad or missing.
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
check "says so, too" grep -F "no figures: " "$root/said"
release 1
until_true nothing_left
down

# --- what becomes known -----------------------------------------------------------------------
does facts "echo \"[{'address': <'$gpu'>, 'mixed': <true>, 'types': <[{'id': <'nvidia-9'>, 'name': <'NVIDIA A2-Z'>,
    'max_per_domain': <uint32 3>}]>}]\""
check "starts" up --host-program "$srcdir/tests/fake-host.sh"
check "what the library tells is known" until_true says '"mixed":true' cli gpu-info 41:00.0 --json
check "without MIG mode" says '"mig":false' cli gpu-info 41:00.0 --json
check "with numbers that sysfs does not tell" says '"max_per_domain":3' cli profile-list 41:00.0 --json
check "series and licence go by the name" \
    says '"series":"Q","needs_license":"NVIDIARTXVirtualWorkstation"' cli profile-list 41:00.0 --json

# --- virtual functions ------------------------------------------------------------------------
does enable "$enabled"
does facts "echo \"[{'address': <'$gpu'>, 'mixed': <false>}]\""
check "gpu-enable" says '16of16' cli gpu-enable 41:00.0
check "has it done" was_called enable $gpu max
check "and what is different now is known" says '"mixed":false' cli gpu-info 41:00.0 --json
check "gpu-enable --persistent" cli gpu-enable 41:00.0 --vfs 8 --persistent
check "has it done" was_called enable $gpu 8
check "and written down" was_called persist $gpu vfs=8
check "a GPU that is not there" fails_with "there is no GPU 0000:42:00.0" cli gpu-enable 42:00.0
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
check "another set-up of it is refused" fails_with "being set up" cli gpu-enable 41:00.0
check "the daemon answers meanwhile" cli list
touch "$root/go"
wait "$disabling"
check "the first comes to its end" grep -F "16 of 16" "$root/disabled"
check "then a domain starts on it" prepare 1
release 1
until_true nothing_left

# --- the rest ---------------------------------------------------------------------------------
does mig-list "echo \"[{'gi': <uint32 1>, 'profile': <'1g.5gb'>}]\""
check "mig-list" says '"gi":1,"profile":"1g.5gb"' cli mig-list 41:00.0 --json
does mig-apply "echo 'GPU x: reset required' >&2; exit 1"
check "mig-apply" fails_with "GPU x: reset required" cli mig-apply 41:00.0 1g.5gb:7
check "has it done" was_called mig-apply $gpu 1g.5gb:7
does mig-clear "echo \"['1g.5gb']\""
check "mig-clear" cli mig-clear 41:00.0
check "has it cleared" was_called mig-clear $gpu
does scheduler "echo \"{'policy': <'equal-share'>}\""
check "scheduler" says '"policy":"equal-share"' cli scheduler 41:00.0 equal-share --timeslice 2000 --json
check "has it asked for" says '"policy":"equal-share"' cli scheduler 41:00.0 --json
check "has it set" was_called scheduler $gpu policy=equal-share timeslice_us=2000
does apply "cat > '$root/input'; echo \"[{'gpu': <'$gpu'>, 'step': <'vfs'>, 'result': <'failed'>}]\""
echo "<vgpuhost><gpu address='$gpu'><sriov vfs='max'/></gpu></vgpuhost>" > "$root/layout.xml"
check "host-apply with a step that fails exits 1" fails_with failed cli host-apply "$root/layout.xml"
check "the program gets the file's content" cmp "$root/input" "$root/layout.xml"
check "a layout that is none" fails_with "host layout: line 1" cli host-apply "$root/host.xml"
does diff "echo '[]'"
check "host-diff" cli host-diff "$root/layout.xml"
does export "echo '\"<vgpuhost/>\"'"
check "host-export" says '<vgpuhost/>' cli host-export
does stats "kill -SEGV \$\$"
check "a library that crashes takes nobody with it" until_true says '"fb_used_mib":null' cli list --all --stats --json
check "the daemon lives" cli list
down

# --- GPU instances, each of which takes one size at a time --------------------------------------
instance() { printf "{'gi': <uint32 %s>, 'profile_id': <uint32 47>}" "$1"; }
sliced() { printf "{'id': <'%s'>, 'gi_profile': <uint32 47>, 'max_per_gi': <uint32 %s>}" "$1" "$2"; }
does facts "echo \"[{'address': <'$gpu'>, 'mig': <true>,
    'gpu_instances': <[$(instance 1), $(instance 2), $(instance 3), $(instance 4)]>,
    'types': <[$(sliced nvidia-744 4), $(sliced nvidia-745 1)]>}]\""
knob lie_available 1
check "starts" up --host-program "$srcdir/tests/fake-host.sh"
check "in MIG mode" until_true says '"mig":true' cli gpu-info 41:00.0 --json
check "one vGPU on a GPU instance" cli create 41:00.0 A2-1Q
check "a second one of its size" cli create 41:00.0 A2-1Q
check "is on the same, so that three are free for another size" \
    says '"name":"NVIDIAA2-2Q","framebuffer_mib":2048,"num_heads":4,"frl":60,"max_resolution":"7680x4320","max_instances":8,"available":3,' \
    cli profile-list 41:00.0 --json

finish
