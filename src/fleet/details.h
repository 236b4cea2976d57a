/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* details.h: all that a host has, for those who ask about this one: the value of details/HOST; pure
 *
 * It is the answer to GetState of org.virtvgpu.Manager1 as JSON, compressed with gzip: a host with eight GPUs has
 * more than 64 KiB of it. */
#pragma once

#include <glib.h>

/* NULL: it is longer than VGPU_STORE_VALUE_MAX. */
GBytes *vgpu_details_encode(GVariant *state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The JSON; NULL: it is none. */
char *vgpu_details_decode(GBytes *value);
