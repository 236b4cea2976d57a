#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A vGPU named by uuid="…" is created for the hostdev that the domain has already, and nothing is injected
# takes: 30
# once: bookworm
# timeout: 300
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

own=11111111-2222-4333-8444-555555555501
mine="uuid='$own' profile='GRID M10-4Q'"
other=11111111-2222-4333-8444-555555555502

define one --annot "$(annotation "$mine")" --hostdev "$(mdev_hostdev $own)"
wait_for 30 vgpu_state $own planned
definition=$(virsh -q dumpxml one --inactive)

say "the vGPU is created for the start, and removed after the stop"
virsh -q start one
assert_eq "$(mdevs)" $own "mdevs while it runs"
assert_eq "$(mdev_type $own)" nvidia-43 "type"
wait_for 30 vgpu_state $own active

say "a UUID that belongs to another domain is refused"
define two --annot "$(annotation "uuid='$own' profile='GRID M10-4Q'")" --hostdev "$(mdev_hostdev $own)"
assert_fails "domain 'two'.*belongs to domain 'one'" virsh -q start two
assert_eq "$(mdevs)" $own "mdevs after the refusal"
virsh -q destroy one
wait_for 30 nothing_left
assert_fails "domain 'two'.*belongs to domain 'one'" virsh -q start two
assert_eq "$(mdevs)" "" "mdevs after the second refusal"

say "an mdev of another type refuses the start, and is left alone"
mdev_create "$M10" nvidia-41 $own
assert_fails "domain 'one'.*$own.*$M10.*GRID M10-2Q.*GRID M10-4Q" virsh -q start one
assert_eq "$(mdevs) $(mdev_type $own)" "$own nvidia-41" "mdevs after the refusal"
mdev_remove $own

say "one of the right type is used, and stays"
mdev_create "$M10B" nvidia-43 $own
virsh -q start one
assert_eq "$(mdevs)" $own "mdevs while it runs"
virsh -q destroy one
no_record() { [ "$(claims)" = 0 ]; }
wait_for 30 no_record
sleep 1
assert_eq "$(mdevs) $(mdev_parent $own)" "$own $M10B" "mdevs after the stop"
mdev_remove $own

say "the definition has not changed"
assert_eq "$(virsh -q dumpxml one --inactive)" "$definition" "definition"

say "another domain's computed UUID is refused, too, and a hostdev that is missing"
define three --annot "$(annotation "profile='GRID M10-4Q'")"
wait_for 30 is_injected three
computed=$(vgpu_uuid "$(domain_uuid three)" 0)
define four --annot "$(annotation "uuid='$computed' profile='GRID M10-4Q'")" \
    --hostdev "$(mdev_hostdev "$computed")"
assert_fails "domain 'four'.*belongs to domain 'three'" virsh -q start four
define five --annot "$(annotation "uuid='$other' profile='GRID M10-4Q'")"
assert_fails "domain 'five'.*has no <hostdev type='mdev'> with it" virsh -q start five
assert_eq "$(mdevs)" "" "mdevs after the refusals"
