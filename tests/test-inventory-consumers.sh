#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Formats of the inventory, as the programs read them that they are for, where these are installed: Pacemaker's schema
# (pacemaker-common) and scheduler (pacemaker-cli-utils), a JSON patch (python3-jsonpatch).
set -u
srcdir=$(cd "${top_srcdir:-.}" && pwd)
data=$srcdir/tests/data/inventory
schemas=${PACEMAKER_SCHEMAS:-/usr/share/pacemaker}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

tests=0 failures=0
check() # WHAT COMMAND...
{
    tests=$((tests + 1))
    what=$1
    shift
    if "$@" > "$tmp/out" 2>&1; then
        echo "ok $tests - $what"
    else
        echo "not ok $tests - $what"
        sed 's/^/# /' "$tmp/out"
        failures=$((failures + 1))
    fi
}
skip() # WHAT WHY
{
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}
has() { command -v "$1" > /dev/null; }

# --- Pacemaker ----------------------------------------------------------------------------------
# utilization NODE < FORMAT: as crm_attribute writes it, with ids made from the names
utilization()
{
    echo "<utilization id=\"$1-utilization\">"
    sed -n "s/^\([^=]*\)=\([0-9][0-9]*\)\$/<nvpair id=\"$1-utilization-\1\" name=\"\1\" value=\"\2\"\/>/p"
    echo "</utilization>"
}
vm() # N: a stopped resource that needs a vGPU of which there is room for one more
{
    cat << END
<primitive id="vm$1" class="ocf" provider="heartbeat" type="VirtualDomain">
<utilization id="vm$1-utilization"><nvpair id="vm$1-utilization-vgpu" name="vgpu_vf" value="1"/></utilization></primitive>
END
}
nodes() # with the host and one that has a single vGPU
{
    echo '<nodes><node id="1" uname="node1">'
    utilization n1 < "$data/host.pacemaker"
    echo '</node><node id="2" uname="node2">'
    echo vgpu_vf=1 | utilization n2
    echo '</node></nodes>'
}
cib()
{
    cat << END
<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1">
<configuration><crm_config><cluster_property_set id="options">
<nvpair id="fencing" name="stonith-enabled" value="false"/>
<nvpair id="strategy" name="placement-strategy" value="utilization"/>
</cluster_property_set></crm_config>$(nodes)<resources>$(vm 1)$(vm 2)$(vm 3)</resources><constraints/></configuration>
<status>$(for n in 1 2; do
        echo "<node_state id='$n' uname='node$n' in_ccm='true' crmd='online' join='member' expected='member'><lrm id='$n'><lrm_resources/></lrm></node_state>"
    done)</status></cib>
END
}
lines() { [ "$(grep -c . "$data/host.pacemaker")" -eq "$(nodes | grep -c n1-utilization-)" ]; }
export CIB_shadow_dir="$tmp" # where crm_simulate keeps its copy
started() # HOW MANY of the domains; all of them on node2
{
    crm_simulate -R -x "$tmp/cib.xml" > "$tmp/simulated" 2>&1
    cat "$tmp/simulated"
    [ "$(grep -cE 'Start +vm[1-3] ' "$tmp/simulated")" -eq "$1" ] &&
        [ "$(grep -cE 'Start +vm[1-3] +\( node2 \)' "$tmp/simulated")" -eq "$1" ]
}
check "each line is NAME=INTEGER" lines
if [ -e "$schemas/nodes-3.9.rng" ] && has xmllint; then
    nodes > "$tmp/nodes.xml"
    check "Pacemaker's schema accepts the attributes" xmllint --noout --relaxng "$schemas/nodes-3.9.rng" "$tmp/nodes.xml"
else
    skip "Pacemaker's schema" "pacemaker-common or xmllint is missing"
fi
if has crm_verify && has crm_simulate; then
    cib > "$tmp/cib.xml"
    check "Pacemaker accepts the configuration" crm_verify -x "$tmp/cib.xml"
    # vgpu_vf is 0 on node1, and 1 on node2: one of three domains has a place
    check "its scheduler places what fits, and no more" started 1
