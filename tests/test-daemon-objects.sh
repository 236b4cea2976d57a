#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The real daemon's objects on the bus: what they show, which references they have, that they only show, and that a
# client that follows their signals knows them at any time while 1,000 vGPUs come and go.
# shellcheck disable=SC2119 # up has options that are not used here
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
needs gdbus
begin session
objects=/org/virtvgpu

# call PATH METHOD [ARGUMENT...]
call()
{
    path=$1 method=$2
    shift 2
    gdbus call --session --dest org.virtvgpu.Manager1 --object-path "$path" --method "$method" "$@"
}
# get OBJECT INTERFACE PROPERTY: its value
get() { call "$objects/$1" org.freedesktop.DBus.Properties.Get "org.virtvgpu.$2" "$3"; }
shows() { get "$1" "$2" "$3" | grep -Fx "(<$4>,)"; }
nodes() { gdbus introspect --session --dest org.virtvgpu.Manager1 --object-path "$objects$1"; }
has_node() { nodes "$1" | grep "node $2 "; }
has_no_node() { ! has_node "$1" "$2"; }
all() { call $objects org.freedesktop.DBus.ObjectManager.GetManagedObjects; }
all_agree() { all > "$root/all" && ! grep -F "$1" "$root/all"; }
vgpu_of() { echo "vgpus/$1" | tr - _; }

mkdir -p "$root/etc/virt-vgpu/pools"
echo "<vgpupool><name>lab_1.x</name><source><gpu address='0000:41:00.0'/></source><driverISO path='/srv/grid.iso'/>
<tenants><tenant name='acme' max='4'/></tenants></vgpupool>" > "$root/etc/virt-vgpu/pools/lab_1.x.xml"
echo '<node/>' > "$root/host.xml"
hand=11111111-2222-4333-8444-555555555555
gpu=gpus/0000_84_00_0 vgpu=$(vgpu_of $hand)
check "the daemon starts" up

# --- what they show -------------------------------------------------------------------------------
check "each directory is there" has_node "" gpu_instances
check "a GPU is an object" shows $gpu Gpu1 Address "'0000:84:00.0'"
check "without vGPUs" shows $gpu Gpu1 Vgpus "uint32 0"
check "in its pool" shows $gpu Gpu1 Pool "objectpath '$objects/pools/default'"
check "a VF is one" shows vfs/0000_41_00_4 Vf1 Gpu "objectpath '$objects/gpus/0000_41_00_0'"
check "that is free" shows vfs/0000_41_00_4 Vf1 State "'free'"
check "without a vGPU" shows vfs/0000_41_00_4 Vf1 Vgpu "objectpath '/'"
check "a vGPU is made" cli create 0000:84:00.0 'GRID M10-1Q' --uuid $hand
check "and becomes one" until_true shows "$vgpu" Vgpu1 State "'active'"
check "on its GPU" shows "$vgpu" Vgpu1 Gpu "objectpath '$objects/$gpu'"
check "which counts it" shows $gpu Gpu1 Vgpus "uint32 1"
check "a cordon" cli gpu-cordon 0000:84:00.0 --reason dust
check "is shown" until_true says "'reason':<'dust'>" get $gpu Gpu1 Cordoned
check "and its end" cli gpu-uncordon 0000:84:00.0
check "as well" until_true shows $gpu Gpu1 Cordoned "@a{sv} {}"
check "the vGPU goes" cli destroy $hand
check "with its object" until_true has_no_node /vgpus "${vgpu#*/}"
pool=pools/lab_5f1_2ex
check "a pool's name is escaped" shows $pool Pool1 Name "'lab_1.x'"
check "its state" shows $pool Pool1 State "'inactive'"
check "its tenants" says "'max':<uint324>" get $pool Pool1 Tenants
check "it is started" cli pool-start lab_1.x
check "which is shown" until_true shows $pool Pool1 State "'active'"
check "no path of an image is shown" all_agree grid.iso

# --- that they only show --------------------------------------------------------------------------
check "a property cannot be set" fails_with "not writable" call $objects/$gpu org.freedesktop.DBus.Properties.Set \
    org.virtvgpu.Gpu1 Name "<'x'>"
check "no object" fails_with "does not exist" get gpus/0000_99_00_0 Gpu1 Name
check "nor property" fails_with "No such" get $gpu Gpu1 Secret
check "nor interface" fails_with "No such interface" get $gpu Pool1 Name

# --- a client -------------------------------------------------------------------------------------
follows() { "$builddir/tests/bus-follower" 0000:84:00.0 'GRID M10-1Q' 1000 "$daemon"; }
check "a client follows 1,000 vGPUs that come and go" follows
sed 's/^/# /' "$root/out"
check "the daemon ends as it should" down
finish
