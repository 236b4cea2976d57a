#!/bin/bash
# hangs in the kernel
# timeout: 5
. "$(dirname "$0")/../lib.sh"
knob create_hang 1
mdev_create "$A2_VF" nvidia-746 6b7e2c1a-3f7c-4a51-9c58-0d1c2b3a4f50
