#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A running domain migrates with its vGPUs to another host, and back, and the definitions are right on both
# takes: 100
# once: battery
# releases: trixie
# machine: pair
# timeout: 600
# shellcheck source=SCRIPTDIR/../migrate.sh
. "$(dirname "$0")/../migrate.sh"

say "a mediated device, with the verbs of virt-vgpu"
domain_xml one --annot "$(annotation "profile='GRID M10-2Q'")" --graphics > /run/lab-one.xml
virt-vgpu annotate --xml /run/lab-one.xml --migratable --output /run/lab-one.xml > /dev/null
virsh -q define /run/lab-one.xml
wait_for 30 is_injected one
uuid=$(vgpu_uuid "$(domain_uuid one)" 0)
virsh -q start one
shown=$(picture one)
assert_eq "$(checks one state host room profile tracking)" "['ok', 'ok', 'ok', 'ok', 'ok']" "explain --migrate"
virt-vgpu migrate one "$PEER"
assert_eq "$(peer picture one)" "$shown" "the picture there"
wait_for 20 peer runs one 1
assert_eq "$(peer mdevs)" "$uuid" "its mdev there"
wait_for 20 is_gone one
wait_for 20 told "domain 'one': migrating: to another host"
wait_for 20 told "domain 'one': migrated: to another host, paused for [0-9]+ ms, [0-9.]+ MiB sent"
assert_grep 'virtvgpu_migrations_total\{direction="out",outcome="ok"\} 1' "$(virt-vgpu metrics)" "metrics here"
assert_grep 'virtvgpu_migration_downtime_seconds_count 1' "$(virt-vgpu metrics)" "metrics here"
assert_grep 'virtvgpu_migrations_total\{direction="in",outcome="ok"\} 1' "$(peer virt-vgpu metrics)" "metrics there"
wait_for 20 peer told "vGPU $uuid .*'one': migrating: to this host"
wait_for 20 peer told "vGPU $uuid .*'one': migrated: to this host"

say "no room there: the guest runs on here"
vfs_on "$L40S" 4
define two --annot "$(annotation "profile='NVIDIA L40S-4Q' count='2'")" --migratable
wait_for 30 is_injected two 2
virsh -q start two
wait_for 20 runs two 2
assert_eq "$(checks two host room)" "['ok', 'failed']" "explain --migrate"
assert_grep "no GPU has room" "$(virt-vgpu explain two --migrate "$PEER" || true)" "its reason"
assert_fails "'two'.*no GPU has room" migrate two
runs two 2 || fail "it does not run on"
assert_fails "failed to get domain" peer virsh -q domstate two
wait_for 20 peer told "'two': migration to this host refused .*no GPU has room"

say "two VFs, of which the first is planned for another domain there"
peer vfs_on "$L40S" 4
peer define_vgpu other "profile='NVIDIA L40S-4Q'"
assert_eq "$(peer defined_vf other 0)" "$(vf_of "$L40S" 0)" "the VF of the other domain"
qemu=$(qemu_pid two)
assert_fails "postcopy" migrate two --postcopy
same_qemu two "$qemu"
migrate two
wait_for 20 peer runs two 2
assert_eq "$(peer types "$L40S")" "0 1150 1150 0" "the types of the VFs there"
wait_for 20 peer same_vfs two 2
wait_for 20 types_are "$L40S" 0 0 0 0
assert_eq "$(claims)" 0 "records here"

say "and back"
migrate_back two
wait_for 20 runs two 2
wait_for 20 same_vfs two 2
wait_for 20 peer types_are "$L40S" 0 0 0 0
assert_eq "$(peer claims)" 1 "records there: that of the first domain"