else
    skip "Pacemaker's scheduler" "pacemaker-cli-utils is missing"
fi

# --- CloudStack ---------------------------------------------------------------------------------
cat > "$tmp/cloudstack.py" << 'END'
import json, re, sys

# as scripts/vm/hypervisor/kvm/gpudiscovery.sh of apache/cloudstack prints them
properties = {"max_instances", "video_ram", "max_heads", "max_resolution_x", "max_resolution_y"}
gpu_keys = properties | {"pci_address", "vendor_id", "device_id", "vendor", "device", "driver", "pci_class", "iommu_group",
                         "pci_root", "numa_node", "sriov_totalvfs", "sriov_numvfs", "full_passthrough", "vgpu_instances",
                         "vf_instances"}
instance_keys = properties | {"libvirt_address", "used_by_vm"}

def check_address(address, libvirt):
    """LibvirtGpuDef.java: what it makes of the one has to be the other."""
    domain, bus, slot, function = re.fullmatch(r"(?:([0-9a-f]+):)?([0-9a-f]+):([0-9a-f]+)\.([0-7])", address).groups()
    assert libvirt == {"domain": "0x" + (domain or "0000"), "bus": "0x" + bus, "slot": "0x" + slot,
                       "function": "0x" + function}, (address, libvirt)

def check_numbers(instance):
    assert all(instance[key] is None or type(instance[key]) is int for key in properties), instance

document = json.load(open(sys.argv[1]))
assert set(document) == {"gpus"} and len(document["gpus"]) == 4
for gpu in document["gpus"]:
    assert set(gpu) == gpu_keys, set(gpu) ^ gpu_keys
    assert type(gpu["iommu_group"]) is str and type(gpu["numa_node"]) is int
    assert type(gpu["sriov_totalvfs"]) is int and type(gpu["sriov_numvfs"]) is int
    check_numbers(gpu)
    whole = gpu["full_passthrough"]
    assert set(whole) == {"enabled", "libvirt_address", "used_by_vm"} and whole["enabled"] in (0, 1)
    check_address(gpu["pci_address"], whole["libvirt_address"])
    for vf in gpu["vf_instances"]:
        assert set(vf) == instance_keys | {"vf_pci_address", "vf_profile"}, vf
        check_address(vf["vf_pci_address"], vf["libvirt_address"])
        check_numbers(vf)
    for mdev in gpu["vgpu_instances"]:
        assert set(mdev) == instance_keys | {"mdev_uuid", "profile_name"}, mdev
        check_numbers(mdev)
END
if has python3; then
    check "names and types are those of CloudStack's script" python3 "$tmp/cloudstack.py" "$data/host.cloudstack"
else
    skip "CloudStack's names" "python3 is missing"
fi

# --- Kubernetes ---------------------------------------------------------------------------------
cat > "$tmp/patch.py" << 'END'
import json, re, sys
import jsonpatch

node = {"status": {"capacity": {"cpu": "2", "virt-vgpu.org/GRID_P40-1Q": "7"}}}
capacity = jsonpatch.apply_patch(node, json.load(open(sys.argv[1])))["status"]["capacity"]
ours = {k: v for k, v in capacity.items() if k != "cpu"}
assert capacity["cpu"] == "2" and ours["virt-vgpu.org/GRID_P40-1Q"] == "24", capacity
for name, value in ours.items():
    prefix, name = name.split("/")
    # k8s.io/apimachinery: IsQualifiedName; extended resources are whole numbers
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", prefix)
    assert re.fullmatch(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", name) and len(name) <= 63, name
    assert re.fullmatch(r"[0-9]+", value), value
assert len(ours) == 6, ours
END
if has python3 && python3 -c 'import jsonpatch' 2> "$tmp/out"; then
    check "the patch applies to a node" python3 "$tmp/patch.py" "$data/host.kubernetes"
else
    skip "a JSON patch" "python3-jsonpatch is missing"
fi

echo "1..$tests"
[ "$failures" -eq 0 ]
