#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The room of saved domains (keepRoom) with the real daemon, hook and libvirt's test driver: over kills of the daemon, for
# domains that libvirt knows and for one that it has forgotten, and until it is given up.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
begin session

gpu=0000:84:00.0
wants() # N KEEP-ROOM: domain vmN wants all of that GPU
{
    domain_xml "$1" > "$root/vm$1.xml"
    cli annotate --xml "$root/vm$1.xml" --profile 'GRID M10-8Q' --gpu $gpu --keep-room "$2" > "$root/new.xml" &&
        mv "$root/new.xml" "$root/vm$1.xml"
}
with_image() { switched_off "$1" | sed 's/<test:runstate>/<test:hasmanagedsave>1<\/test:hasmanagedsave>&/'; }
libvirt_has() # XML...: the domains that libvirt has from now on
{
    { echo '<node>' && printf '%s\n' "$@" && echo '</node>'; } > "$root/host.xml"
}
# saved N: as libvirt says it at the end of the run, since 10.5.0
saved()
{
    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$builddir/tests/as-root.so \
        VIRT_VGPU_ROOT=$root "$builddir/virt-vgpu-hook" "vm$1" release end saved < "$root/vm$1.xml"
}
state() { cli list --json | tr -d ' \n' | tr '{' '\n' | grep "\"domain\":\"vm$1\"" | grep -o '"state":"[a-z]*"'; }
is() { [ "$(state "$1")" = "\"state\":\"$2\"" ]; }
has_none() { [ -z "$(state "$1")" ]; }
# recorded N: what a daemon can keep for it when it is killed; written in the background
recorded() { [ -f "$root/var/lib/virt-vgpu/saved/$(domain_uuid "$1")" ]; }
give_up() { cli destroy "$(cli list --json | tr -d ' \n' | sed 's/.*"uuid":"\([^"]*\)".*/\1/')"; }
noted() { [ -f "$root/run/virt-vgpu/saved/$(domain_uuid "$1")" ]; }

for n in 1 3; do wants $n yes; done
for n in 2 4; do wants $n no; done

libvirt_has "$(switched_off 1)" "$(switched_off 2)"
check "the daemon starts" up
check "a domain with keepRoom starts" prepare 1
check "and runs" is 1 active
check "its room is recorded" until_true recorded 1
check "it is saved to a file" saved 1
check "which needs no note" not noted 1
check "its vGPU is removed" until_true nothing_left
check "its room is kept" until_true is 1 saved
check "another domain is refused" fails_with "saved domain 'vm1'" prepare 2
killed
check "the daemon was killed" up
check "the room is still kept" until_true is 1 saved
check "the other domain is refused again" fails_with "saved domain 'vm1'" prepare 2
check "the saved one is restored" prepare 1
check "and runs again" is 1 active
check "and its room is recorded" until_true recorded 1
killed
check "it is saved while no daemon runs" saved 1
check "which the hook notes" noted 1
check "the daemon starts after that" up
check "the room is kept" until_true is 1 saved
check "the note is gone" not noted 1
check "it is given up by hand" give_up
check "and not listed any more" has_none 1
check "the other domain starts" prepare 2
check "and stops" release 2
check "and leaves" until_true nothing_left

check "a domain starts" prepare 1
check "and its room is recorded" until_true recorded 1
killed
libvirt_has "$(with_image 1)" "$(switched_off 2)"
check "libvirt has saved it while no daemon ran" release 1
check "the daemon finds its image" up
check "and keeps its room" until_true is 1 saved
check "the other domain is refused" fails_with "saved domain 'vm1'" prepare 2
killed
libvirt_has "$(switched_off 1)" "$(switched_off 2)"
check "its image is removed while no daemon runs" up
check "its room is not kept" until_true has_none 1

libvirt_has "$(switched_off 2)"
killed
check "libvirt does not know the next one" up
check "it is transient" prepare 3
check "and its room is recorded" until_true recorded 3
killed
check "it is saved while no daemon runs" saved 3
check "libvirt has forgotten it" up
check "its room is kept" until_true is 3 saved
killed
check "it is kept after another restart" up
check "for it" until_true is 3 saved
check "and no other" fails_with "saved domain 'vm3'" prepare 2
check "it is restored" prepare 3
check "and runs" is 3 active

check "one without keepRoom stops" release 3
check "its vGPU is removed" until_true nothing_left
check "and its room given up by hand" give_up
check "it starts" prepare 4
killed
check "and is saved while no daemon runs" saved 4
check "the daemon starts" up
check "nothing is kept for it" until_true has_none 4
check "and no note is left" not noted 4
finish
