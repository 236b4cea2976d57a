/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* golden.h: pairs of files tests/data/domain/NAME.in.xml and NAME.out.xml
 *
 * VGPU_REGENERATE=1 in the environment rewrites the second of each. Failures are reported to
 * cmocka. */
#pragma once

#include "domain/domain.h"

char *golden_read(const char *name);

/* Compare @out with the second file. */
void golden_compare(const char *name, const char *out);

VgpuDomain *golden_parse(const char *xml);

/* Place the wants of @domain in their order: @places is "mdev", "vendor-vfio ADDRESS",
 * "vf ADDRESS", joined by ", "; the address may be left out. "": none is placed. */
void golden_bind(VgpuDomain *domain, const char *places);

/* The messages of @changes (of VgpuChange), joined by "; ". Owned by the caller. */
char *golden_tell(const GPtrArray *changes);
