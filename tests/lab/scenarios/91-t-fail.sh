#!/bin/bash
# fails
. "$(dirname "$0")/../lib.sh"
define x --annot "<a:b xmlns:a='urn:x'/>" --ports 2 --q35
virsh -q start x
assert_eq "$(state x)" running
f() { assert_eq 1 2 "some thing"; }
f
