#!/bin/bash
# after
. "$(dirname "$0")/../lib.sh"
